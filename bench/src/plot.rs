//! A bench's figures as a picture: every run a dot, every median a stroke.
//!
//! One panel a quantity, its axis from zero. The background is transparent and everything grey or
//! of middle brightness, so that it can be read on a dark page and on a light one. Start at
//! [`draw`].

use std::path::Path;

use plotters::{
    coord::Shift,
    prelude::*,
    style::text_anchor::{HPos, Pos, VPos},
};

use crate::{
    Outcome,
    measure::{Measure, Middle},
    report::Report,
};

const TEXT: RGBColor = RGBColor(128, 128, 128);
/// redial's, then its peers'.
const COLOURS: [RGBColor; 4] = [
    RGBColor(217, 119, 43),
    RGBColor(70, 130, 180),
    RGBColor(102, 153, 90),
    RGBColor(158, 110, 170),
];
const WIDTH: u32 = 760;
const TITLE: u32 = 44;
const LEFT: u32 = 120;
/// Of one program, and of a panel beside its programs.
const ROW: u32 = 34;
const FRAME: u32 = 86;

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

pub(crate) fn draw(report: &Report, file: &Path) -> Outcome<()> {
    let heights = report.measures.iter().map(|measure| FRAME + ROW * measure.programs.len() as u32);
    let height = TITLE + heights.clone().sum::<u32>();
    let root = SVGBackend::new(file, (WIDTH, height)).into_drawing_area();
    root.draw_text(&report.title, &font(18), (16, 14))?;
    let key = "a dot: one run; a stroke: the median";
    root.draw_text(key, &font(13).pos(Pos::new(HPos::Right, VPos::Top)), (WIDTH as i32 - 24, 17))?;
    let (_, mut rest) = root.split_vertically(TITLE);
    for (measure, height) in report.measures.iter().zip(heights) {
        let (panel, below) = rest.split_vertically(height);
        draw_measure(measure, &panel)?;
        rest = below;
    }
    root.present()?;
    Ok(())
}

fn draw_measure(measure: &Measure, panel: &Area<'_>) -> Outcome<()> {
    let rows = measure.programs.len();
    let values = measure.programs.iter().flat_map(|(_, values)| values);
    let most = values.fold(0.0, |most: f64, value| most.max(*value));
    let mut chart = ChartBuilder::on(panel)
        .margin_right(24)
        .margin_bottom(22)
        .set_label_area_size(LabelAreaPosition::Left, LEFT)
        .set_label_area_size(LabelAreaPosition::Bottom, 46)
        .build_cartesian_2d(0.0..most * 1.08, rows as f64..0.0)?;
    chart
        .configure_mesh()
        .disable_y_mesh()
        .disable_y_axis()
        .light_line_style(TRANSPARENT)
        .bold_line_style(TEXT.mix(0.35))
        .axis_style(TEXT)
        .x_label_style(font(13))
        .x_desc(format!("{}, {} ({} is better)", measure.what, measure.unit, measure.better))
        .axis_desc_style(font(14))
        .draw()?;
    for (place, (name, values)) in measure.programs.iter().enumerate() {
        let colour = COLOURS[place % COLOURS.len()];
        let middle = place as f64 + 0.5;
        // Runs side by side across the row, in the order they were taken.
        let dot = |(run, value): (usize, &f64)| {
            let across = (run as f64 + 0.5) / values.len() as f64 - 0.5;
            Circle::new((*value, middle + across * 0.5), 3, colour.mix(0.45).filled())
        };
        chart.draw_series(values.iter().enumerate().map(dot))?;
        let median = Middle::of(values).median;
        let stroke = vec![(median, middle - 0.36), (median, middle + 0.36)];
        chart.draw_series([PathElement::new(stroke, colour.stroke_width(3))])?;
        let (_, y) = chart.backend_coord(&(0.0, middle));
        let (_, top) = panel.get_base_pixel();
        panel.draw_text(name, &font(14), (16, y - top - 7))?;
    }
    Ok(())
}

fn font(size: u32) -> TextStyle<'static> {
    ("sans-serif", size).into_font().color(&TEXT)
}
