//! The colours of charts, in light and in dark.

use std::fmt::Write as _;

/// A name, its colour on white, and its colour on a dark page.
///
/// The bands of a fan are of one hue from light to dark, so that they keep their order in greyscale and for readers who do
/// not see colours. What text is written in has a contrast of 4.5 or more to its ground.
const COLOURS: [(&str, &str, &str); 22] = [
    ("bg", "#ffffff", "#14171a"),
    ("fg", "#1b1f24", "#e6e9ec"),
    ("soft", "#57606a", "#a3adb7"),
    ("line", "#dfe3e8", "#343b43"),
    ("panel", "#f5f7f9", "#1d2226"),
    ("outer", "#d0e1f2", "#20364d"),
    ("inner", "#7cacd6", "#356a9b"),
    ("mid", "#08306b", "#cfe4fa"),
    ("goal", "#a63600", "#ff9d5c"),
    ("known", "#000000", "#ffffff"),
    ("k-construction", "#5a2d00", "#7a3f08"),
    ("k-grid", "#2470b3", "#2f80c8"),
    ("k-equipment", "#d9822b", "#e39a4a"),
    ("k-demand", "#a5d6a0", "#b7e3b2"),
    ("k-nothing", "#eef0f2", "#2a3036"),
    ("k-electrical", "#6b4fa0", "#8d70c8"),
    ("k-delivery", "#9b2d6a", "#b84a86"),
    ("k-space", "#d9a5c7", "#e2b6d2"),
    ("k-density", "#35706f", "#448b89"),
    ("k-cooling", "#7fc4c9", "#8fd0d4"),
    ("pub", "#1b6e33", "#7fd492"),
    ("cal", "#0b5fa5", "#7ab8f0"),
];

const STYLE: &str = include_str!("chart.css");

fn variables(pick: impl Fn(&(&str, &'static str, &'static str)) -> &'static str) -> String {
    let mut text = String::new();
    for colour in &COLOURS {
        let _ = write!(text, "--{}:{};", colour.0, pick(colour));
    }
    text
}

/// The style sheet of a page's charts, with its colours in light, in dark and in print.
pub(crate) fn page_colours() -> String {
    let (light, dark) = (variables(|of| of.1), variables(|of| of.2));
    format!(
        ":root{{color-scheme:light dark;{light}}}\n\
         @media screen and (prefers-color-scheme:dark){{:root{{{dark}}}}}\n{STYLE}"
    )
}

/// The style sheet of a file, which knows no variables: in light.
pub(super) fn file_style() -> String {
    let mut style = STYLE.to_owned();
    for (name, light, _) in &COLOURS {
        style = style.replace(&format!("var(--{name})"), light);
    }
    style
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_has_every_colour_that_it_names() {
        let style = file_style();
        assert!(!style.contains("var("), "{style}");
        assert!(style.contains("#08306b"));
    }

    /// The relative luminance of WCAG 2.
    fn luminance(colour: &str) -> f64 {
        let channel = |at: usize| {
            let c = f64::from(u8::from_str_radix(&colour[at..at + 2], 16).unwrap()) / 255.0;
            if c <= 0.04045 {
                c / 12.92
            } else {
                ((c + 0.055) / 1.055).powf(2.4)
            }
        };
        0.2126 * channel(1) + 0.7152 * channel(3) + 0.0722 * channel(5)
    }

    #[test]
    fn bands_keep_their_order_in_greyscale() {
        let of = |name: &str| COLOURS.iter().find(|colour| colour.0 == name).unwrap();
        let order = ["bg", "outer", "inner", "mid"].map(of);
        for pair in order.windows(2) {
            assert!(luminance(pair[0].1) > 1.2 * luminance(pair[1].1));
            assert!(luminance(pair[0].2) < luminance(pair[1].2));
        }
    }
}
