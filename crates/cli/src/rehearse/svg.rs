//! The picture: arrivals over time above, connected clients below, all policies in one.
//!
//! Written by hand: two panels and a legend want no library. The background is transparent and
//! everything grey or of middle brightness, so that it can be read on a dark page and on a light
//! one. Start at [`draw`].

use redial::Rounded;

use super::{
    figures::{Grouped, Short, cut},
    report::Report,
    view::{View, number, whole, written},
};
use crate::help::folded;

const GREY: &str = "#808080";
/// Told apart by their dashes as well from the seventh on.
const COLOURS: [&str; 6] = ["#d9772b", "#4682b4", "#66995a", "#9e6eaa", "#c05a5a", "#3f9e9e"];

const WIDTH: f64 = 760.0;
const LEFT: f64 = 66.0;
const RIGHT: f64 = 22.0;
/// A line of text.
const LINE: f64 = 18.0;
/// Letters that fit beside the margins.
const LETTERS: usize = 116;
const ARRIVALS: f64 = 220.0;
const CONNECTED: f64 = 130.0;
const GAP: f64 = 40.0;

/// The whole file.
pub(super) fn draw(report: &Report) -> String {
    let view = View::of(&report.scene.scenario, &report.reports);
    let mut text = String::new();
    let mut y = 24.0;
    if let Some(name) = &report.scene.name {
        text += &letters(16.0, y, 16, "start", &cut(name, LETTERS / 2));
        y += LINE + 2.0;
    }
    for part in [&*report.scene.scenario.about, &report.scene.sentence()] {
        for line in folded(&redial::printable(part), 0, LETTERS).lines() {
            text += &letters(16.0, y, 12, "start", &cut(line, LETTERS));
            y += LINE - 2.0;
        }
    }
    y += 6.0;
    text += &legend(report, &view, &mut y);

    let above = Panel { top: y + 22.0, height: ARRIVALS, most: view.most };
    let below = Panel { top: above.bottom() + GAP, height: CONNECTED, most: view.clients };
    for (panel, what) in [(&above, "attempts per second"), (&below, "clients connected")] {
        text += &panel.frame(&view, what);
    }
    let takes = report.takes();
    if takes <= view.most {
        let y = above.y(takes);
        text += &format!(
            "<path d=\"M{LEFT} {y:.1}H{:.1}\" stroke=\"{GREY}\" stroke-dasharray=\"2 4\"/>\n",
            WIDTH - RIGHT
        );
    }
    let seconds = whole(view.to - view.from).clamp(60, 640);
    for (place, one) in report.reports.iter().enumerate() {
        let curves =
            [(&above, view.arrivals(one, seconds)), (&below, view.connected(one, 2 * seconds))];
        for (panel, values) in curves {
            text += &panel.curve(&values, place);
        }
    }
    let axis = below.bottom() + 17.0;
    for at in view.ticks() {
        text += &letters(x(&view, at + view.returned), axis, 12, "middle", &written(at));
    }
    let middle = f64::midpoint(LEFT, WIDTH - RIGHT);
    let last = if is_one(report) { "" } else { "last " };
    let what = format!("time from the {last}server's return");
    text += &letters(middle, axis + LINE, 12, "middle", &what);
    let height = axis + LINE + 14.0;
    let (top, plot) = (above.top, WIDTH - LEFT - RIGHT);
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" \
         width=\"{WIDTH}\" height=\"{height}\" role=\"img\" fill=\"none\" \
         font-family=\"sans-serif\">\n\
         <title>{}</title>\n\
         <clipPath id=\"above\"><rect x=\"{LEFT}\" y=\"{top}\" width=\"{plot}\" \
         height=\"{ARRIVALS}\"/></clipPath>\n{text}</svg>\n",
        escaped(&format!("{}. {}", report.scene.title(), report.scene.sentence()))
    )
}

/// A line for each policy, and for what is drawn besides.
fn legend(report: &Report, view: &View, y: &mut f64) -> String {
    let mut text = String::new();
    for (place, one) in report.reports.iter().enumerate() {
        let peak = Grouped(one.peak_second);
        let came = match (one.recovers, one.back_99) {
            (true, Some(back)) => format!("99% are back after {}", Rounded(back)),
            _ => "does not recover".into(),
        };
        let line = format!("{}: {came}; peak {peak}/s", cut(&one.policy, LETTERS - 52));
        text += &entry(*y, &stroke(place), &line);
        *y += LINE;
    }
    let takes = rounded(report.takes());
    if report.takes() <= view.most {
        let servers = if is_one(report) { "the server takes" } else { "the servers take" };
        let line = format!("the most {servers}: {}/s", Grouped(takes));
        text += &entry(*y, &format!("stroke=\"{GREY}\" stroke-dasharray=\"2 4\""), &line);
        *y += LINE;
    }
    text += &format!(
        "<rect x=\"16\" y=\"{:.1}\" width=\"26\" height=\"12\" fill=\"{GREY}\" fill-opacity=\".18\"/>\n",
        *y - 10.0
    );
    let beyond = view.beyond(&report.reports);
    let beyond = beyond.map_or_else(String::new, |most| {
        format!("; there attempts go beyond the scale, to {}/s", Grouped(rounded(most)))
    });
    text += &letters(
        50.0,
        *y,
        12,
        "start",
        &format!("{} server is down{beyond}", if is_one(report) { "the" } else { "a" }),
    );
    *y += LINE;
    text
}

