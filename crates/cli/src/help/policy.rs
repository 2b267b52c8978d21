//! A policy file to begin with.
//!
//! Every key is in it, with what it stands for; those with a `#` in front say their default or an
//! example. A test reads it, with the marks and without. Start at [`text`].

/// `redial help policy`, to be saved: `redial help policy > policy.toml`.
pub(super) fn text() -> String {
    POLICY.into()
}

const POLICY: &str = r#"# A policy: what to try, and what to do when it fails.
# Save it (redial help policy > policy.toml), change it, look at what it does
# (redial check policy.toml), use it (redial connect --policy policy.toml).

# One or more servers, any of which will do. Servers on the command line
# replace these. A password belongs into a variable: redial connect env:NAME
servers = ["db1.internal:5432", "db2.internal:5432"]

# What to do about which failures; the first clause that matches.
# See: redial help clauses, redial help kinds
clauses = '''
refused, dns-temporary: retry 10 every 250ms..30s, next
any: diagnose, stop
'''

# The time allowed without a connection. By default there is no limit.
deadline = "2m"

# How often to go through the servers: 3, or "forever every 250ms..30s".
#rounds = 1

# Leave the verb's own clauses out (redial check --standing connect).
#only = true

# What is sent first, and what the first answer must look like:
# text that is contained, "^text" at its beginning, or "/pattern/".
#send = "PING\r\n"
#expect = "^+PONG"

# A connection that lived this long counts as healthy.
#healthy-after = "10s"

# Steps after a connection that ended well, and at the very end.
#else = "say 'done'"
#finally = "run ./cleanup"

# How long each part may take. The last three can be "off".
[limits]
connect = "5s"
#tls = "5s"
#reply = "5s"
#idle = "off"
#max-time = "off"
#dead = "1m"
"#;

#[cfg(test)]
mod tests {
    use super::*;
    use redial::{Policy, Verb};

    #[test]
    fn it_is_read_with_its_marks_and_without() {
        let policy = Policy::parse(Verb::Connect, POLICY).unwrap().build().unwrap();
        assert_eq!(policy.servers().len(), 2);
        let marked = |line: &str| {
            let key = line.strip_prefix('#').filter(|key| !key.starts_with(' '));
            key.unwrap_or(line).to_owned() + "\n"
        };
        let whole: String = POLICY.lines().map(marked).collect();
        let policy = Policy::parse(Verb::Connect, &whole).unwrap().build().unwrap();
        assert_eq!(policy.otherwise().len(), 1);
        assert_eq!(policy.finally().len(), 1);
    }
}
