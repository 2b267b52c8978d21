//! What a rehearsal came to, as text and as JSON.
//!
//! Views of what the simulator reported; it finds nothing out. The JSON is described by
//! `docs/rehearse.schema.json`. Start at [`Report`].

use serde_json::{Value, json};

use super::{
    chart,
    limits::Limits,
    scene::Scene,
    table::table,
    view::{View, number},
};
use crate::{help::wrapped, terminal::Style};

/// The shape of the JSON; a change that breaks readers changes it.
const VERSION: u32 = 1;

/// What happened, and what came of each policy.
pub(super) struct Report {
    pub(super) scene: Scene,
    pub(super) limits: Limits,
    pub(super) reports: Vec<redial_sim::Report>,
}

impl Report {
    /// All of it: what happens, the table, the chart, the verdicts.
    pub(super) fn text(&self, style: Style) -> String {
        let scenario = &self.scene.scenario;
        let mut text = String::new();
        for line in [self.scene.title(), self.scene.sentence()] {
            if !line.is_empty() {
                text += &wrapped(&line, 2);
                text += "\n";
            }
        }
        format!(
            "{text}\n{}\n{}\n{}",
            table(&self.reports),
            chart::draw(&View::of(scenario, &self.reports), &self.reports, style),
            self.verdicts()
        )
    }

    /// A sentence for each policy.
    pub(super) fn verdicts(&self) -> String {
        let sentence = |report: &redial_sim::Report| {
            wrapped(&format!("{}: {}", report.policy, report.verdict), 2) + "\n"
        };
        self.reports.iter().map(sentence).collect()
    }

    /// What all servers take per second when everyone asks.
    pub(super) fn takes(&self) -> f64 {
        self.reports.first().map_or(0.0, |report| number(report.takes))
    }

    /// A sentence for each limit that a policy missed.
    pub(super) fn missed(&self) -> Vec<String> {
        self.reports.iter().flat_map(|report| self.limits.missed(report)).collect()
    }

    /// All of it for programs.
    pub(super) fn json(&self) -> Value {
        let Scene { name, scenario } = &self.scene;
        let peaks: Vec<String> = self.limits.peaks.iter().map(ToString::to_string).collect();
        let policy = |report: &redial_sim::Report| {
            let mut policy = json!(report);
            policy["attempts_per_client"] = json!(report.attempts_per_client());
            policy["missed"] = json!(self.limits.missed(report));
            policy
        };
        json!({
            "version": VERSION,
            "scenario": {
                "name": name,
                "about": scenario.about,
                "sentence": self.scene.sentence(),
                "clients": scenario.clients,
                "servers": scenario.servers.len(),
                "seed": scenario.seed,
            },
            "limits": {
                "max_peak": peaks,
                "recover_within": self.limits.within.map(|within| within.as_secs_f64()),
            },
            "policies": self.reports.iter().map(policy).collect::<Vec<_>>(),
        })
    }
}
