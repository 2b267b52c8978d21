//! The clause language, explained: one text for the terminal and for `docs/clauses.md`.
//!
//! The verbs' own clauses and `--retry` are printed from the code; a test reads every example.
//! It parses nothing. Start at [`page`].

use redial::{Rounds, Verb, retry_sugar};

use super::wrapped;

/// `docs/clauses.md`, without the line that says where it comes from.
pub(super) fn page() -> String {
    let own: String = Verb::ALL
        .iter()
        .map(|verb| {
            let rounds =
                if verb.rounds() == Rounds::ONE { "1".into() } else { verb.rounds().to_string() };
            format!("# {}, rounds = \"{rounds}\"\n{}\n\n", verb.name(), verb.clause_text())
        })
        .collect();
    // A text that is part of the program and tested: `help` has no other.
    let sugar = retry_sugar("10").unwrap_or_default();
    PAGE.replace("{own}", own.trim_end()).replace("{sugar}", &sugar)
}

/// `redial help clauses`: the page without its marks.
pub(super) fn text() -> String {
    plain(&page())
}

const PAGE: &str = "\
# Clauses

A clause says what to do about some kinds of failure:

```text
KINDS [but KINDS] [if GUARD]: STEP, STEP, …
```

The first clause that matches handles the failure; yours stand in front of the \
verb's own. Several in one text are separated by a newline or by `;`. On a command \
line: `--except 'refused: retry 10, next'`, as often as you like. In a policy file: \
`clauses = '''…'''`, or a list of texts: `clauses = ['…', '…']`.

A `#` that begins a word begins a comment, up to the end of the line. A clause goes on \
after a `:` or a `,` at the end of a line, and on a line that begins with a step. \
`redial check --except '…'` prints every clause in its one canonical form.

`any but tls, dns` is every failure except those.

A failure that no clause handles ends the session with a traceback and status 1.

## Steps

- `retry N`: the same server again, N more times: `retry 10` makes at most 11 \
attempts. `retry forever` does not stop. The pause is `every 250ms..30s` unless \
you say otherwise. `retry 10 times` is the same.
- `retry N for 2m`: no attempt of this step begins later than 2 minutes after the \
failure that led to it; then the clause goes on. An attempt under way is not cut off.
- `next`: the next server, if one is left in this round.
- `drop`: this server is out until a connection has been healthy; then the next.
- `diagnose`: what each address says now goes into the record.
- `run PROGRAM ARG …`: a command, without a shell; for a pipe or a variable, \
`run sh -c '…'`. Facts are in its environment (redial help environment). `run ./page at most every 5m` skips the rest.
- `say \"…\"`: a line to standard error. `{server}`, `{failure}`, `{attempt}`, \
`{elapsed}` and `{cause}` stand for facts; `{{` is a brace.
- `exit N`: end with this status, from 0 to 255. The only way a failure ends in \
success.
- `stop`: end, failed.

## Pauses

- `every 5s`: exactly 5 s.
- `every 250ms..30s`: first up to 250 ms, doubling up to 30 s; each pause is drawn \
between half of that and all of it. `250ms-30s` and `250ms to 30s` are the same.
- `x1.5`: grow by this factor instead of 2. It needs a range.
- `jitter full`: drawn from 0 to all of it. `jitter equal`: from half, the default \
of `A..B`. `jitter none`: all of it.

Pauses grow with the server's failures in a row, whichever clause handled them, and \
begin anew only after a connection was healthy: it answered as expected and lived \
for 10 s (`--healthy-after`). To see them: `redial check --except '…'`.

## The order of steps

`retry`, `next` and `drop` either lead to another attempt, and the clause is done \
with this failure, or they are used up and the clause goes on.

- Steps in front of the first of them run at every failure.
- Steps between two of them run once: at the failure that finds the first used up.
- Steps behind the last run whenever the clause gets there.
- Off the end is `stop`. `exit` and `stop` stand last.

## Guards

- `if fresh`: nothing of yours was sent yet, and nothing was given to you.
- `if unsent`: no byte of yours left this machine.
- `if new`: no connection of this session was healthy yet.

A guard holds for all kinds of its clause.

`connect` makes no further attempt once data has moved, whatever a clause says:
what was read from standard input cannot be read again.

## Examples

```clauses
refused, dns-temporary: retry 10 every 250ms..30s, next
unexpected-response: diagnose, run \"./snapshot.sh\", exit 65
any: say \"{server}: {failure}\", stop
```

Ten tries, one call for help, then go on for as long as it takes:

```clauses
transient if fresh: retry 10, run ./page \"db is down\", retry forever every 15s..30s
```

Leave a server with a bad certificate out, and take the others:

```clauses
tls-certificate: say \"{server}: {failure}\", drop, stop
```

Python's own names work:

```clauses
ConnectionRefusedError: say \"The server is not accepting our request!\", exit 1
socket.timeout: retry 3 every 5s
```

So does its grammar: `(A, B)`, `Exception` (any), `print` (say), `pass` (exit 0), \
`raise` (stop):

```clauses
except (ConnectionRefusedError, ConnectionResetError) as error:
    print(\"The server is not accepting our request!\")
    exit(1)
except Exception: raise
```

Time is up, or Ctrl-C: only say, run, diagnose, exit and stop may stand there:

```clauses
deadline: say \"gave up after {elapsed}\", exit 75
interrupted: run ./cleanup, stop
```

`--retry 10` stands for:

```clauses
{sugar}
```

## The verbs' own clauses

They stand behind yours; `--only` (in a file: `only = true`) leaves them out, and \
`redial check --standing VERB` prints both as a file.

```clauses
{own}
```
";

/// The little of Markdown that is used here, as text of 80 columns.
fn plain(page: &str) -> String {
    let mut text = String::new();
    let mut in_code = false;
    for line in page.lines() {
        if line.starts_with("```") {
            in_code = !in_code;
        } else if in_code {
            text += &if line.is_empty() { "\n".into() } else { format!("  {line}\n") };
        } else if let Some(heading) = line.strip_prefix("## ").or_else(|| line.strip_prefix("# ")) {
            text += &format!("{}\n", heading.to_uppercase());
        } else if line.starts_with("- ") {
            text +=
                &format!("{}\n", wrapped(&format!("\u{1}\u{1}{line}"), 4).replace('\u{1}', " "));
        } else {
            text += &format!("{}\n", wrapped(line, 0));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_example_is_read() {
        let page = page();
        let mut examples = 0;
        for block in page.split("```clauses\n").skip(1) {
            let block = block.split("```").next().unwrap();
            let clauses: Vec<&str> = block.lines().filter(|line| !line.starts_with('#')).collect();
            let clauses = redial::Clause::parse_all(&clauses.join("\n")).unwrap();
            assert!(!clauses.is_empty());
            examples += 1;
        }
        assert_eq!(examples, 8);
        assert!(!page.contains("{own}") && !page.contains("{sugar}"));
    }
}
