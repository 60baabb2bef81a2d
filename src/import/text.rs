//! From the bytes of a file to text, and from places in the text to lines.

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE};

/// How far into a file its XML declaration is looked for, in bytes.
const DECLARATION: usize = 256;

/// Reads bytes as text. A byte order mark decides; then the encoding that an XML declaration names; then UTF-8 where
/// the bytes are that; and else the encoding that they look like, such as GBK or Windows-1252. Lines end with a line feed.
pub(super) fn decode(bytes: &[u8]) -> String {
    let (text, _, _) = encoding(bytes).decode(bytes);
    if text.contains('\n') {
        text.into_owned()
    } else {
        text.replace('\r', "\n")
    }
}

fn encoding(bytes: &[u8]) -> &'static Encoding {
    if let Some((encoding, _)) = Encoding::for_bom(bytes) {
        return encoding;
    }
    // Text begins with a character below 256, of which UTF-16 makes one byte of 0.
    match bytes {
        [0, second, ..] if *second != 0 => return UTF_16BE,
        [first, 0, ..] if *first != 0 => return UTF_16LE,
        _ => {}
    }
    if let Some(declared) = declared(bytes) {
        return declared;
    }
    if std::str::from_utf8(bytes).is_ok() {
        return UTF_8;
    }
    let mut detector = chardetng::EncodingDetector::new(chardetng::Iso2022JpDetection::Deny);
    detector.feed(bytes, true);
    detector.guess(None, chardetng::Utf8Detection::Deny)
}

/// The encoding that the declaration of an XML file names.
fn declared(bytes: &[u8]) -> Option<&'static Encoding> {
    let head = String::from_utf8_lossy(&bytes[..bytes.len().min(DECLARATION)]).into_owned();
    let declaration = head.trim_start().strip_prefix("<?xml")?;
    let (declaration, _) = declaration.split_once("?>")?;
    let (_, rest) = declaration.split_once("encoding")?;
    let quoted = rest.trim_start().strip_prefix('=')?.trim_start();
    let quote = quoted.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    let label = quoted[1..].split(quote).next()?;
    Encoding::for_label(label.as_bytes())
}

/// Where each line of a text begins, so that a place is turned into a line in logarithmic time.
#[derive(Debug)]
pub(super) struct Lines {
    begins: Vec<usize>,
}

impl Lines {
    pub(super) fn of(text: &str) -> Self {
        let ends = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        Self {
            begins: std::iter::once(0)
                .chain(ends.map(|(position, _)| position + 1))
                .collect(),
        }
    }

    /// The line of a byte, from 1.
    pub(super) fn line_at(&self, position: usize) -> usize {
        self.begins.partition_point(|begin| *begin <= position)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encodings_are_recognised() {
        let text = "ERMHDR\t电力设备安装工程\n%T\tTASK\t变电站土建施工";
        let (gbk, ..) = encoding_rs::GBK.encode(text);
        let wide =
            |unit: fn(u16) -> [u8; 2]| -> Vec<u8> { text.encode_utf16().flat_map(unit).collect() };
        let with = |mark: &[u8], bytes: &[u8]| [mark, bytes].concat();
        for bytes in [
            text.as_bytes().to_vec(),
            with(b"\xef\xbb\xbf", text.as_bytes()),
            gbk.into_owned(),
            wide(u16::to_le_bytes),
            wide(u16::to_be_bytes),
            with(b"\xff\xfe", &wide(u16::to_le_bytes)),
            with(b"\xfe\xff", &wide(u16::to_be_bytes)),
        ] {
            assert_eq!(decode(&bytes), text);
        }
        let western = "ERMHDR\tcoût estimé à 5 £ près de l'hôtel";
        let (bytes, ..) = encoding_rs::WINDOWS_1252.encode(western);
        assert_eq!(decode(&bytes), western);
        let declared = b"<?xml version=\"1.0\" encoding=\"windows-1252\"?><a>\xe9</a>";
        assert!(decode(declared).ends_with("<a>é</a>"));
        assert_eq!(decode(b"a\rb\r"), "a\nb\n");
        assert_eq!(decode(b"a\r\nb"), "a\r\nb");
    }

    #[test]
    fn a_place_is_turned_into_its_line() {
        let lines = Lines::of("a\nbc\n\nd");
        let found: Vec<usize> = (0..7).map(|place| lines.line_at(place)).collect();
        assert_eq!(found, [1, 1, 2, 2, 2, 3, 4]);
    }
}
