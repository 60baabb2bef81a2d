//! Lists of like things from tables of comma-separated values: `buildings_from = "buildings.csv"`.

use std::path::Path as FilePath;

use super::merge::{Misfit, nearest_name_of};
use super::node::{Entry, Node, Place, Text, Value, parse_value, put_at};
use super::shape::Shape;
use crate::disk::{check_within, read_text, separator, with_decimal_point};

/// The end of a key that names a table.
const FROM: &str = "_from";

/// Appends the rows of tables to the lists that name them. Paths are relative to `folder`; the
/// texts of tables are appended to `texts`.
pub(super) fn expand(
    node: &mut Node,
    shape: &Shape,
    folder: &FilePath,
    texts: &mut Vec<Text>,
    misfits: &mut Vec<Misfit>,
) {
    let Value::Table(entries) = &mut node.value else {
        return;
    };
    for entry in entries.iter_mut() {
        let Some((field, _)) = shape.field(&entry.key) else {
            continue;
        };
        match (&field.shape, &mut entry.node.value) {
            (Shape::List(item), Value::List(items)) => {
                for node in items {
                    expand(node, item, folder, texts, misfits);
                }
            }
            (inner, _) => expand(&mut entry.node, inner, folder, texts, misfits),
        }
    }
    while let Some((position, list, item)) = entries.iter().enumerate().find_map(|(at, entry)| {
        let list = entry.key.strip_suffix(FROM)?;
        match &shape.field(list)?.0.shape {
            Shape::List(item) if item.field("name").is_some() => {
                Some((at, list.to_owned(), &**item))
            }
            _ => None,
        }
    }) {
        let named = entries.remove(position);
        match rows(&named.node, item, folder, texts) {
            Ok(rows) => match entries.iter_mut().find(|entry| entry.key == list) {
                Some(Entry {
                    node:
                        Node {
                            value: Value::List(there),
                            ..
                        },
                    ..
                }) => there.extend(rows),
                _ => entries.push(Entry {
                    key: list,
                    key_place: named.key_place,
                    node: Node {
                        place: named.node.place,
                        value: Value::List(rows),
                    },
                }),
            },
            Err(misfit) => misfits.push(misfit),
        }
    }
}

fn rows(
    named: &Node,
    shape: &Shape,
    folder: &FilePath,
    texts: &mut Vec<Text>,
) -> Result<Vec<Node>, Misfit> {
    let misfit = |place: &Place, message: String, help: String| Misfit {
        place: place.clone(),
        message,
        help,
    };
    let Value::Text(name) = &named.value else {
        let message = format!("{} names no file", named.shown());
        let help = "the name of a table in quotes, such as \"buildings.csv\"".to_owned();
        return Err(misfit(&named.place, message, help));
    };
    let path = folder.join(name);
    let text = check_within(folder, &path).and_then(|()| read_text(&path));
    let text = text.map_err(|error| {
        let message = format!("\"{name}\" cannot be read: {error}");
        let help = match super::nearest_file(&path) {
            Some(near) => format!("did you mean \"{near}\"?"),
            None => format!("it was looked for at {}", path.display()),
        };
        misfit(&named.place, message, help)
    })?;
    // Spreadsheets begin such a file with a byte order mark.
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text).to_owned();
    let number = texts.len();
    let separator = separator(&text);
    let table = Text::new(path, text);
    let result = read(&table.text, separator, number, shape);
    texts.push(table);
    result.map_err(|(place, message, help)| misfit(&place, message, help))
}

type Refusal = (Place, String, String);

