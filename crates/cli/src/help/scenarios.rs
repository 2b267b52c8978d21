//! `redial help scenarios`, any scenario or other tool by name, and `docs/scenarios.md`: what can
//! be rehearsed.
//!
//! The scenarios and the tools are printed from the simulator's own tables; the keys of a file are
//! listed here, and a test holds them against what it reads. Start at [`text`].

use redial_sim::{PRESETS, Peer, Scenario};

use super::{tables::row, wrapped};

/// `redial help scenarios`.
pub(super) fn text() -> String {
    let mut text = format!("SCENARIOS\n\n{}\n\n", wrapped(INTRODUCTION, 0));
    for preset in &PRESETS {
        let Some((about, sources)) = told(preset.text) else { continue };
        text += &row(preset.name, &about, 11);
        for source in sources {
            text += &format!("              {source}\n");
        }
    }
    text += &format!("\n{}\n\n", wrapped(FILE, 0));
    for (table, about, keys) in TABLES {
        text += &format!("{}\n", heading(table, about));
        for (key, usual, meaning) in keys {
            text += &row(&format!("{key} = {usual}"), meaning, 25);
        }
    }
    text += &format!("\nOTHER TOOLS\n\n{}\n\n", wrapped(TOOLS, 0));
    for peer in &Peer::ALL {
        text += &row(peer.name, peer.about, 16);
        text += &format!("                   {}\n", peer.source);
    }
    text
}

/// `redial help herd`: the file; `redial help grpc`: what the tool does.
pub(super) fn about(word: &str) -> Option<String> {
    if let Some(preset) = PRESETS.iter().find(|preset| preset.name == word) {
        return Some(preset.text.to_owned());
    }
    let peer = Peer::named(word)?;
    Some(format!(
        "{}\n\n{}.\n{}\n\n  redial rehearse {0} stay --scenario herd\n",
        peer.name, peer.about, peer.source
    ))
}

/// `docs/scenarios.md`, without the line that says where it comes from.
#[cfg(test)]
pub(super) fn page() -> String {
    let mut page = format!(
        "# Scenarios\n\n{INTRODUCTION}\n\n| name | what happens | drawn from |\n|---|---|---|\n"
    );
    for preset in &PRESETS {
        let (about, sources) = told(preset.text).unwrap_or_default();
        page += &format!("| `{}` | {about} | {} |\n", preset.name, linked(&sources));
    }
    page += &format!("\n## A file\n\n{FILE}\n\n```toml\n{}```\n", PRESETS[5].text);
    for (table, about, keys) in TABLES {
        let heading = heading(table, about);
        page += &format!("\n{heading}:\n\n| key, and its default | meaning |\n|---|---|\n");
        for (key, usual, meaning) in keys {
            page += &format!("| `{key} = {usual}` | {meaning} |\n");
        }
    }
    page += &format!("\n## Other tools\n\n{TOOLS}\n\n| name | what it does |\n|---|---|\n");
    for peer in &Peer::ALL {
        page += &format!("| [`{}`]({}) | {} |\n", peer.name, peer.source, peer.about);
    }
    page
}

fn heading(table: &str, about: &str) -> String {
    match table {
        "" => format!("Above all tables, {about}"),
        _ => format!("[{table}], {about}"),
    }
}

/// What happens in a shipped scenario, and what it is drawn from.
fn told(text: &str) -> Option<(String, Vec<String>)> {
    let scenario = Scenario::parse(text).ok()?;
    let sources = scenario.source.split(", ").map(ToOwned::to_owned).collect();
    Some((scenario.about, sources))
}

#[cfg(test)]
fn linked(sources: &[String]) -> String {
    let links = sources.iter().enumerate();
    links.map(|(n, url)| format!("[{}]({url})", n + 1)).collect::<Vec<_>>().join(", ")
}

const INTRODUCTION: &str = "\
What `redial rehearse --scenario NAME` plays, each drawn from incidents that are public. \
`redial help herd > mine.toml` saves one, to be changed; --clients, --outage, --accepts and \
others change it on the command line.";

const FILE: &str = "\
A scenario file is TOML, of which every key may be left out. Quantities are written as people do: \
\"100k\", \"2000/s\", \"30s\". Several servers that differ are several tables [[server]].";

const TOOLS: &str = "\
Their names stand for what they do between attempts, written from their documentation. Limits of \
time are redial's own, so that only the delays differ.";

