//! What a bench found, as a table to read.
//!
//! Start at [`Report`]; printing it gives Markdown.

use std::{fmt, fs, path::Path, process::Command};

use crate::measure::{Measure, Middle};

/// The answer of one bench.
pub(crate) struct Report {
    pub(crate) title: String,
    /// How it was measured, in one sentence.
    pub(crate) how: String,
    pub(crate) measures: Vec<Measure>,
    /// What is no figure: a checksum that was the same, a tool that is missing.
    pub(crate) notes: Vec<String>,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "## {}\n\n{}\n", self.title, self.how)?;
        writeln!(
            f,
            "| | program | median (half of the runs) | redial / it (half of the rounds) |"
        )?;
        writeln!(f, "|---|---|---:|---:|")?;
        for measure in &self.measures {
            for (place, (name, values)) in measure.programs.iter().enumerate() {
                let what = if place == 0 {
                    format!("**{}**, {} is better", measure.what, measure.better)
                } else {
                    String::new()
                };
                let Middle { median, low, high } = Middle::of(values);
                write!(
                    f,
                    "| {what} | {name} | {median:.2} {} ({low:.2}–{high:.2}) |",
                    measure.unit
                )?;
                if place == 0 {
                    writeln!(f, " |")?;
                } else {
                    let Middle { median, low, high } = measure.ratio(place);
                    writeln!(f, " **{median:.2}** ({low:.2}–{high:.2}) |")?;
                }
            }
        }
        if !self.notes.is_empty() {
            writeln!(f)?;
        }
        self.notes.iter().try_for_each(|note| writeln!(f, "- {note}"))
    }
}

/// What the figures depend on.
pub(crate) fn circumstances(redial: &Path) -> String {
    let processor = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = processor.lines().find_map(|line| line.strip_prefix("model name\t: "));
    let count = std::thread::available_parallelism().map_or(1, usize::from);
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let build = redial.parent().and_then(Path::file_name).unwrap_or_default();
    format!(
        "{count} × {}, Linux {}. redial: the `{}` build; nc: {}; socat: {}.\n\
         Programs take turns in one run, after a warm-up; servers are threads on loopback. The \
         figures of one machine are worth little: read the ratios.",
        model.unwrap_or("processor"),
        kernel.trim().splitn(3, '.').take(2).collect::<Vec<_>>().join("."),
        build.display(),
        version("netcat-openbsd"),
        version("socat"),
    )
}

pub(crate) fn version(package: &str) -> String {
    let asked = Command::new("dpkg-query").args(["-W", "-f", "${Version}", package]).output();
    let version = asked.ok().filter(|answer| answer.status.success());
    version.map_or("unknown version".into(), |answer| {
        String::from_utf8_lossy(&answer.stdout).into_owned()
    })
}
