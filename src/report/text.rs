//! Numbers, shares and months as words.

use unicode_width::UnicodeWidthStr;

use crate::date::Date;
use crate::problem::with_thousands;

/// What stands for a number that does not exist.
pub(super) const MISSING: &str = "-";

const MONTH_NAMES: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];

/// A text broken into lines of at most `width` columns, but for longer words; lines that are there stay lines.
pub(super) fn wrapped(text: &str, width: usize) -> String {
    let mut lines: Vec<String> = Vec::new();
    for line in text.lines() {
        let mut broken = String::new();
        for word in line.split(' ') {
            if !broken.is_empty() && broken.width() + 1 + word.width() > width {
                lines.push(std::mem::take(&mut broken));
            } else if !broken.is_empty() {
                broken.push(' ');
            }
            broken.push_str(word);
        }
        lines.push(broken);
    }
    lines.join("\n") + "\n"
}

/// A name in lines of at most `width` columns: broken between words, after slashes, and within a longer word.
pub(super) fn broken(name: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    let fits = |line: &str, piece: &str| line.width() + piece.trim_end().width() <= width;
    for piece in name.split_inclusive([' ', '/']) {
        let last = lines.len() - 1;
        if fits(&lines[last], piece) {
            lines[last] += piece;
        } else if fits("", piece) {
            lines.push(piece.to_owned());
        } else {
            for c in piece.chars() {
                let c = c.encode_utf8(&mut [0; 4]).to_owned();
                let last = lines.len() - 1;
                if fits(&lines[last], &c) {
                    lines[last] += &c;
                } else {
                    lines.push(c);
                }
            }
        }
    }
    lines.retain(|line| !line.trim().is_empty());
    lines
        .iter()
        .map(|line| line.trim_end().to_owned())
        .collect()
}

/// The same behind a first word, under which further lines stand.
pub(super) fn broken_behind(first: &str, name: &str, width: usize) -> String {
    let indent = first.width();
    let lines = broken(name, width.saturating_sub(indent).max(1));
    let mut text = String::new();
    for (number, line) in lines.iter().enumerate() {
        let before = if number == 0 {
            first.to_owned()
        } else {
            " ".repeat(indent)
        };
        text += &format!("{before}{line}\n");
    }
    text
}

/// A number with its thousands separated, such as `21,000` or `12.50`.
pub(super) fn grouped(x: f64, decimals: usize) -> String {
    if !x.is_finite() {
        return MISSING.to_owned();
    }
    let plain = format!("{:.decimals$}", x.abs());
    // A number that rounds to zero has no sign.
    let is_zero = !plain.contains(|c: char| c.is_ascii_digit() && c != '0');
    let sign = if x < 0.0 && !is_zero { "-" } else { "" };
    sign.to_owned() + &with_thousands(&plain)
}

/// How many decimals numbers of a unit need, given the greatest of them.
pub(super) fn decimals(unit: &str, greatest: f64) -> usize {
    let counted = ["racks", "standard racks", "contracts", "companies"].contains(&unit);
    match greatest.abs() {
        _ if counted => 0,
        x if x >= 100.0 => 0,
        x if x >= 10.0 => 1,
        _ => 2,
    }
}

/// How many decimals show the first digit of an error, or of whatever else is not to read as nothing: no fewer than is usual, and at most
/// three more.
pub(super) fn decimals_of_error(error: f64, usual: usize) -> usize {
    let first = -error.abs().log10().floor();
    if first.is_finite() && first > 0.0 {
        usual.max((first as usize).min(usual + 3))
    } else {
        usual
    }
}

/// In what large numbers are counted, so that one reads them: 1, or a million or a thousand million with its word.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct CountedIn {
    pub(super) size: f64,
    word: &'static str,
}

impl CountedIn {
    /// For numbers of which this is the greatest.
    pub(super) fn for_greatest(greatest: f64) -> Self {
        let (size, word) = match greatest.abs() {
            x if x >= 1e10 => (1e9, "billion "),
            x if x >= 1e7 => (1e6, "million "),
            _ => (1.0, ""),
        };
        Self { size, word }
    }

    /// The unit with the word.
    pub(super) fn unit(self, unit: &str) -> String {
        format!("{}{unit}", self.word)
    }
}

/// A name such as `it_power_mw` for readers: `IT power`.
pub(super) fn title_of(name: &str, unit: &str) -> String {
    let unit = unit.to_lowercase();
    let words: Vec<&str> = name.split('_').collect();
    let ends_in_unit = words.len() > 1 && words.last().is_some_and(|last| *last == unit);
    let words = &words[..words.len() - usize::from(ends_in_unit)];
    let written = words.iter().map(|word| match *word {
        "it" => "IT".to_owned(),
        "kw" => "kW".to_owned(),
        short @ ("pue" | "npv" | "irr" | "pflops" | "cvar") => short.to_uppercase(),
        word => word.to_owned(),
    });
    let text = written.collect::<Vec<_>>().join(" ");
    let text = text.replace("take up", "take-up");
    let mut chars = text.chars();
    match chars.next() {
        Some(first) => first.to_uppercase().chain(chars).collect(),
        None => text,
    }
}

/// What a chart of a metric shows: compute by the word for it, which is its unit, too.
pub(super) fn chart_title(name: &str, unit: &str) -> String {
    title_of(name, if unit == "PFLOPS" { "" } else { unit })
}

/// A probability as per cent. Only what happens always is 100 %, only what never happens 0 %.
pub(super) fn percent(share: Option<f64>) -> String {
    match share {
        None => MISSING.to_owned(),
        Some(share) if share.is_nan() => MISSING.to_owned(),
        Some(1.0) => "100 %".to_owned(),
        Some(0.0) => "0 %".to_owned(),
        Some(share) if share > 0.999 => ">99.9 %".to_owned(),
        Some(share) if share < 0.001 => "<0.1 %".to_owned(),
        Some(share) => format!("{:.1} %", share * 100.0),
    }
}