type Key = (&'static str, &'static str, &'static str);

/// The tables of a file, what each is about, and its keys with their defaults.
const TABLES: [(&str, &str, &[Key]); 4] = [
    (
        "",
        "the clients and the run",
        &[
            ("about", "\"\"", "one sentence, for reading"),
            ("source", "\"\"", "where it is drawn from"),
            ("clients", "\"100k\"", "how many; 10M are the most"),
            (
                "start",
                "\"connected\"",
                "or \"new\": they dial for the first time when the outage begins; by default as the verb of the policy",
            ),
            ("order", "\"same\"", "all begin at the first server; or \"rotated\", each at another"),
            ("look-on", "\"5m\"", "how long is looked on after the last server is back"),
            ("run", "\"1h\"", "how long the whole run may be; no limit by default"),
            ("seed", "1", "the number all chance is drawn from"),
        ],
    ),
    (
        "network",
        "the way between clients and servers",
        &[
            ("delay", "\"1ms\"", "one direction: a time, or \"5ms..80ms\""),
            ("shape", "\"even\"", "all delays equally likely; or \"tail\": most short, a few long"),
        ],
    ),
    (
        "server",
        "what one can do",
        &[
            ("count", "1", "how many there are of it"),
            ("accepts", "\"2000/s\"", "how many connections it takes off the backlog, at most"),
            ("backlog", "4096", "how many wait to be taken"),
            ("full", "\"ignore\"", "what becomes of one too many; or \"refuse\""),
            (
                "handshake",
                "\"0s\"",
                "what one costs, in time of one core; clients wait for its end",
            ),
            ("cores", "1", "how many share the work"),
            ("returning", "\"0s\"", "the work a client brings along when it returns"),
            ("load", "\"0s\"", "the work a connected client causes per second"),
            (
                "connections",
                "\"32k\"",
                "how many it holds, closing those beyond; no limit by default",
            ),
            ("down", "\"refuse\"", "what it does while it is down; or \"ignore\", \"close\""),
        ],
    ),
    (
        "outage",
        "what happens to the servers",
        &[
            ("after", "\"10s\"", "how long all is well before"),
            ("lasts", "\"30s\"", "how long a server is down each time"),
            (
                "course",
                "\"clean\"",
                "down together, and back; or \"flapping\", so many `times`; or \"rolling\", one after another",
            ),
            ("times", "5", "flapping: how often"),
            ("up", "\"5s\"", "flapping: how long between"),
            ("every", "\"1m\"", "rolling: how long after the one before"),
            (
                "recovery",
                "\"0s\"",
                "how long until it is itself again; at its return it is a tenth as fast",
            ),
            ("notice", "\"0s\"", "clients notice the outage within so long"),
        ],
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    /// Every key is read with the default that is printed, and none is missing: what is unknown is
    /// refused with a list of those that are known.
    #[test]
    fn the_keys_are_those_of_the_file() {
        for (table, _, keys) in TABLES {
            for (key, usual, _) in keys {
                let course = match *key {
                    "times" | "up" => "course = \"flapping\"\n",
                    "every" => "course = \"rolling\"\n",
                    _ => "",
                };
                let table = if table.is_empty() { String::new() } else { format!("[{table}]\n") };
                let file = format!("{table}{course}{key} = {usual}\n");
                let scenario = Scenario::parse(&file).unwrap();
                let without = Scenario::parse(&format!("{table}{course}")).unwrap();
                let is_set = matches!(*key, "start" | "run" | "connections");
                assert_eq!(scenario == without, !is_set, "{file}");
            }
            let wrong = format!(
                "{}\nzzzzzzzzzz = 1\n",
                if table.is_empty() { String::new() } else { format!("[{table}]") }
            );
            let mistake = Scenario::parse(&wrong).unwrap_err().to_string();
            let known = mistake.split("there are ").nth(1).unwrap().split(", ");
            let listed: Vec<&str> = keys.iter().map(|(key, ..)| *key).collect();
            for key in known.filter(|key| !matches!(*key, "network" | "server" | "outage")) {
                assert!(listed.contains(&key), "{key}");
            }
        }
    }

    #[test]
    fn every_scenario_and_tool_has_its_page() {
        let text = text();
        let names = PRESETS.iter().map(|preset| preset.name);
        for name in names.chain(Peer::ALL.iter().map(|peer| peer.name)) {
            assert!(text.contains(name), "{name}");
            assert!(about(name).is_some(), "{name}");
        }
    }
}
