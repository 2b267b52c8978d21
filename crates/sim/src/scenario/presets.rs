//! The scenarios that ship, each a file in `scenarios/`.
//!
//! Names and texts only; [`super::Scenario::parse`] reads them. Start at [`PRESETS`].

/// A scenario that ships.
#[derive(Clone, Copy, Debug)]
pub struct Preset {
    /// As it is named on a command line.
    pub name: &'static str,
    /// The file.
    pub text: &'static str,
}

/// All of them.
pub const PRESETS: [Preset; 6] = [
    Preset { name: "herd", text: include_str!("../../scenarios/herd.toml") },
    Preset { name: "fleet", text: include_str!("../../scenarios/fleet.toml") },
    Preset { name: "storm", text: include_str!("../../scenarios/storm.toml") },
    Preset { name: "proxy", text: include_str!("../../scenarios/proxy.toml") },
    Preset { name: "rolling", text: include_str!("../../scenarios/rolling.toml") },
    Preset { name: "metastable", text: include_str!("../../scenarios/metastable.toml") },
];
