//! Charts as PNG.
#![cfg(all(feature = "files", feature = "png"))]

use buildout::report::FanChart;
use buildout::{Batch, Scenario};
use resvg::tiny_skia::Pixmap;

#[test]
fn a_png_has_its_size_and_letters() {
    let scenario = Scenario::from_path("examples/first.toml").unwrap();
    let model = scenario.compile().unwrap();
    let projection = Batch::new(&model).trials(50).run().unwrap();
    let chart = FanChart::new(&projection, "standard_racks").unwrap();
    let picture = Pixmap::decode_png(&chart.to_png(2.0).unwrap()).unwrap();
    assert_eq!((picture.width(), picture.height()), (1_920, 1_080));
    // The title stands above the plot: black letters on white.
    let dark = (0..100 * 1_920)
        .filter(|&at| picture.pixels()[at].red() < 64)
        .count();
    assert!(dark > 500, "{dark} dark pixels where the title is");
    assert!(chart.to_png(0.0).is_err() && chart.to_png(f32::NAN).is_err());
}