fn read(text: &str, separator: u8, number: usize, shape: &Shape) -> Result<Vec<Node>, Refusal> {
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(separator)
        .trim(csv::Trim::All)
        .has_headers(false)
        .flexible(true)
        .comment(Some(b'#'))
        .from_reader(text.as_bytes());
    let end_of_line = |start: usize| {
        text[start..]
            .find('\n')
            .map_or(text.len(), |length| start + length)
    };
    let mut heads: Vec<String> = Vec::new();
    let mut rows = Vec::new();
    let mut record = csv::StringRecord::new();
    loop {
        let whole = Place {
            text: number,
            start: 0,
            end: end_of_line(0),
        };
        match reader.read_record(&mut record) {
            Ok(true) => {}
            Ok(false) => return Ok(rows),
            Err(error) => {
                return Err((whole, format!("this is no table: {error}"), String::new()));
            }
        }
        let start = record.position().map_or(0, |at| at.byte() as usize);
        // The position stands before blank lines and comments.
        let start = start + skipped(&text[start..]);
        let place = Place {
            text: number,
            start,
            end: end_of_line(start),
        };
        if heads.is_empty() {
            heads = record.iter().map(str::to_owned).collect();
            check_heads(&heads, shape, &place)?;
            continue;
        }
        if record.len() > heads.len() {
            let message = format!("{} cells, but {} columns", record.len(), heads.len());
            let help = "put a cell with a comma in it into quotes".to_owned();
            return Err((place, message, help));
        }
        let mut row = Node {
            place: place.clone(),
            value: Value::Table(Vec::new()),
        };
        for (head, cell) in heads.iter().zip(&record) {
            if !cell.is_empty() {
                put(&mut row, shape, head, (cell, separator), &place);
            }
        }
        rows.push(row);
    }
}

fn skipped(text: &str) -> usize {
    let mut skipped = 0;
    for line in text.split_inclusive('\n') {
        if !line.trim().is_empty() && !line.starts_with('#') {
            return skipped;
        }
        skipped += line.len();
    }
    0
}

fn check_heads(heads: &[String], shape: &Shape, place: &Place) -> Result<(), Refusal> {
    let Shape::Table(fields) = shape else {
        return Ok(());
    };
    for head in heads {
        let first = head.split('.').next().unwrap_or_default();
        if shape.field(first).is_none() && first != super::presets::PRESET {
            let known = fields.iter().map(|field| field.key.as_str());
            let message = format!("unknown column \"{head}\"");
            return Err((place.clone(), message, nearest_name_of(first, known)));
        }
    }
    Ok(())
}

/// Puts a cell where its dotted head leads to.
fn put(node: &mut Node, shape: &Shape, head: &str, (cell, separator): (&str, u8), place: &Place) {
    let Value::Table(entries) = &mut node.value else {
        return;
    };
    let (key, rest) = match head.split_once('.') {
        Some((key, rest)) => (key, Some(rest)),
        None => (head, None),
    };
    let inner = shape.field(key).map(|(field, _)| &field.shape);
    let position = entries.iter().position(|entry| entry.key == key);
    let position = position.unwrap_or_else(|| {
        entries.push(Entry {
            key: key.to_owned(),
            key_place: place.clone(),
            node: Node {
                place: place.clone(),
                value: Value::Table(Vec::new()),
            },
        });
        entries.len() - 1
    });
    let there = &mut entries[position].node;
    match (rest, inner) {
        (Some(rest), Some(inner)) => put(there, inner, rest, (cell, separator), place),
        _ => {
            *there = cell_node(cell, inner, separator, place);
            put_at(there, place);
        }
    }
}

/// What a cell says where something of that shape belongs. A list is written as in a scenario file, or as its entries with
/// semicolons between them, as in a workbook.
fn cell_node(cell: &str, shape: Option<&Shape>, separator: u8, place: &Place) -> Node {
    let value = match shape {
        Some(Shape::Text | Shape::Date | Shape::Choice(_)) | None => Value::Text(cell.to_owned()),
        Some(Shape::List(item)) if !cell.starts_with(['[', '{']) => {
            let parts = cell.split(';').map(str::trim);
            let parts = parts.filter(|part| !part.is_empty());
            Value::List(
                parts
                    .map(|part| cell_node(part, Some(item), separator, place))
                    .collect(),
            )
        }
        _ => return parse_value(&with_decimal_point(cell.into(), separator), place),
    };
    Node {
        place: place.clone(),
        value,
    }
}

#[cfg(test)]
mod tests {
    use crate::{Scenario, ScenarioError};

    const SCENARIO: &str = r#"
name = "from a table"
start = "2025-01"
horizon_months = 60
rack_types = [{ preset = "10 kW rack" }]
building_templates = [{ preset = "12 MW building" }]

[[campuses]]
name = "north"
buildings_from = "buildings.csv"
substations = [{ preset = "110 kV substation" }]
"#;

