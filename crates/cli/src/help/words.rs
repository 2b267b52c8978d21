//! One page for each step, guard and ending of the clause language, and `docs/steps.md`.
//!
//! A test reads every example, and holds the pages against the steps that the parser knows. Start
//! at [`about`].

use super::wrapped;

/// A word of the clause language.
struct Word {
    /// Its names; the first is the heading.
    names: &'static [&'static str],
    /// How it is written.
    form: &'static str,
    about: &'static str,
    /// A clause that has it, or the text of its flag.
    example: &'static str,
    see: &'static str,
}

/// `redial help retry`: one of them.
pub(super) fn about(name: &str) -> Option<String> {
    let word = WORDS.iter().find(|word| word.names.contains(&name))?;
    let mut text = format!("{}\n\n", word.form);
    text += &format!("{}\n\n  {}\n", wrapped(word.about, 0), word.example);
    text += &format!("\nSee: {}\n", word.see);
    Some(text)
}

/// Every name, for suggestions.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    WORDS.iter().flat_map(|word| word.names.iter().copied())
}

/// `docs/steps.md`, without the line that says where it comes from.
#[cfg(test)]
pub(super) fn page() -> String {
    let mut page = String::from(
        "# Steps, guards and endings\n\nEach is explained in the terminal too: `redial help retry`. \
         The whole language is on the page of [clauses](clauses.md).\n",
    );
    for word in &WORDS {
        page += &format!("\n## {}\n\n`{}`\n\n{}\n", word.names[0], word.form, word.about);
        page += &format!("\n```text\n{}\n```\n", word.example);
    }
    page
}

