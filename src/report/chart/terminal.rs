//! A chart in letters, for a terminal.

use unicode_width::UnicodeWidthStr;

use super::scale::time_ticks;
use super::{Chart, Mark};

/// Lines of the plot.
const ROWS: usize = 16;
/// The fewest columns in which anything can be read.
const LEAST_WIDTH: usize = 40;
/// How many pixels of the time axis make a column.
const COLUMN: f64 = 8.0;

/// Draws a chart in letters, at most this many columns wide: bands as shades, lines as lines, targets as diamonds.
pub(super) fn letters(chart: &Chart, width: usize) -> String {
    let labels = chart.scale.ticks.iter().map(|(_, label)| label.width());
    let margin = labels.max().unwrap_or(0) + 2;
    let columns = width.max(LEAST_WIDTH).saturating_sub(margin);
    let mut cells = vec![vec![' '; columns]; ROWS];
    // Shades darken towards the front.
    let mut shades = ['░', '▒', '▓'].into_iter();
    for mark in &chart.marks {
        match mark {
            Mark::Band { low, high, .. } => {
                let shade = shades.next().unwrap_or('▓');
                (0..columns).for_each(|column| {
                    let month = month_of(column, columns, chart.months);
                    let (low, high) = (low.values[month], high.values[month]);
                    if low.is_finite() && high.is_finite() {
                        let rows = row_of(chart, high)..=row_of(chart, low);
                        rows.for_each(|row| cells[row][column] = shade);
                    }
                });
            }
            Mark::Line { of, .. } => {
                (0..columns).for_each(|column| {
                    let value = of.values[month_of(column, columns, chart.months)];
                    if value.is_finite() {
                        cells[row_of(chart, value)][column] = '━';
                    }
                });
            }
            Mark::Goal { months, value, .. } => put(chart, &mut cells, *months, *value, '◆'),
            Mark::Known { points, .. } => {
                for (months, value) in points {
                    put(chart, &mut cells, *months, *value, '●');
                }
            }
            Mark::Moment { .. } | Mark::Name { .. } => {}
        }
    }
    framed(chart, &cells, margin)
}

fn put(chart: &Chart, cells: &mut [Vec<char>], months: f64, value: f64, letter: char) {
    let columns = cells.first().map_or(0, Vec::len);
    let share = (months - 0.5) / chart.months as f64;
    let column = ((share * columns as f64) as usize).min(columns.saturating_sub(1));
    cells[row_of(chart, value)][column] = letter;
}

/// The month in the middle of a column.
fn month_of(column: usize, columns: usize, months: usize) -> usize {
    let share = (column as f64 + 0.5) / columns as f64;
    ((share * months as f64) as usize).min(months - 1)
}

fn row_of(chart: &Chart, value: f64) -> usize {
    let scale = &chart.scale;
    let share = (value - scale.bottom) / (scale.top - scale.bottom);
    let row = (1.0 - share) * (ROWS - 1) as f64;
    row.round().clamp(0.0, (ROWS - 1) as f64) as usize
}

/// The plot with its axes.
fn framed(chart: &Chart, cells: &[Vec<char>], margin: usize) -> String {
    let mut text = format!(
        "{:>1$}\n",
        chart.scale.unit,
        margin.max(chart.scale.unit.width())
    );
    for (row, line) in cells.iter().enumerate() {
        let tick = (chart.scale.ticks.iter()).find(|(value, _)| row_of(chart, *value) == row);
        let label = tick.map_or("", |(_, label)| label);
        let line: String = line.iter().collect();
        text += &format!(
            "{label:>0$} {1}{2}\n",
            margin - 2,
            if tick.is_some() { '┤' } else { '│' },
            line.trim_end()
        );
    }
    let columns = cells.first().map_or(0, Vec::len);
    let mut below = vec![' '; columns];
    let mut axis = vec!['─'; columns];
    let mut free = 0;
    for (months, label) in time_ticks(
        chart.start,
        (0.0, chart.months as f64),
        columns as f64 * COLUMN,
    ) {
        let at = ((months / chart.months as f64) * columns as f64) as usize;
        if at >= columns || at < free || at + label.width() > columns {
            continue;
        }
        axis[at] = '┬';
        for (offset, letter) in label.chars().enumerate() {
            below[at + offset] = letter;
        }
        free = at + label.width() + 1;
    }
    let (axis, below): (String, String) = (axis.iter().collect(), below.iter().collect());
    let (left, under) = (" ".repeat(margin - 1), " ".repeat(margin));
    text + &format!("{left}└{axis}\n{under}{}\n", below.trim_end())
}

#[cfg(test)]
mod tests {
    use super::super::{Series, ValueScale};
    use super::*;
    use crate::Date;
    use crate::projection::Layout;

    #[test]
    fn a_chart_of_letters_keeps_to_its_columns_and_shows_the_target() {
        let layout = Layout::new(Date::month(2024, 1).unwrap(), 60);
        let rise: Vec<f64> = (0..60).map(f64::from).collect();
        let band = |by: f64, class: &str| Mark::Band {
            low: Series::new("", rise.iter().map(|x| x - by * x).collect()),
            high: Series::new("", rise.iter().map(|x| x + by * x).collect()),
            class: class.to_owned(),
        };
        let scale = ValueScale::over("MW", [100.0]);
        let chart = Chart::new("power", &layout, scale)
            .with(band(0.5, "outer"))
            .with(band(0.2, "inner"))
            .with(Mark::Line {
                of: Series::new("", rise.clone()),
                class: "mid".to_owned(),
            })
            .with(Mark::Goal {
                months: 48.0,
                value: 80.0,
                label: String::new(),
            });
        for width in [60, 80, 160] {
            let text = letters(&chart, width);
            assert!(text.lines().all(|line| line.width() <= width), "{text}");
            for letter in ['░', '▒', '━', '◆', '┤'] {
                assert!(text.contains(letter), "{letter} in\n{text}");
            }
            assert!(
                text.contains("2026") && text.lines().count() == ROWS + 3,
                "{text}"
            );
        }
    }
}
