//! Tables of text: columns under their heads, within this many columns of a terminal.

use std::ops::Range;

use unicode_width::UnicodeWidthStr;

use super::text::broken;

/// A table: its heads, and its rows.
pub(super) type Table = (Vec<&'static str>, Vec<Vec<String>>);

/// The columns of a terminal that every table fits, but for longer names.
pub(super) const WIDTH: usize = 80;
/// Between two columns.
pub(super) const GAP: usize = 2;
/// How much room a long name has at least beside the columns of a table.
const LEAST_NAME: usize = 16;
/// A list longer than this is set in two columns if they fit.
const LONG_LIST: usize = 12;

/// A head and rows as lines with aligned columns; those at `numbers` are aligned to the right.
/// A first cell that would make its line too wide gets a line of its own.
pub(super) fn columns<R: AsRef<[String]>>(
    heads: &[&str],
    rows: &[R],
    numbers: &[usize],
) -> Vec<String> {
    columns_within(WIDTH, heads, rows, numbers)
}

/// The same for lines of this many columns.
pub(super) fn columns_within<R: AsRef<[String]>>(
    width: usize,
    heads: &[&str],
    rows: &[R],
    numbers: &[usize],
) -> Vec<String> {
    let mut widths: Vec<usize> = heads.iter().map(|head| head.width()).collect();
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row.as_ref()).skip(1) {
            *width = (*width).max(cell.width());
        }
    }
    let names = rows.iter().filter_map(|row| row.as_ref().first());
    let longest = names.map(|name| name.width()).max().unwrap_or_default();
    let stacked = stacks(width, longest.min(LEAST_NAME), &widths);
    if stacked.len() > 1 {
        return in_stacks(width, heads, rows, (numbers, &stacked));
    }
    let others: usize = widths.iter().skip(1).map(|width| GAP + width).sum();
    let most = width.saturating_sub(others);
    let name_widths = rows
        .iter()
        .filter_map(|row| Some(row.as_ref().first()?.width()));
    widths[0] = (name_widths.filter(|width| *width <= most))
        .max()
        .unwrap_or_default()
        .max(widths[0]);
    let line = |cells: &mut dyn Iterator<Item = &str>| {
        let mut line = String::new();
        for (column, (cell, width)) in cells.zip(&widths).enumerate() {
            if column > 0 {
                line.push_str(&" ".repeat(GAP));
            }
            line += &match numbers.contains(&column) {
                true => right(cell, *width),
                false => left(cell, *width),
            };
        }
        line.trim_end().to_owned()
    };
    let mut lines = vec![line(&mut heads.iter().copied())];
    for row in rows {
        let cells = row.as_ref();
        match cells.first() {
            Some(name) if name.width() > most => {
                lines.extend(broken(name, width));
                lines.push(line(
                    &mut std::iter::once("").chain(cells.iter().skip(1).map(String::as_str)),
                ));
            }
            _ => lines.push(line(&mut cells.iter().map(String::as_str))),
        }
    }
    lines
}

/// Columns after the first, in as many stacks as it takes for each to be within the width, beside so much room for names.
fn stacks(width: usize, names: usize, widths: &[usize]) -> Vec<Range<usize>> {
    let first = widths.first().copied().unwrap_or_default().max(names);
    let mut stacks: Vec<Range<usize>> = Vec::new();
    let mut taken = usize::MAX;
    for (column, own) in widths.iter().enumerate().skip(1) {
        taken = taken.saturating_add(GAP + own);
        match stacks.last_mut().filter(|_| taken <= width) {
            Some(stack) => stack.end = column + 1,
            None => {
                stacks.push(column..column + 1);
                taken = first + GAP + own;
            }
        }
    }
    stacks
}