const WORDS: [Word; 15] = [
    Word {
        names: &["retry"],
        form: "retry N [times] | forever [for TIME] [every PAUSE]",
        about: "Tries the same server again, N more times: `retry 10` makes at most 11 attempts. \
                `retry forever` does not stop, so no step after it runs. Without `every`, pauses \
                are 250ms..30s. Once N is used up, the clause goes on with its next step. With \
                `for 2m` it goes on too where an attempt would begin more than 2 minutes after the \
                failure at which the step was first taken; one under way is not cut off. In \
                `connect` nothing is tried again once data has moved. As a flag: --retry 10.",
        example: "refused: retry 10 every 250ms..30s, next",
        see: "redial help every, redial help fresh",
    },
    Word {
        names: &["every", "jitter", "pauses"],
        form: "every TIME | every TIME..TIME [xFACTOR] [jitter full | equal | none]",
        about: "Sets the pauses of a `retry`. `every 5s` is exactly 5 s: clients that fail \
                together then come back together. `every 250ms..30s` doubles from the first to \
                the second time, and each pause is drawn between half of that and all of it \
                (`jitter equal`); `jitter full` draws from 0, `jitter none` does not draw. `x1.5` \
                grows by that factor instead of 2, and needs a range. `1s-30s` and `1s to 30s` are \
                `1s..30s`. To see every pause: redial check.",
        example: "transient: retry 20 every 100ms..10s x1.5 jitter full",
        see: "redial help retry, redial help no-jitter",
    },
    Word {
        names: &["next"],
        form: "next",
        about: "Goes to the next server of this round. After the last server the clause goes on \
                with its next step, or a new round begins where --rounds allows one. In `wait` \
                each server is tried by itself, so there is no next one.",
        example: "refused, dns-not-found: next",
        see: "redial help drop, redial help rounds",
    },
    Word {
        names: &["drop"],
        form: "drop",
        about: "Leaves this server out until a connection has been healthy, and goes to the next \
                one: for a server whose fault does not go away by itself.",
        example: "tls-certificate: say \"{server}: {failure}\", drop, stop",
        see: "redial help next",
    },
    Word {
        names: &["rounds"],
        form: "--rounds N | forever [every PAUSE]",
        about: "Sets how often all servers are gone through; `next` leads from one to the next. \
                The default is 1, and `forever` for `stay`. In a policy file: rounds = \"3\".",
        example: "any: next",
        see: "redial help next, redial help every",
    },
    Word {
        names: &["run"],
        form: "run PROGRAM ARG … [at most every TIME]",
        about: "Runs a command, without a shell: `|`, `>` and `$NAME` are refused unless they are \
                quoted; for a shell, `run sh -c './x | logger'`. It waits \
                for its end. Facts about the failure are in its environment, and never in its \
                arguments. `at most every 5m` skips the runs that come sooner.",
        example: "any: run ./page \"db is down\" at most every 5m, stop",
        see: "redial help environment",
    },
    Word {
        names: &["say"],
        form: "say \"TEXT\"",
        about: "Prints a line on standard error. `{server}`, `{failure}`, `{attempt}`, \
                `{elapsed}` and `{cause}` stand for facts; `{{` is a brace.",
        example: "refused: say \"{server} is down after {elapsed}\", exit 3",
        see: "redial help clauses",
    },
    Word {
        names: &["diagnose"],
        form: "diagnose",
        about: "Looks the name up and dials each of its addresses once, and puts what each \
                answers into the record.",
        example: "any: diagnose, stop",
        see: "redial help clauses",
    },
    Word {
        names: &["exit"],
        form: "exit N",
        about: "Ends with this status, from 0 to 255. It is the only way a failure ends in \
                success. No step may follow it.",
        example: "deadline: say \"gave up after {elapsed}\", exit 75",
        see: "redial help stop",
    },
    Word {
        names: &["stop"],
        form: "stop",
        about: "Ends, failed: with a traceback and status 1. The end of a clause is the same, so \
                it is written to be seen. No step may follow it.",
        example: "denied: say \"not allowed\", stop",
        see: "redial help exit",
    },
    Word {
        names: &["else"],
        form: "--else STEPS",
        about: "Runs these steps after a connection that ended well: say, run, diagnose, exit and \
                stop. As with Python's `else`, they do not run where a clause handled a failure. \
                In a policy file: else = \"say done\".",
        example: "--else 'say \"The connection ended well.\"'",
        see: "redial help finally",
    },
    Word {
        names: &["finally"],
        form: "--finally STEPS",
        about: "Runs these steps at the very end, whatever happened, within 10s: say, run, \
                diagnose, exit and stop. In a policy file: finally = \"run ./cleanup\".",
        example: "--finally 'run ./cleanup'",
        see: "redial help else",
    },
    Word {
        names: &["guards", "guard", "if"],
        form: "KINDS if fresh | unsent | new: STEPS",
        about: "A guard is a condition on the connection that failed; it holds for all kinds of \
                its clause. `fresh`: no byte of yours was sent, and none was given to you. \
                `unsent`: no byte of yours left this machine. `new`: no connection of this \
                session was healthy yet.",
        example: "transient if fresh: retry 10, next",
        see: "redial help fresh, redial help unsent, redial help new",
    },
    Word {
        names: &["fresh"],
        form: "KINDS if fresh: STEPS",
        about: "The clause matches only while no byte of yours was sent on the connection, and \
                none of its bytes was given to you: another attempt repeats nothing.",
        example: "any if fresh: next",
        see: "redial help guards",
    },
    Word {
        names: &["unsent", "new"],
        form: "KINDS if unsent: STEPS, KINDS if new: STEPS",
        about: "`unsent`: the clause matches only while no byte of yours has left this machine; \
                what the server sent may have been read. `new`: only while no connection of this \
                session has been healthy, so that a server which never worked is told from one \
                that worked before.",
        example: "tls-certificate, denied if new: drop, stop",
        see: "redial help guards",
    },
];

#[cfg(test)]
mod tests {
    use super::*;
    use redial::{Clause, Policy, Verb};

    #[test]
    fn every_example_is_read() {
        for word in &WORDS {
            let flag = |name: &str| word.example.strip_prefix(name)?.strip_suffix('\'');
            let build = || Policy::build(Verb::Connect);
            if let Some(steps) = flag("--else '") {
                assert!(build().otherwise(steps).is_ok(), "{steps}");
            } else if let Some(steps) = flag("--finally '") {
                assert!(build().finally(steps).is_ok(), "{steps}");
            } else {
                assert_eq!(Clause::parse_all(word.example).unwrap().len(), 1, "{}", word.example);
            }
        }
    }

    /// The parser lists its steps where one is unknown.
    #[test]
    fn every_step_of_the_parser_has_a_page() {
        for step in ["retry", "next", "drop", "diagnose", "run", "say", "exit", "stop"] {
            let clause = match step {
                "retry" => "any: retry 1",
                "run" => "any: run ./x",
                "say" => "any: say x",
                "exit" => "any: exit 1",
                step => &format!("any: {step}"),
            };
            assert!(Clause::parse_all(clause).is_ok(), "{clause}");
            assert!(about(step).is_some(), "{step}");
        }
    }
}
