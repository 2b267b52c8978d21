//! Ends a command with everything that it has started, also what left its process group.
//!
//! A descendant is found by its parents, or, where those have ended, by the mark in its environment;
//! one that has cleared its environment and whose parent has ended is found by neither. Linux only:
//! elsewhere the process group is all there is. It waits for nothing. Start at [`kill_all`].

use rustix::process::{Pid, Signal, kill_process_group};

/// The name of the variable, and a value that no other command has.
pub(crate) type Mark = (&'static str, String);

/// Kills the command, its group, and its descendants.
pub(crate) fn kill_all(command: Pid, mark: &Mark) {
    // Before the group: a process whose parent has ended has another one.
    #[cfg(target_os = "linux")]
    let family = linux::Family::of(command, mark);
    // It may have ended just now.
    let _ = kill_process_group(command, Signal::KILL);
    #[cfg(target_os = "linux")]
    if let Some(family) = family {
        family.kill();
    }
    #[cfg(not(target_os = "linux"))]
    let _ = mark;
}

#[cfg(target_os = "linux")]
mod linux {
    use std::{collections::HashMap, fs};

    use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

    use super::Mark;

    /// More rounds than a process starts others between two of them.
    const ROUNDS: usize = 8;

    /// A command, and what of it was found before it was killed.
    pub(super) struct Family {
        command: i32,
        /// When it started: none of its descendants is older.
        start: u64,
        mark: String,
        found: HashMap<i32, Process>,
    }

    /// What /proc/PID/stat has on a process that has not ended.
    #[derive(Clone, Copy, PartialEq, Eq)]
    struct Process {
        parent: i32,
        /// In clock ticks since the machine started. With the number it names one process.
        start: u64,
    }

    impl Family {
        pub(super) fn of(command: Pid, (name, value): &Mark) -> Option<Self> {
            let command = command.as_raw_nonzero().get();
            let start = read(command)?.start;
            let mut family =
                Self { command, start, mark: format!("{name}={value}"), found: HashMap::new() };
            family.search();
            Some(family)
        }

        /// Kills what was found, and what that has started meanwhile.
        pub(super) fn kill(mut self) {
            for _ in 0..ROUNDS {
                let known = self.found.len();
                self.found.iter().for_each(|(pid, process)| kill(*pid, *process));
                self.search();
                if self.found.len() == known {
                    return;
                }
            }
        }

        /// Adds the descendants that are not known yet.
        fn search(&mut self) {
            let young: HashMap<i32, Process> = processes()
                .filter_map(|pid| Some((pid, read(pid)?)))
                .filter(|(_, process)| process.start >= self.start)
                .collect();
            for (pid, process) in &young {
                let is_known = self.found.contains_key(pid) || *pid == self.command;
                if !is_known && (self.descends(*pid, &young) || is_marked(*pid, &self.mark)) {
                    self.found.insert(*pid, *process);
                }
            }
        }

        fn descends(&self, mut pid: i32, young: &HashMap<i32, Process>) -> bool {
            // As many steps as there are processes: numbers that were used again may form a circle.
            (0..young.len()).any(|_| {
                pid = young.get(&pid).map_or(0, |process| process.parent);
                pid == self.command || self.found.contains_key(&pid)
            })
        }
    }

    fn kill(pid: i32, process: Process) {
        let held = Pid::from_raw(pid).and_then(|pid| pidfd_open(pid, PidfdFlags::empty()).ok());
        // Once it is held, its number cannot become another's.
        if let (Some(held), Some(now)) = (held, read(pid))
            && now.start == process.start
        {
            // It may have ended just now.
            let _ = pidfd_send_signal(&held, Signal::KILL);
        }
    }

    fn processes() -> impl Iterator<Item = i32> {
        let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
        entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
    }

    /// `42 (a name) S 41 …`, proc_pid_stat(5): the state is field 3, the parent 4, the start 22.
    fn read(pid: i32) -> Option<Process> {
        let stat = fs::read(format!("/proc/{pid}/stat")).ok()?;
        let after_name = stat.iter().rposition(|byte| *byte == b')')? + 1;
        let rest = std::str::from_utf8(&stat[after_name..]).ok()?;
        let fields: Vec<&str> = rest.split_whitespace().collect();
        let field = |number: usize| fields.get(number - 3).copied();
        let has_ended = matches!(field(3)?, "Z" | "X");
        let process = Process { parent: field(4)?.parse().ok()?, start: field(22)?.parse().ok()? };
        (!has_ended).then_some(process)
    }

    fn is_marked(pid: i32, mark: &str) -> bool {
        let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        environment.split(|byte| *byte == 0).any(|variable| variable == mark.as_bytes())
    }
}