/// A table too wide for the width: its columns below one another, each time after the first one.
fn in_stacks<R: AsRef<[String]>>(
    width: usize,
    heads: &[&str],
    rows: &[R],
    (numbers, stacks): (&[usize], &[Range<usize>]),
) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for stack in stacks {
        if !lines.is_empty() {
            lines.push(String::new());
        }
        let chosen = || std::iter::once(0).chain(stack.clone());
        let heads: Vec<&str> = chosen().map(|column| heads[column]).collect();
        let rows: Vec<Vec<String>> = (rows.iter())
            .map(|row| {
                let cells = chosen().map(|column| row.as_ref().get(column).cloned());
                cells.map(Option::unwrap_or_default).collect()
            })
            .collect();
        let numbers: Vec<usize> = (chosen().enumerate())
            .filter(|(_, column)| numbers.contains(column))
            .map(|(place, _)| place)
            .collect();
        lines.extend(columns_within(width, &heads, &rows, &numbers));
    }
    lines
}

pub(super) fn left(text: &str, width: usize) -> String {
    format!("{text}{}", " ".repeat(width.saturating_sub(text.width())))
}

pub(super) fn right(text: &str, width: usize) -> String {
    format!("{}{text}", " ".repeat(width.saturating_sub(text.width())))
}

/// A name without line breaks and other characters that would upset a terminal.
pub(super) fn one_line(name: &str) -> String {
    name.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect()
}

pub(super) fn paragraph<S: AsRef<str>>(lines: &[S]) -> String {
    lines
        .iter()
        .map(|line| format!("{}\n", line.as_ref().trim_end()))
        .collect()
}

/// How wide a table is where all its columns stand beside one another.
pub(super) fn table_width(heads: &[&str], rows: &[Vec<String>]) -> usize {
    let widths = (0..heads.len()).map(|column| {
        let cells = rows.iter().map(|row| row[column].width());
        cells.max().unwrap_or_default().max(heads[column].width())
    });
    widths.sum::<usize>() + GAP * heads.len().saturating_sub(1)
}

/// Neighbours that have room together; what is too wide alone stands alone.
pub(super) fn split_by_width(widths: &[usize], room: usize) -> Vec<Range<usize>> {
    let mut parts: Vec<Range<usize>> = Vec::new();
    let mut used = 0;
    for (position, width) in widths.iter().enumerate() {
        used += width;
        match parts.last_mut() {
            Some(part) if used <= room => part.end = position + 1,
            _ => {
                parts.push(position..position + 1);
                used = *width;
            }
        }
    }
    parts
}

/// A long list set in two columns under their heads, if it fits.
pub(super) fn in_two_halves(width: usize, mut lines: Vec<String>) -> Vec<String> {
    let half = lines.iter().map(|line| line.width()).max().unwrap_or(0);
    if lines.len() <= LONG_LIST || 2 * half + 2 * GAP > width {
        return lines;
    }
    let head = lines.remove(0);
    let second = lines.split_off(lines.len().div_ceil(2));
    let mut rest = std::iter::once(head.clone()).chain(second);
    std::iter::once(head)
        .chain(lines)
        .map(|line| match rest.next() {
            Some(other) => format!("{}    {other}", left(&line, half)),
            None => line,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_is_longer_than_a_line_takes_several() {
        let name = format!(
            "Campus/{}/fit-out",
            "a hall with a long name ".repeat(6).trim()
        );
        let row = vec![name, "12.5".to_owned(), "13.5".to_owned()];
        let lines = columns(&["activity", "P50", "P90"], &[row], &[1, 2]);
        assert!(
            lines.len() > 3 && lines.iter().all(|line| line.width() <= WIDTH),
            "{lines:?}"
        );
        assert!(
            lines
                .last()
                .is_some_and(|last| last.ends_with("12.5  13.5"))
        );
    }

    #[test]
    fn a_table_that_is_too_wide_is_set_in_stacks_with_the_names_in_each() {
        let heads = ["year", "construction", "grid", "most often"];
        let row = ["2026", "53 %", "7 %", "unfinished buildings"];
        let rows = vec![row.map(str::to_owned).to_vec()];
        assert_eq!(table_width(&heads, &rows), 46);
        assert_eq!(columns_within(46, &heads, &rows, &[1, 2]).len(), 2);
        let stacked = paragraph(&columns_within(26, &heads, &rows, &[1, 2]));
        assert_eq!(
            stacked,
            "year  construction  grid\n2026          53 %   7 %\n\nyear  most often\n2026  unfinished buildings\n"
        );
    }
}
