//! The part of a run that is drawn, and its curves cut to it.
//!
//! Times in pictures count from the last server's return, as those in the table do. The terminal's
//! chart and the SVG are drawn from this. Start at [`View::of`].

use std::time::Duration;

use redial_sim::{Course, Report, Scenario};

const SECOND: f64 = 1.0;

/// So many seconds are drawn after the return in any case, and twice as many before it.
const LEAST: f64 = 3.0;

/// As finely as a run is reported.
const BINS: usize = 1_200;

/// From when to when, and how high. All in seconds and attempts per second.
pub(super) struct View {
    /// When the last server is back, from the beginning of the run.
    pub(super) returned: f64,
    /// Beginning and end, from the beginning of the run.
    pub(super) from: f64,
    pub(super) to: f64,
    /// The most attempts in a second at servers that are up, of all policies: the height of the
    /// scale. What a server that is down is asked may be beyond.
    pub(super) most: f64,
    pub(super) clients: f64,
    /// When some server is down.
    pub(super) downs: Vec<(f64, f64)>,
}

impl View {
    /// The time around the return in which something changes.
    ///
    /// A run in which somebody never recovers goes on much as it is: it is drawn for twice the time
    /// that the slowest of the others takes. Of a long outage the end is drawn.
    pub(super) fn of(scenario: &Scenario, reports: &[Report]) -> Self {
        let seconds = |times: &mut dyn Iterator<Item = Duration>| {
            times.map(|time| time.as_secs_f64()).fold(0.0, f64::max)
        };
        let returned = seconds(&mut reports.iter().map(|report| report.returned_at));
        let began = seconds(&mut reports.iter().map(|report| report.outage_at));
        let ended = seconds(&mut reports.iter().map(|report| report.ended_at));
        let back = |report: &Report| report.back_100.or(report.back_99);
        let slowest = seconds(&mut reports.iter().filter_map(back));
        let all = reports.iter().all(|report| report.recovers);
        let after = match (slowest > 0.0, all) {
            (true, true) => slowest * 1.2,
            (true, false) => slowest * 2.0,
            (false, true) => (returned - began) / 2.0,
            (false, false) => ended - returned,
        };
        // Whose run ended earlier stays as it was.
        let ended = if all { f64::INFINITY } else { ended.max(returned + LEAST) };
        let to = (returned + after.max(LEAST)).min(ended);
        let before = (began - 5.0).max(0.0);
        let from = match scenario.outage.course {
            Course::Clean if slowest > 0.0 => (returned - after.max(2.0 * LEAST)).max(before),
            _ => before,
        };
        let most = reports.iter().map(|report| report.peak_second).max().unwrap_or(0);
        let clients = reports.iter().map(|report| report.clients).max().unwrap_or(0);
        let mut view = Self {
            returned,
            from,
            to,
            most: number(most.max(1)),
            clients: number(clients.max(1)),
            downs: downs(scenario),
        };
        // A little more than that fits, and all of it where nothing else is to be seen.
        let fits = |beyond: &f64| most == 0 || *beyond < number(most) * 1.5;
        if let Some(beyond) = view.beyond(reports).filter(fits) {
            view.most = beyond;
        }
        view
    }

    /// The most attempts in a second that are drawn, if the scale does not go so far.
    pub(super) fn beyond(&self, reports: &[Report]) -> Option<f64> {
        let rates = reports.iter().flat_map(|report| self.arrivals(report, BINS));
        let most = rates.fold(0.0, f64::max);
        (most > self.most * 1.005).then_some(most)
    }

    /// Attempts per second in each of so many steps: of several seconds in a step, the one with
    /// the most.
    pub(super) fn arrivals(&self, report: &Report, steps: usize) -> Vec<f64> {
        let series = &report.series;
        let bin = series.bin.as_secs_f64();
        // Rates are those of whole seconds: a tenth of one with many is not ten times as many.
        let per = whole((SECOND / bin).round()).max(1);
        let width = number(per as u64) * bin;
        let rates: Vec<f64> = series
            .arrivals
            .chunks(per)
            .map(|bins| bins.iter().map(|count| f64::from(*count)).sum::<f64>() / width)
            .collect();
        let most = |(begin, end): (f64, f64)| {
            let (first, last) = (whole(begin / width), whole((end / width - 1e-9).max(0.0)));
            let rates = rates.iter().skip(first).take(last.saturating_sub(first) + 1);
            rates.copied().fold(0.0, f64::max)
        };
        self.steps(steps).map(most).collect()
    }

    /// Clients connected at the end of each of so many steps.
    pub(super) fn connected(&self, report: &Report, steps: usize) -> Vec<f64> {
        let series = &report.series;
        let bin = series.bin.as_secs_f64();
        let at = |(_, end): (f64, f64)| {
            let place = whole((end / bin - 1e-9).max(0.0));
            let count = series.connected.get(place).or(series.connected.last());
            f64::from(count.copied().unwrap_or(0))
        };
        self.steps(steps).map(at).collect()
    }

    /// Where a time stands, from 0 at the beginning to 1 at the end; beyond them it may be.
    pub(super) fn place(&self, at: f64) -> f64 {
        (at - self.from) / (self.to - self.from)
    }

    /// Round times to be written below, from the return: some six of them.
    pub(super) fn ticks(&self) -> impl Iterator<Item = f64> {
        const STEPS: [f64; 21] = [
            0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 900.0,
            1800.0, 3600.0, 7200.0, 21600.0, 43200.0, 86400.0, 604_800.0,
        ];
        let (from, to) = (self.from - self.returned, self.to - self.returned);
        let step = STEPS.into_iter().find(|step| (to - from) / step <= 7.0).unwrap_or(2_592_000.0);
        let first = (from / step).ceil();
        (0..64).map(move |n| (first + f64::from(n)) * step).take_while(move |at| *at <= to)
    }

    fn steps(&self, steps: usize) -> impl Iterator<Item = (f64, f64)> {
        let width = (self.to - self.from) / number(steps.max(1) as u64);
        let from = self.from;
        (0..steps as u64).map(move |n| (from + number(n) * width, from + number(n + 1) * width))
    }
}

/// A time from the return, as it is written below: `-30s`, `0`, `1m30s`.
pub(super) fn written(at: f64) -> String {
    if at.abs() < 0.05 {
        return "0".into();
    }
    let sign = if at < 0.0 { "-" } else { "" };
    let tenths = Duration::from_millis(100)
        * u32::try_from(whole((at.abs() * 10.0).round())).unwrap_or(u32::MAX);
    format!("{sign}{}", redial::Human(tenths))
}

/// When some server is down.
fn downs(scenario: &Scenario) -> Vec<(f64, f64)> {
    let outage = &scenario.outage;
    let (after, lasts) = (outage.after.as_secs_f64(), outage.lasts.as_secs_f64());
    let turn = |every: f64, times: usize| {
        (0..times as u64).map(move |n| {
            let begin = after + every * number(n);
            (begin, begin + lasts)
        })
    };
    match outage.course {
        Course::Clean => turn(0.0, 1).collect(),
        Course::Flapping { times, up } => turn(lasts + up.as_secs_f64(), times as usize).collect(),
        Course::Rolling { every } => turn(every.as_secs_f64(), scenario.servers.len()).collect(),
    }
}

/// For drawing.
#[allow(clippy::cast_precision_loss)]
pub(super) fn number(count: u64) -> f64 {
    count as f64
}

/// Of what is drawn, 0 or more and small.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
pub(super) fn whole(number: f64) -> usize {
    number as usize
}
