//! The practice servers explained: one set of tables for the terminal and for `docs/lab.md`.
//!
//! Names, acts and protocols are printed from the lab's own tables; a test reads every script in
//! the prose. Start at [`text`].

use redial_lab::{ACTS, NAMES, PROTOCOLS};

use super::{tables::row, wrapped};

/// `redial help lab`.
pub(super) fn text() -> String {
    let mut text = wrapped(INTRODUCTION, 0) + "\n\n";
    for name in NAMES {
        text += &row(&format!("lab:{}", name.name()), name.about(), 19);
    }
    text += "\n";
    text += &(wrapped(SERVE, 0) + "\n\n");
    text += "SCRIPTS\n\n";
    text += &(wrapped(SCRIPTS, 0) + "\n\n");
    for (script, meaning) in EXAMPLES {
        text += &row(script, meaning, 32);
    }
    text += "\n";
    for line in GRAMMAR {
        text += &format!("  {line}\n");
    }
    text += "\n";
    for (what, meaning) in PARTS {
        text += &row(what, meaning, 16);
    }
    text += "\n";
    for (word, meaning) in OUTAGES {
        text += &row(word, meaning, 32);
    }
    for act in ACTS {
        text += &row(&written(act), act.about(), 32);
    }
    text += "\nTLS\n\n";
    text += &(wrapped(TLS, 0) + "\n\n");
    text += "PROTOCOLS\n\n";
    text += &(wrapped(TRANSCRIPTS, 0) + "\n\n");
    for protocol in PROTOCOLS {
        text += &row(protocol.name(), &about_both(protocol), 10);
    }
    text + "\nTry: redial connect lab:late --retry 10\n"
}

/// `docs/lab.md`, without the line that says where it comes from.
#[cfg(test)]
pub(super) fn page() -> String {
    let escaped = |text: &str| text.replace('|', "\\|");
    let mut page = format!("# The lab\n\n{INTRODUCTION}\n\n| name | what it does |\n|---|---|\n");
    for name in NAMES {
        page += &format!("| `lab:{}` | {} |\n", name.name(), name.about());
    }
    page += &format!("\n{SERVE} {SEE_ALSO}\n");
    page += &format!("\n## Scripts\n\n{SCRIPTS}\n\n| script | what happens |\n|---|---|\n");
    for (script, meaning) in EXAMPLES {
        page += &format!("| `{script}` | {meaning} |\n");
    }
    page += &format!("\n```text\n{}\n```\n\n", GRAMMAR.join("\n"));
    for (what, meaning) in PARTS {
        page += &format!("- {what}: {meaning}.\n");
    }
    page += "\n| instead of a connection | |\n|---|---|\n";
    for (word, meaning) in OUTAGES {
        page += &format!("| `{word}` | {meaning} |\n");
    }
    page += "\n| act | what it does |\n|---|---|\n";
    for act in ACTS {
        page += &format!("| `{}` | {} |\n", escaped(&written(act)), act.about());
    }
    page += &format!("\n## TLS\n\n{TLS}\n\n## Protocols\n\n{TRANSCRIPTS}\n");
    page += "\n| protocol | ready | not now |\n|---|---|---|\n";
    for protocol in PROTOCOLS {
        page +=
            &format!("| `{}` | {} | {} |\n", protocol.name(), protocol.about(), protocol.not_now());
    }
    page
}

fn written(act: &redial_lab::Act) -> String {
    format!("{} {}", act.word(), act.arguments()).trim_end().to_owned()
}

fn about_both(protocol: &redial_lab::Protocol) -> String {
    format!("{}; not now: {}", protocol.about(), protocol.not_now())
}

const INTRODUCTION: &str = "\
Practice servers: each misbehaves in its own way, inside redial's own process, on \
a free port of this machine. A name stands wherever a server does. Every use says \
so on standard error, with -q too. REDIAL_NO_LAB=1 forbids them.";