/// A whole per cent.
pub(super) fn whole_percent(share: f64) -> String {
    if share.is_finite() {
        format!("{:.0} %", share * 100.0)
    } else {
        MISSING.to_owned()
    }
}

/// A weight that was stated: as per cent, with a decimal where it has one.
pub(super) fn weight_percent(share: f64) -> String {
    let tenths = (share * 1e3).round();
    if tenths.is_finite() && tenths % 10.0 != 0.0 {
        format!("{:.1} %", tenths / 10.0)
    } else {
        whole_percent(share)
    }
}

/// The month of a date, such as `Jul 2024`.
pub(super) fn month_name(date: Date) -> String {
    let month = usize::try_from(date.month_of_year() - 1).unwrap_or_default();
    format!(
        "{} {}",
        MONTH_NAMES.get(month).unwrap_or(&MISSING),
        date.year()
    )
}

/// The name of the month with that number, from 0.
pub(super) fn nth_month(start: Date, month: usize) -> String {
    start
        .plus_months(month as f64)
        .map_or_else(|| MISSING.to_owned(), month_name)
}

/// The month by whose end something at that time has happened. The last instant of July is
/// the first of August; what happens then is in time for July, as it is for targets.
pub(super) fn month_of(start: Date, months: f64) -> Option<String> {
    let month = if months > 0.0 {
        months.ceil() - 1.0
    } else {
        months.floor()
    };
    start.plus_months(month).map(month_name)
}

/// A text within HTML or XML, also within double quotes, without what these cannot hold.
pub(super) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => escaped.push(' '),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_names_are_broken_where_they_may_be() {
        let name = "North campus/substation/transformer of the second circuit";
        assert_eq!(
            broken(name, 24),
            [
                "North campus/substation/",
                "transformer of the",
                "second circuit"
            ]
        );
        assert_eq!(broken("abcdefg hi", 3), ["abc", "def", "g", "hi"]);
        assert_eq!(
            broken_behind("12 %  ", "one two", 9),
            "12 %  one\n      two\n"
        );
        assert!(
            broken(&"庆阳".repeat(30), 20)
                .iter()
                .all(|line| line.width() <= 20)
        );
    }

    #[test]
    fn weights_are_written_as_they_are_stated() {
        assert_eq!(weight_percent(0.125), "12.5 %");
        assert_eq!(weight_percent(0.2), "20 %");
        assert_eq!(weight_percent(1.0 / 3.0), "33.3 %");
    }

    #[test]
    fn thousands_are_separated() {
        assert_eq!(grouped(21_000.4, 0), "21,000");
        assert_eq!(grouped(999.6, 0), "1,000");
        assert_eq!(grouped(1_234_567.891, 2), "1,234,567.89");
        assert_eq!(grouped(-1_234.0, 0), "-1,234");
        assert_eq!(grouped(-0.001, 1), "0.0");
        assert_eq!(grouped(7.0, 0), "7");
        assert_eq!(grouped(f64::NAN, 0), MISSING);
    }

    #[test]
    fn what_is_not_nothing_does_not_read_as_nothing() {
        assert_eq!(decimals_of_error(9.2, 1), 1);
        assert_eq!(decimals_of_error(0.4, 0), 1);
        assert_eq!(decimals_of_error(0.03, 0), 2);
        assert_eq!(decimals_of_error(1e-9, 0), 3);
        assert_eq!(decimals_of_error(0.0, 2), 2);
        assert_eq!(decimals_of_error(f64::NAN, 0), 0);
    }

    #[test]
    fn lines_are_broken_between_words() {
        assert_eq!(wrapped("one two three\nfour", 7), "one two\nthree\nfour\n");
        assert_eq!(wrapped("incomprehensible", 7), "incomprehensible\n");
    }

    #[test]
    fn nearly_certain_is_not_certain() {
        assert_eq!(percent(Some(1.0)), "100 %");
        assert_eq!(percent(Some(0.9996)), ">99.9 %");
        assert_eq!(percent(Some(0.0)), "0 %");
        assert_eq!(percent(Some(0.0004)), "<0.1 %");
        assert_eq!(percent(Some(0.543)), "54.3 %");
        assert_eq!(percent(None), MISSING);
    }

    #[test]
    fn names_and_large_numbers_are_written_for_readers() {
        assert_eq!(title_of("it_power_mw", "MW"), "IT power");
        assert_eq!(title_of("installed_pflops", "PFLOPS"), "Installed");
        assert_eq!(title_of("npv", "yuan"), "NPV");
        assert_eq!(title_of("take_up", "share"), "Take-up");
        assert_eq!(
            title_of("it_power_racks_20_to_60_kw_mw", "MW"),
            "IT power racks 20 to 60 kW"
        );
        let money = CountedIn::for_greatest(-2.5e10);
        assert_eq!(
            (money.size, money.unit("yuan").as_str()),
            (1e9, "billion yuan")
        );
        assert_eq!(CountedIn::for_greatest(9e6).unit("MW"), "MW");
    }

    #[test]
    fn the_end_of_a_month_belongs_to_it() {
        let start = Date::month(2024, 1).unwrap();
        assert_eq!(month_of(start, 7.0).unwrap(), "Jul 2024");
        assert_eq!(month_of(start, 7.01).unwrap(), "Aug 2024");
        assert_eq!(month_of(start, 0.0).unwrap(), "Jan 2024");
        assert_eq!(month_of(start, -8.5).unwrap(), "Apr 2023");
    }
}