    fn load(table: &str) -> Result<Scenario, ScenarioError> {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("buildings.csv"), table).unwrap();
        let path = folder.path().join("a.toml");
        std::fs::write(&path, SCENARIO).unwrap();
        Scenario::from_path(path)
    }

    #[test]
    fn buildings_come_from_a_table_as_a_spreadsheet_writes_it() {
        let comma = "\u{feff}name,template,starts,substation,power,series.count,series.every_months\r\n\
                     \"A, first\",12 MW building,2025-03,110 kV substation,6 MW,,\r\n\
                     \r\n\
                     B{n},12 MW building,2026-01,,,3,4\r\n";
        let scenario = load(comma).unwrap();
        let buildings = &scenario.campuses[0].buildings;
        assert_eq!(buildings.len(), 2);
        assert_eq!(buildings[0].name, "A, first");
        assert_eq!(buildings[0].power_kw, Some(6_000.0.into()));
        assert_eq!(
            buildings[0].substation.as_deref(),
            Some("110 kV substation")
        );
        assert_eq!(buildings[1].substation, None);
        let series = buildings[1].series.as_ref().unwrap();
        assert_eq!(
            (&series.count, &series.every_months),
            (&3.into(), &4.0.into())
        );
        let semicolons = comma
            .replace("A, first", "A")
            .replace(',', ";")
            .replace('A', "A, first");
        assert_eq!(load(&semicolons).unwrap(), scenario);
        let decimal_comma = semicolons.replace("6 MW", "6,0 MW").replace(";4", ";4,0");
        assert_eq!(load(&decimal_comma).unwrap(), scenario);
    }

    #[test]
    fn a_risk_register_comes_from_a_table() {
        let folder = tempfile::tempdir().unwrap();
        let register = "name,probability,delay_months,activities\n\
                        Strike,25 %,\"{ pert = [1, 2, 4] }\",A/shell; A/roof\n\
                        Flood,0.1,3 weeks,*/shell\n\
                        Permit,0.5,1,\"[\"\"A/permit\"\"]\"\n";
        std::fs::write(folder.path().join("risks.csv"), register).unwrap();
        let text = "name = \"r\"\nstart = \"2025-01\"\nhorizon_months = 24\nrisks_from = \"risks.csv\"\n\
                    rack_types = [{ name = \"r\", power_kw = 5 }]\n[[campuses]]\nname = \"c\"\n\
                    [[campuses.buildings]]\nname = \"A\"\n\
                    halls = [{ name = \"h\", racks = 1, rack_type = \"r\" }]\n\
                    activities = [{ name = \"permit\", duration_months = 2 }, { name = \"shell\", duration_months = 6 }, { name = \"roof\", duration_months = 1 }]\n";
        let path = folder.path().join("a.toml");
        std::fs::write(&path, text).unwrap();
        let risks = Scenario::from_path(&path).unwrap().risks;
        assert_eq!(risks.len(), 3);
        assert_eq!(risks[0].activities, ["A/shell", "A/roof"]);
        assert!((risks[0].probability - 0.25).abs() < 1e-12);
        assert_eq!(risks[1].activities, ["*/shell"]);
        assert_eq!(risks[2].activities, ["A/permit"]);
    }

    #[test]
    fn what_is_wrong_in_a_table_is_reported_with_its_line() {
        for (table, words) in [
            (
                "name,templat\nA,x\n",
                &["buildings.csv:1:1", "templat", "did you mean \"template\""][..],
            ),
            (
                "name,template\nA,12 MW bilding\n",
                &["buildings.csv:2:1", "12 MW bilding"],
            ),
            (
                "name,starts\n\n# why\nA,2025-13\n",
                &["buildings.csv:4:1", "2025-13"],
            ),
            (
                "name\nA,2025-01\n",
                &["buildings.csv:2:1", "2 cells, but 1 columns"],
            ),
        ] {
            let error = load(table).unwrap_err().to_string();
            for word in words {
                assert!(error.contains(word), "\"{word}\" is not in\n{error}");
            }
        }
    }
}
