//! Elements of the file, with their lines.

use roxmltree::Node;

use super::super::ImportError;
use super::super::text::Lines;
use super::super::values::{moment, moment_of_end, number};
use crate::date::Date;

/// An element and those below it that hold a text.
pub(super) struct Element<'a> {
    node: Node<'a, 'a>,
    lines: &'a Lines,
    children: Vec<(&'a str, Node<'a, 'a>)>,
}

impl<'a> Element<'a> {
    pub(super) fn new(node: Node<'a, 'a>, lines: &'a Lines) -> Self {
        let children = node.children().filter(Node::is_element);
        Self {
            node,
            lines,
            children: children
                .map(|child| (child.tag_name().name(), child))
                .collect(),
        }
    }

    pub(super) fn line(&self) -> usize {
        self.line_of(self.node)
    }

    fn line_of(&self, node: Node<'_, '_>) -> usize {
        self.lines.line_at(node.range().start)
    }

    fn child(&self, name: &str) -> Option<Node<'a, 'a>> {
        let named = self.children.iter().find(|(known, _)| *known == name);
        named.map(|(_, node)| *node)
    }

    /// The elements of that name below it.
    pub(super) fn all(&self, name: &str) -> impl Iterator<Item = Self> {
        let named = self
            .children
            .iter()
            .filter(move |(known, _)| *known == name);
        named.map(|(_, node)| Self::new(*node, self.lines))
    }

    pub(super) fn one(&self, name: &str) -> Option<Self> {
        self.child(name).map(|node| Self::new(node, self.lines))
    }

    /// The elements of a list such as `Tasks` with its `Task`s.
    pub(super) fn list(&self, list: &str, item: &'a str) -> impl Iterator<Item = Self> {
        let lines = self.lines;
        let items = self
            .child(list)
            .into_iter()
            .flat_map(|list| list.children());
        items
            .filter(move |node| node.is_element() && node.tag_name().name() == item)
            .map(move |node| Self::new(node, lines))
    }

    /// The text of a child, unless it is empty.
    pub(super) fn text(&self, name: &str) -> Option<&'a str> {
        let text = self.child(name)?.text()?.trim();
        (!text.is_empty()).then_some(text)
    }

    pub(super) fn required(&self, name: &str) -> Result<&'a str, ImportError> {
        let what = self.node.tag_name().name();
        self.text(name).ok_or_else(|| {
            ImportError::new(self.line(), format!("{name} of this {what} is missing"))
        })
    }

    /// Reads the text of a child, if it has one.
    fn read<T>(
        &self,
        name: &str,
        read: impl Fn(&str, usize) -> Result<T, ImportError>,
    ) -> Result<Option<T>, ImportError> {
        let Some(child) = self.child(name) else {
            return Ok(None);
        };
        // Some tools write that where Project leaves an element out.
        let text = self
            .text(name)
            .filter(|text| !text.eq_ignore_ascii_case("NA"));
        let line = || self.line_of(child);
        text.map(|text| read(text, line())).transpose()
    }

    pub(super) fn number(&self, name: &str) -> Result<Option<f64>, ImportError> {
        self.read(name, number)
    }

    /// A number that stands for one of several things.
    pub(super) fn code(&self, name: &str) -> Result<Option<i64>, ImportError> {
        Ok(self.number(name)?.map(|number| number as i64))
    }

    pub(super) fn is_set(&self, name: &str) -> bool {
        matches!(self.text(name), Some("1" | "true"))
    }

    pub(super) fn is_cleared(&self, name: &str) -> bool {
        matches!(self.text(name), Some("0" | "false"))
    }

    pub(super) fn date(&self, name: &str) -> Result<Option<Date>, ImportError> {
        self.read(name, moment)
    }

    /// A date at which something is over.
    pub(super) fn end(&self, name: &str) -> Result<Option<Date>, ImportError> {
        self.read(name, moment_of_end)
    }

    /// Hours of a duration such as "PT80H30M0S" or "P1DT4H".
    pub(super) fn hours(&self, name: &str) -> Result<Option<f64>, ImportError> {
        self.read(name, |text, line| {
            let wrong = || ImportError::new(line, format!("\"{text}\" is not a duration"));
            hours(text).ok_or_else(wrong)
        })
    }
}

/// Hours of a duration of ISO 8601 without years and months; a day has 24 hours.
fn hours(text: &str) -> Option<f64> {
    let rest = text.trim().strip_prefix('P')?;
    let (days, times) = rest.split_once('T').unwrap_or((rest, ""));
    let mut total = 0.0;
    for (part, units) in [
        (days, [('W', 168.0), ('D', 24.0), (' ', 0.0)]),
        (times, [('H', 1.0), ('M', 1.0 / 60.0), ('S', 1.0 / 3600.0)]),
    ] {
        let mut rest = part;
        let mut allowed = &units[..];
        while !rest.is_empty() {
            let end = rest.find(|c: char| c.is_ascii_alphabetic())?;
            let unit = rest[end..].chars().next()?;
            let at = allowed.iter().position(|(known, _)| *known == unit)?;
            let amount: f64 = rest[..end].replace(',', ".").parse().ok()?;
            total += amount * allowed[at].1;
            allowed = &allowed[at + 1..];
            rest = &rest[end + 1..];
        }
    }
    let says_something = text.chars().any(|c| c.is_ascii_digit());
    (says_something && total.is_finite() && total >= 0.0).then_some(total)
}

#[cfg(test)]
mod tests {
    use super::hours;

    #[test]
    fn durations_of_iso_8601_are_read() {
        for (text, expected) in [
            ("PT80H30M0S", Some(80.5)),
            ("PT40H", Some(40.0)),
            ("PT90M", Some(1.5)),
            ("P1DT4H", Some(28.0)),
            ("P2W", Some(336.0)),
            ("PT7.5H", Some(7.5)),
            ("3 days", None),
            ("PT", None),
            ("PT4M2H", None),
            ("P1Y", None),
            ("PT-3H", None),
        ] {
            assert_eq!(hours(text), expected, "{text}");
        }
    }
}
