//! Prints a policy as a file that reads back as the same policy.
//!
//! Passwords are not in it: servers are printed by their labels. Start at [`Policy::to_toml`].

use alloc::{format, string::String};
use core::{
    fmt::{self, Write},
    time::Duration,
};

use super::Policy;
use crate::{
    Verb,
    clause::{Clause, StepList},
    quantity::Human,
};

impl Policy {
    /// The policy as a file, its clauses in the order tried.
    ///
    /// The verb's own clauses are written out, and `only = true` keeps them from being added again.
    #[must_use]
    pub fn to_toml(&self) -> String {
        let mut file = String::new();
        // Writing to a String cannot fail.
        let _: fmt::Result = self.write_toml(&mut file);
        file
    }

    fn write_toml(&self, file: &mut String) -> fmt::Result {
        if !self.servers.is_empty() {
            let servers: alloc::vec::Vec<String> =
                self.servers.iter().map(|server| quoted(&server.written())).collect();
            writeln!(file, "servers = [{}]", servers.join(", "))?;
        }
        if let Some(recipe) = &self.recipe {
            writeln!(file, "as = {}", quoted(recipe.name()))?;
        }
        if let Some(answer) = &self.answer {
            writeln!(file, "expect = {}", quoted(&format!("{answer}")))?;
        }
        match core::str::from_utf8(self.opening()) {
            _ if self.opening.is_none() => {}
            Ok(opening) => writeln!(file, "send = {}", quoted(opening))?,
            Err(_) => writeln!(
                file,
                "# send: {} bytes that are not text cannot stand in a file",
                self.opening().len()
            )?,
        }
        if let Some(deadline) = self.deadline {
            writeln!(file, "deadline = \"{}\"", Human(deadline))?;
        }
        writeln!(file, "rounds = \"{}\"", self.rounds)?;
        writeln!(file, "healthy-after = \"{}\"", Human(self.healthy_after))?;
        for (key, steps) in [("else", &self.otherwise), ("finally", &self.finally)] {
            if !steps.is_empty() {
                writeln!(file, "{key} = {}", quoted(&format!("{}", StepList(steps))))?;
            }
        }
        let clauses = self.clauses.iter().map(|clause| format!("{clause}\n")).collect::<String>();
        writeln!(
            file,
            "only = true # the clauses of `{}` are written out below",
            self.verb.name()
        )?;
        if clauses.contains("'''") || self.clauses.iter().any(has_control) {
            writeln!(file, "clauses = {}", quoted(&clauses))?;
        } else {
            writeln!(file, "clauses = '''\n{clauses}'''")?;
        }
        let limits = &self.limits;
        writeln!(file, "\n[limits]")?;
        writeln!(file, "connect = \"{}\"", Human(limits.connect))?;
        for (key, limit, set) in
            [("tls", limits.tls, self.set.tls), ("reply", limits.reply, self.set.reply)]
        {
            // Written down, it would be a limit of its own rather than a share of the time left.
            if set || self.verb != Verb::Wait {
                writeln!(file, "{key} = \"{}\"", Human(limit))?;
            }
        }
        for (key, limit) in
            [("idle", limits.idle), ("max-time", limits.max_time), ("dead", limits.dead)]
        {
            match limit {
                Some(limit) => writeln!(file, "{key} = \"{}\"", Human(limit))?,
                None => writeln!(file, "{key} = \"off\"")?,
            }
        }
        match limits.settle {
            _ if self.verb != Verb::Wait => Ok(()),
            Duration::ZERO => writeln!(file, "settle = \"off\""),
            settle => writeln!(file, "settle = \"{}\"", Human(settle)),
        }
    }
}

/// A literal string of TOML may hold no control characters but tab and newline.
fn has_control(clause: &Clause) -> bool {
    format!("{clause}").chars().any(char::is_control)
}

/// A basic string of TOML.
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for letter in text.chars() {
        match letter {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            control if control.is_control() => {
                let _: fmt::Result = write!(quoted, "\\u{:04x}", u32::from(control));
            }
            other => quoted.push(other),
        }
    }
    quoted.push('"');
    quoted
}
