use std::io;

use super::Record;
use crate::date::Date;
use crate::disk::{read_text_from, separator, with_decimal_point};

/// Why a table of records cannot be read: all that is wrong with it, a line each.
#[derive(Debug, thiserror::Error)]
#[error("{}", .0.join("\n"))]
pub struct TableError(pub Vec<String>);

/// Columns of a table of records, as its first line names them.
const COLUMNS: [&str; 6] = ["value", "from", "to", "ended", "entered", "group"];

/// Reads records from comma-separated values with the columns
///
/// | column | |
/// |---|---|
/// | `value` | the duration or size, above 0; or |
/// | `from`, `to` | dates, whose difference in months is the value; an empty `to` of what goes on is `as_of` |
/// | `ended` | yes or no; left out, all has ended, but for what has an empty `to` |
/// | `entered` | the value from which on it was seen; left out, 0 |
/// | `group` | the group within the class |
///
/// Separators are commas, semicolons (where numbers may have a decimal comma) or tabs. Where there is `from`, trends are by it, in years from 2000.
pub fn read_records(from: impl io::Read, as_of: Option<Date>) -> Result<Vec<Record>, TableError> {
    let text = read_text_from(from).map_err(|error| TableError(vec![error.to_string()]))?;
    let text = text.trim_start_matches('\u{feff}');
    let separator = separator(text);
    let mut table = csv::ReaderBuilder::new()
        .delimiter(separator)
        .trim(csv::Trim::All)
        .comment(Some(b'#'))
        .from_reader(text.as_bytes());
    let broken = |error: csv::Error| TableError(vec![error.to_string()]);
    let headers = table.headers().map_err(broken)?.clone();
    let known = |name: &&str| !COLUMNS.contains(name);
    let mut wrong: Vec<String> = (headers.iter().filter(known))
        .map(|name| {
            format!(
                "there is no column \"{name}\"; there may be {}",
                COLUMNS.join(", ")
            )
        })
        .collect();
    if !headers.iter().any(|name| name == "value" || name == "from") {
        wrong.push("there is no column \"value\", nor \"from\" and \"to\"".to_owned());
    }
    let mut records = Vec::new();
    for row in table.records() {
        let row = row.map_err(broken)?;
        let line = row.position().map_or(0, csv::Position::line);
        let field = |name: &str| {
            let index = headers.iter().position(|header| header == name)?;
            row.get(index).filter(|text| !text.is_empty())
        };
        match record(field, separator, as_of) {
            Ok(record) => records.push(record),
            Err(error) => wrong.push(format!("line {line}: {error}")),
        }
    }
    if wrong.is_empty() {
        Ok(records)
    } else {
        Err(TableError(wrong))
    }
}

fn record<'a>(
    field: impl Fn(&str) -> Option<&'a str>,
    separator: u8,
    as_of: Option<Date>,
) -> Result<Record, String> {
    let number = |name: &str| match field(name) {
        Some(text) => {
            let value = with_decimal_point(text.into(), separator).parse::<f64>();
            value
                .map(Some)
                .map_err(|_| format!("{name} is \"{text}\", not a number"))
        }
        None => Ok(None),
    };
    let date = |name: &str| match field(name) {
        Some(text) => match text.parse::<Date>() {
            Ok(date) => Ok(Some(date)),
            Err(error) => Err(format!("{name}: {error}")),
        },
        None => Ok(None),
    };
    let (from, to) = (date("from")?, date("to")?);
    let value = match (number("value")?, from, to.or(as_of)) {
        (Some(value), ..) => value,
        (None, Some(from), Some(to)) => to.months_since(from),
        (None, Some(_), None) => {
            return Err("it has no `to`: give the date until which it was observed".to_owned());
        }
        (None, None, _) => return Err("it has neither a value nor `from`".to_owned()),
    };
    let ended = match field("ended") {
        Some("yes" | "true" | "1") => true,
        Some("no" | "false" | "0") => false,
        Some(other) => return Err(format!("ended is \"{other}\"; it may be yes or no")),
        None => from.is_none() || to.is_some(),
    };
    let epoch = Date::month(2000, 1).map_err(|error| error.to_string())?;
    Ok(Record {
        value,
        ended,
        entered: number("entered")?.unwrap_or(0.0),
        years: from.map_or(0.0, |from| from.months_since(epoch) / 12.0),
        group: field("group").map(str::to_owned),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_may_have_semicolons_and_decimal_commas() {
        let semicolons = "# of May\nvalue;group\n3,5;north\n";
        let records = read_records(semicolons.as_bytes(), None).unwrap();
        assert_eq!(
            records,
            read_records("value,group\n3.5,north\n".as_bytes(), None).unwrap()
        );
    }

    #[test]
    fn dates_and_values_are_read() {
        let text = "from,to,group\n2024-01-01,2025-01-01,north\n2024-07-01,,south\n";
        let as_of = Some("2025-07-01".parse().unwrap());
        let records = read_records(text.as_bytes(), as_of).unwrap();
        assert!((records[0].value - 366.0 / 30.4375).abs() < 1e-9 && records[0].ended);
        assert!((records[1].value - 12.0).abs() < 0.1 && !records[1].ended);
        assert_eq!(records[1].group.as_deref(), Some("south"));
        let text = "value,ended\n3,yes\n4,no\n";
        let records = read_records(text.as_bytes(), None).unwrap();
        assert_eq!(records, [Record::ended(3.0), Record::going_on(4.0)]);
    }

    #[test]
    fn all_that_is_wrong_is_reported() {
        let error = read_records("value,ended,size\nx,yes,1\n3,perhaps,1\n".as_bytes(), None);
        assert_eq!(
            error.unwrap_err().to_string(),
            "there is no column \"size\"; there may be value, from, to, ended, entered, group\n\
             line 2: value is \"x\", not a number\n\
             line 3: ended is \"perhaps\"; it may be yes or no"
        );
    }
}