fn is_one(report: &Report) -> bool {
    report.scene.scenario.servers.len() == 1
}

fn entry(y: f64, stroke: &str, line: &str) -> String {
    let sample = format!("<path d=\"M16 {:.1}h26\" stroke-width=\"2\" {stroke}/>\n", y - 4.0);
    sample + &letters(50.0, y, 12, "start", line)
}

fn stroke(place: usize) -> String {
    let colour = COLOURS[place % COLOURS.len()];
    let dashes = if place < COLOURS.len() { "" } else { " stroke-dasharray=\"6 3\"" };
    format!("stroke=\"{colour}\"{dashes}")
}

/// A curve's frame: its scale runs from 0 to `most`.
struct Panel {
    top: f64,
    height: f64,
    most: f64,
}

impl Panel {
    fn bottom(&self) -> f64 {
        self.top + self.height
    }

    fn y(&self, value: f64) -> f64 {
        self.bottom() - value / self.most * self.height
    }

    /// Bands where a server is down, lines at round numbers, their labels, and the name above.
    fn frame(&self, view: &View, what: &str) -> String {
        let (top, bottom, right) = (self.top, self.bottom(), WIDTH - RIGHT);
        let mut text = letters(LEFT, top - 8.0, 13, "start", what);
        for (begin, end) in &view.downs {
            let (begin, end) = (x(view, *begin).max(LEFT), x(view, *end).min(right));
            if end > begin {
                text += &format!(
                    "<rect x=\"{begin:.1}\" y=\"{top:.1}\" width=\"{:.1}\" height=\"{:.1}\" \
                     fill=\"{GREY}\" fill-opacity=\".18\"/>\n",
                    end - begin,
                    self.height
                );
            }
        }
        for value in round(self.most, self.height) {
            let y = self.y(value);
            let strength = if value > 0.0 { ".3" } else { "1" };
            text += &format!(
                "<path d=\"M{LEFT} {y:.1}H{right}\" stroke=\"{GREY}\" stroke-opacity=\"{strength}\"/>\n"
            );
            let label = Short(rounded(value)).to_string();
            text += &letters(LEFT - 7.0, y + 4.0, 12, "end", &label);
        }
        for at in view.ticks() {
            let x = x(view, at + view.returned);
            text += &format!("<path d=\"M{x:.1} {bottom:.1}v4\" stroke=\"{GREY}\"/>\n");
        }
        text
    }

    fn curve(&self, values: &[f64], place: usize) -> String {
        let step = (WIDTH - LEFT - RIGHT) / number(values.len().max(1) as u64);
        let mut path = String::new();
        let points = values.iter().enumerate().filter(|(n, value)| {
            // Of a level stretch its ends are enough.
            let beside = |n: usize| values.get(n).is_some_and(|other| other == *value);
            *n == 0 || !(beside(n - 1) && beside(n + 1))
        });
        for (n, value) in points {
            let x = LEFT + (number(n as u64) + 0.5) * step;
            let letter = if path.is_empty() { 'M' } else { 'L' };
            path += &format!("{letter}{x:.1} {:.1}", self.y(*value));
        }
        format!(
            "<path d=\"{path}\" {} stroke-width=\"1.75\" stroke-linejoin=\"round\" \
             clip-path=\"{}\"/>\n",
            stroke(place),
            if self.height == ARRIVALS { "url(#above)" } else { "none" },
        )
    }
}

/// Round numbers from 0 on, as many as can be read.
fn round(most: f64, height: f64) -> Vec<f64> {
    let wanted = most / (height / 40.0);
    let power = 10_f64.powf(wanted.log10().floor()).max(1.0);
    let step = [1.0, 2.0, 5.0, 10.0].into_iter().map(|n| n * power).find(|step| *step >= wanted);
    let step = step.unwrap_or(most).max(1.0);
    (0..32).map(|n| f64::from(n) * step).take_while(|value| *value <= most * 1.001).collect()
}

fn x(view: &View, at: f64) -> f64 {
    LEFT + view.place(at) * (WIDTH - LEFT - RIGHT)
}

fn letters(x: f64, y: f64, size: u32, anchor: &str, text: &str) -> String {
    format!(
        "<text x=\"{x:.1}\" y=\"{y:.1}\" font-size=\"{size}\" text-anchor=\"{anchor}\" fill=\"{GREY}\">{}</text>\n",
        escaped(text)
    )
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

fn rounded(number: f64) -> u64 {
    whole(number.round()) as u64
}
