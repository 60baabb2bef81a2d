//! An SVG as a picture.

use std::sync::{Arc, LazyLock};

use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::{Options, Tree, fontdb};

use super::ChartError;

/// The font of the library first, so that charts look alike on all machines and a machine without fonts
/// makes them, too.
static FONTS: LazyLock<Arc<fontdb::Database>> = LazyLock::new(|| {
    let mut fonts = fontdb::Database::new();
    fonts.load_font_data(dejavu::sans::regular().to_vec());
    fonts.load_font_data(dejavu::sans::bold().to_vec());
    fonts.load_system_fonts();
    fonts.set_sans_serif_family("DejaVu Sans");
    Arc::new(fonts)
});

/// Renders an SVG, `scale` times as large.
pub(super) fn of_svg(svg: &str, scale: f32) -> Result<Vec<u8>, ChartError> {
    if !(0.25..=8.0).contains(&scale) {
        return Err(ChartError::Scale(scale));
    }
    let options = Options {
        fontdb: FONTS.clone(),
        font_family: "DejaVu Sans".to_owned(),
        ..Options::default()
    };
    let tree = Tree::from_str(svg, &options).map_err(|error| failed(error.to_string()))?;
    let size = (tree.size().to_int_size())
        .scale_by(scale)
        .ok_or(ChartError::Scale(scale))?;
    let mut picture = Pixmap::new(size.width(), size.height()).ok_or(ChartError::Scale(scale))?;
    resvg::render(
        &tree,
        Transform::from_scale(scale, scale),
        &mut picture.as_mut(),
    );
    picture
        .encode_png()
        .map_err(|error| failed(error.to_string()))
}

fn failed(words: String) -> ChartError {
    ChartError::Drawing(words)
}
