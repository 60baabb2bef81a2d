//! Reading a file of observations.

use csv::StringRecord;

use super::observations::{
    Observation, ObservationError, Observations, ObservedDate, ObservedValue, Spread,
};
use crate::date::Date;
use crate::disk::{separator, with_decimal_point};

/// The columns, of which the last may be missing.
const COLUMNS: [&str; 5] = ["observed", "date", "value", "error", "discrepancy"];
/// What stands as the value of a milestone that is not reached.
const NOT_YET: &str = "not yet";

impl Observations {
    /// Reads a file of observations: see [the module](super::observations). All that is wrong is reported at once.
    pub fn from_csv(text: &str) -> Result<Self, ObservationError> {
        let text = text.trim_start_matches('\u{feff}');
        let separator = separator(text);
        let mut reader = csv::ReaderBuilder::new()
            .delimiter(separator)
            .comment(Some(b'#'))
            .trim(csv::Trim::All)
            .flexible(true)
            .from_reader(text.as_bytes());
        let row = |line: u64, reason: String| ObservationError::Row { line, reason };
        let head = reader
            .headers()
            .map_err(|error| row(1, error.to_string()))?;
        let expected = COLUMNS.iter().take(head.len().max(4));
        if head.len() > COLUMNS.len() || !head.iter().eq(expected.copied()) {
            let reason = format!("the first line names the columns: {}", COLUMNS.join(","));
            return Err(row(1, reason));
        }
        let mut list = Vec::new();
        let mut wrong = Vec::new();
        for record in reader.records() {
            match record {
                Err(error) => wrong.push(row(
                    error.position().map_or(0, csv::Position::line),
                    error.to_string(),
                )),
                Ok(record) => match observation(&record, separator) {
                    Ok(observation) => list.push(observation),
                    Err(reason) => {
                        wrong.push(row(
                            record.position().map_or(0, csv::Position::line),
                            reason,
                        ));
                    }
                },
            }
        }
        match wrong.len() {
            0 => Self::new(list),
            1 => Err(wrong.remove(0)),
            _ => Err(ObservationError::Several(wrong)),
        }
    }
}

fn observation(record: &StringRecord, separator: u8) -> Result<Observation, String> {
    let text = |column: usize| record.get(column).unwrap_or_default();
    let field = |column: usize| with_decimal_point(text(column).into(), separator);
    if record.len() < 4 || record.len() > COLUMNS.len() {
        return Err(format!(
            "{} fields: write {}",
            record.len(),
            COLUMNS.join(",")
        ));
    }
    let of = text(0);
    if of.is_empty() {
        return Err("nothing is named as observed".to_owned());
    }
    let value = match &*field(2) {
        "" => ObservedValue::Reached,
        NOT_YET => ObservedValue::NotYet,
        text => ObservedValue::Number(number(text, "value")?),
    };
    let discrepancy = match &*field(4) {
        "" => None,
        text => Some(spread(text, "discrepancy")?),
    };
    Ok(Observation {
        of: of.to_owned(),
        date: date(text(1))?,
        value,
        error: spread(&field(3), "error")?,
        discrepancy,
    })
}

/// A day such as 2024-11-20, or a month such as 2024-11.
fn date(text: &str) -> Result<ObservedDate, String> {
    let date: Date = text
        .parse()
        .map_err(|_| format!("the date is \"{text}\": write 2024-11-20 or 2024-11"))?;
    Ok(if text.matches('-').count() == 1 {
        ObservedDate::Month(date)
    } else {
        ObservedDate::Day(date)
    })
}

fn number(text: &str, what: &str) -> Result<f64, String> {
    let parsed = text.replace('_', "").parse::<f64>();
    (parsed.ok().filter(|number| number.is_finite()))
        .ok_or_else(|| format!("the {what} is \"{text}\": write a number, as 1250.5"))
}

/// A standard deviation: a number, or a percentage of the value.
fn spread(text: &str, what: &str) -> Result<Spread, String> {
    let (number, spread): (f64, fn(f64) -> Spread) = match text.strip_suffix('%') {
        Some(percent) => (number(percent.trim(), what)? / 100.0, Spread::Share),
        None => (number(text, what)?, Spread::Absolute),
    };
    if number < 0.0 {
        return Err(format!("the {what} is \"{text}\": it must not be below 0"));
    }
    Ok(spread(number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_may_have_semicolons_and_decimal_commas() {
        let comma = "observed,date,value,error\nA1 live,2024-11-20,,0.25\ninstalled_pflops,2024-12,21500.5,5.5%\n";
        let semicolons = format!(
            "\u{feff}# of May\n{}",
            comma.replace(',', ";").replace('.', ",")
        );
        assert_eq!(
            Observations::from_csv(&semicolons).unwrap().list(),
            Observations::from_csv(comma).unwrap().list()
        );
    }

    #[test]
    fn rows_are_read_as_they_are_meant() {
        let text = "observed,date,value,error\n# a remark\nA1 live,2024-11-20,,0.25\n\
                    B4 live,2024-12-31,not yet,0.5\ninstalled_pflops,2024-12,21_500,5%\n";
        let observations = Observations::from_csv(text).unwrap();
        let [first, second, third] = observations.list() else {
            panic!("three rows");
        };
        let day = Date::day(2024, 11, 20).unwrap();
        assert_eq!(*first, Observation::reached("A1 live", day, 0.25));
        assert_eq!(second.value, ObservedValue::NotYet);
        let month = Date::month(2024, 12).unwrap();
        let expected =
            Observation::metric("installed_pflops", month, 21_500.0, Spread::Share(0.05));
        assert_eq!(*third, expected);
        let with = Observations::from_csv(
            "observed,date,value,error,discrepancy\nit_power_mw,2024-12,3,1,10%\n",
        );
        assert_eq!(
            with.unwrap().list()[0].discrepancy,
            Some(Spread::Share(0.1))
        );
    }

    #[test]
    fn all_that_is_wrong_is_reported_with_its_line() {
        let text = "observed,date,value,error\nA1 live,tomorrow,,1\nA1 live,2024-11,x,1\n\
                    A1 live,2024-11,1,-1\nA1 live,2024-11,1\n,2024-11,1,1\n";
        let said = Observations::from_csv(text).unwrap_err().to_string();
        for words in [
            "line 2: the date",
            "line 3: the value",
            "line 4: the error",
            "line 5: 3 fields",
            "line 6",
        ] {
            assert!(said.contains(words), "{words} is not in\n{said}");
        }
        let head = Observations::from_csv("what,when\nA1 live,2024-11\n").unwrap_err();
        assert!(head.to_string().contains("names the columns"), "{head}");
        let none = Observations::from_csv("observed,date,value,error\n");
        assert_eq!(none, Err(ObservationError::Empty));
    }
}