const SERVE: &str = "\
`redial serve` starts one for other programs: its address is the first line of \
standard output. It says its sentence, or what --say, --echo, --sink or --as says \
instead; that is `ok`. --script says who gets what.";

#[cfg(test)]
const SEE_ALSO: &str = "\
How to test a client of yours with it is in the [cookbook](cookbook.md), what each \
line of its log says in the [schema](serve.schema.json), and how it compares with \
what others have in [the lab and others](lab-and-others.md).";

const SCRIPTS: &str = "\
A script is a list: each entry holds for one connection, or for so many; the last \
entry repeats, or with `loop` the whole list does. What is drawn is drawn from a \
seed and the number of the connection, so the faults are the same at every start.";

/// Scripts, and what they do.
const EXAMPLES: [(&str, &str); 7] = [
    ("reset 2, stall, ok", "two resets, one stall, and well from then on"),
    ("ok 5, reset, loop", "every sixth is reset"),
    ("30% reset seed 7", "three of ten are reset, always the same ones"),
    ("refuse 2s, then close 3, then ok", "not there for 2 s, three closed, then well"),
    ("reset-after 100B out, ok", "cut off after 100 bytes of the answer, then well"),
    ("ok every 50ms", "20 are accepted a second, no more"),
    ("delay 2s ok 3, tls-expired, ok", "three are late, the fourth certificate expired"),
];

const GRAMMAR: [&str; 4] = [
    "script = entry {\",\" entry} [\",\" \"loop\"]",
    "entry  = [\"then\"] ( outage [TIME] | [PERCENT] act [\"else\" act] [COUNT]",
    "                                    [\"every\" TIME] [\"seed\" N] )",
    "outage = \"refuse\" | \"blackhole\"",
];

const PARTS: [(&str, &str); 6] = [
    ("COUNT", "connections, a bare number; one if it is left out"),
    ("TIME", "200ms, 1.5s, 2m30s: always with a unit"),
    ("SIZE", "100B, 4KiB, 1MB: always with a unit"),
    ("PERCENT", "30%, 0.5%: for the others `ok`, or what `else` says"),
    ("TEXT", "in \"double\" or 'single' quotes; left out, it is what `ok` says"),
    ("every TIME", "accept no faster than one connection each so often"),
];

const OUTAGES: [(&str, &str); 2] = [
    ("refuse [TIME]", "nobody listens: refused; the port stays taken"),
    ("blackhole [TIME]", "connection requests are ignored, as a firewall may"),
];

const TLS: &str = "\
`serve --tls` puts TLS in front of `ok`, `serve --tls expired` does so badly, as the \
act `tls-expired` does; every act of that kind will do. The other acts of a script \
stay as they are: `reset` resets before any handshake, and `tls reset` inside TLS. \
The certificates are made at each start; --ca-out FILE writes the authority for a \
client to trust, --client-out FILE what `tls-client` wants of it, and --cert with \
--key shows one of your own.";

const TRANSCRIPTS: &str = "\
`serve --as redis` answers a probe, and not much more: whatever a client asks first \
to find out whether the server is ready. `serve --as redis:not-now` says in the \
protocol's own words that it is not.";

#[cfg(test)]
mod tests {
    use super::*;
    use redial_lab::{Behaviour, Script};

    #[test]
    fn every_script_is_read() {
        for (script, _) in EXAMPLES {
            Script::parse(script, &Behaviour::Echo).unwrap();
        }
    }

    /// The lab's own tables have a word for every act, and the text has them all.
    #[test]
    fn every_name_act_and_protocol_is_there() {
        let (text, page) = (text(), page());
        let names = NAMES.iter().map(|name| format!("lab:{}", name.name()));
        let acts = ACTS.iter().map(written);
        for word in names.chain(acts).chain(PROTOCOLS.iter().map(|one| one.name().to_owned())) {
            assert!(text.contains(&word), "{word}");
            assert!(page.contains(&word.replace('|', "\\|")), "{word}");
        }
    }
}
