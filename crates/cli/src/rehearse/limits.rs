//! What a policy must keep to, and whether it did.
//!
//! It compares numbers that a rehearsal reported. Start at [`Limits::missed`].

use std::time::Duration;

use clap::Args;
use redial::{Human, Rate, Rounded};
use redial_sim::Report;

use super::{figures::Grouped, scene::rate};
use crate::flags::time_or_none;

#[derive(Args, Debug, Default)]
pub(crate) struct LimitFlags {
    /// Fail if more attempts than these reach servers that are up: `3000/s`, `400/100ms`
    /// (repeatable)
    #[arg(long, value_name = "RATE", value_parser = peak, allow_negative_numbers = true, help_heading = "Limits of the rehearsal")]
    max_peak: Vec<Rate>,

    /// Fail unless 99% of the clients are back so soon after the last server is
    #[arg(long, value_name = "TIME", value_parser = within, allow_negative_numbers = true, help_heading = "Limits of the rehearsal")]
    recover_within: Option<Duration>,
}

/// The limits that were given.
#[derive(Clone, Debug, Default)]
pub(super) struct Limits {
    pub(super) peaks: Vec<Rate>,
    pub(super) within: Option<Duration>,
}

const SECOND: Duration = Duration::from_secs(1);
const TENTH: Duration = Duration::from_millis(100);

impl LimitFlags {
    pub(super) fn limits(&self) -> Limits {
        Limits { peaks: self.max_peak.clone(), within: self.recover_within }
    }
}

impl Limits {
    /// A sentence for each limit that was missed. Whoever gives a limit wants a recovery: with any
    /// of them, not to recover is to miss.
    pub(super) fn missed(&self, report: &Report) -> Vec<String> {
        let Report { policy, .. } = report;
        let mut missed = Vec::new();
        for limit in &self.peaks {
            let peak = if limit.per == TENTH { report.peak_tenth } else { report.peak_second };
            if peak > limit.count {
                let (peak, per) = (Grouped(peak), Human(limit.per));
                missed.push(format!(
                    "{policy} misses --max-peak {limit}: {peak} attempts within {per}"
                ));
            }
        }
        match (self.within, report.back_99) {
            (Some(within), Some(back)) if back > within => {
                let (within, back) = (Human(within), Rounded(back));
                missed.push(format!(
                    "{policy} misses --recover-within {within}: 99% are back after {back}"
                ));
            }
            (Some(_), Some(_)) if report.recovers => {}
            (Some(within), _) => {
                let within = Human(within);
                missed.push(format!(
                    "{policy} misses --recover-within {within}: it does not recover"
                ));
            }
            (None, _) if !self.peaks.is_empty() && !report.recovers => {
                missed.push(format!(
                    "{policy} does not recover: a peak kept by staying away is no peak kept"
                ));
            }
            (None, _) => {}
        }
        missed
    }
}

fn within(text: &str) -> Result<Duration, String> {
    match time_or_none(text)? {
        Duration::ZERO => {
            Err("nobody is back at once; write how long it may take, as in 60s".into())
        }
        time => Ok(time),
    }
}

/// A peak is counted within a second and within a tenth of one.
fn peak(text: &str) -> Result<Rate, String> {
    let read = rate(text)?;
    if read.per == SECOND || read.per == TENTH {
        return Ok(read);
    }
    Err(format!("peaks are counted in 1s and in 100ms; write {}/s or {0}/100ms", read.count))
}
