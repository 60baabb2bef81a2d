//! Workbooks made of a text of sheets, "[name]" and then rows of cells with tabs between them: changes of such a text reach
//! further than those of a packed file, whose checksums they break.

use std::io::{Cursor, Write};

use zip::ZipWriter;
use zip::write::SimpleFileOptions;

fn escaped(text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;");
    text.replace('"', "&quot;").replace(|c: char| c < ' ', " ")
}

fn column(mut number: usize) -> String {
    let mut letters = Vec::new();
    loop {
        letters.push(b'A' + (number % 26) as u8);
        if number < 26 {
            break;
        }
        number = number / 26 - 1;
    }
    letters.reverse();
    String::from_utf8(letters).expect("letters")
}

fn cell(at: &str, text: &str) -> String {
    match text {
        "" => String::new(),
        "TRUE" | "FALSE" => format!(
            "<c r=\"{at}\" t=\"b\"><v>{}</v></c>",
            u8::from(text == "TRUE")
        ),
        text if text.starts_with('#') && text.ends_with('!') => {
            format!("<c r=\"{at}\" t=\"e\"><v>{}</v></c>", escaped(text))
        }
        text if text.parse::<f64>().is_ok() => format!("<c r=\"{at}\"><v>{text}</v></c>"),
        text => format!(
            "<c r=\"{at}\" t=\"inlineStr\"><is><t xml:space=\"preserve\">{}</t></is></c>",
            escaped(text)
        ),
    }
}

fn sheet(rows: &[&str]) -> String {
    let mut xml = "<worksheet xmlns=\"http://schemas.openxmlformats.org/spreadsheetml/2006/main\"><sheetData>".to_owned();
    for (number, row) in rows.iter().enumerate() {
        xml += &format!("<row r=\"{}\">", number + 1);
        for (position, text) in row.split('\t').enumerate() {
            xml += &cell(&format!("{}{}", column(position), number + 1), text);
        }
        xml += "</row>";
    }
    xml + "</sheetData></worksheet>"
}

/// The bytes of a workbook with these sheets.
pub(crate) fn packed(text: &str) -> Vec<u8> {
    let mut sheets: Vec<(&str, Vec<&str>)> = Vec::new();
    for line in text.lines() {
        match line
            .strip_prefix('[')
            .and_then(|line| line.strip_suffix(']'))
        {
            Some(name) => sheets.push((name, Vec::new())),
            None => {
                if let Some((_, rows)) = sheets.last_mut() {
                    rows.push(line);
                }
            }
        }
    }
    let main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
    let office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
    let package = "http://schemas.openxmlformats.org/package/2006/relationships";
    let mut book = format!("<workbook xmlns=\"{main}\" xmlns:r=\"{office}\"><sheets>");
    let mut links = format!("<Relationships xmlns=\"{package}\">");
    for (number, (name, _)) in sheets.iter().enumerate() {
        let id = number + 1;
        book += &format!(
            "<sheet name=\"{}\" sheetId=\"{id}\" r:id=\"r{id}\"/>",
            escaped(name)
        );
        links += &format!(
            "<Relationship Id=\"r{id}\" Type=\"{office}/worksheet\" Target=\"worksheets/sheet{id}.xml\"/>"
        );
    }
    let mut parts = vec![
        ("xl/workbook.xml".to_owned(), book + "</sheets></workbook>"),
        (
            "xl/_rels/workbook.xml.rels".to_owned(),
            links + "</Relationships>",
        ),
    ];
    for (number, (_, rows)) in sheets.iter().enumerate() {
        parts.push((
            format!("xl/worksheets/sheet{}.xml", number + 1),
            sheet(rows),
        ));
    }
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    for (name, part) in parts {
        zip.start_file(name, options).expect("a part");
        zip.write_all(part.as_bytes()).expect("into memory");
    }
    zip.finish().expect("a packed file").into_inner()
}
