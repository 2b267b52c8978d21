//! Progress: what is printed while redial works names what happened, and never mixes with data.

use std::{
    fs::File,
    io::{BufRead, BufReader, Read},
    os::fd::OwnedFd,
    time::Duration,
};

use redial_lab::{Behaviour, LESSON, Lab, Outage, Script};

use crate::support::{full_pipe, redial, terminal};

/// Whether each line is the one that begins and ends so, in this order.
fn tells(stderr: &str, lines: &[(&str, &str)]) {
    let told: Vec<&str> =
        stderr.lines().filter(|line| !line.contains("is a practice server")).collect();
    assert_eq!(told.len(), lines.len(), "{stderr}");
    for (line, (begin, end)) in told.iter().zip(lines) {
        let is_it = line.starts_with(begin) && line.contains(end);
        assert!(is_it, "`{line}` is not `{begin}…{end}` in:\n{stderr}");
    }
}

#[test]
fn log_names_the_server_that_served_and_its_attempt() {
    let ran = redial(["lab:reset", "lab:lesson", "--retry", "3 every 1ms"]).silent().run();
    assert_eq!((ran.status, &*ran.stdout), (Some(0), LESSON), "{ran}");
    tells(
        &ran.stderr,
        &[
            ("redial: lab:reset: reset at attempt 1; retry 1 of 3 in ", ""),
            ("redial: lab:reset: connected (", ") at attempt 2, "),
            ("redial: lab:reset: reset at attempt 2; retry 2 of 3 in ", ""),
            ("redial: lab:reset: connected (", ") at attempt 3, "),
            ("redial: lab:reset: reset at attempt 3; retry 3 of 3 in ", ""),
            ("redial: lab:reset: connected (", ") at attempt 4, "),
            ("redial: lab:reset: reset at attempt 4; next: lab:lesson", ""),
            ("redial: lab:lesson: connected (", ") at attempt 5, "),
        ],
    );
}

#[test]
fn log_names_the_attempt_that_a_flaky_server_answers() {
    let ran = redial(["lab:flaky", "--retry", "5 every 1ms"]).silent().run();
    assert_eq!((ran.status, &*ran.stdout), (Some(0), LESSON), "{ran}");
    tells(
        &ran.stderr,
        &[
            ("redial: lab:flaky: reset at attempt 1; retry 1 of 5 in ", ""),
            ("redial: lab:flaky: connected (", ") at attempt 2, "),
            ("redial: lab:flaky: reset at attempt 2; retry 2 of 5 in ", ""),
            ("redial: lab:flaky: connected (", ") at attempt 3, "),
        ],
    );
}

#[test]
fn log_of_a_wait_names_server_and_attempt() {
    let late = Outage::Refuse.lasting(Duration::from_millis(300));
    let closing = Script::new([late, Behaviour::Close.times(2), Behaviour::Echo.forever()]);
    let lab = Lab::start(closing).unwrap();
    let address = lab.address().to_string();
    let ran = redial(["wait", &address]).silent().run();
    assert_eq!(ran.status, Some(0), "{ran}");
    let changes: Vec<&str> = ran.stderr.lines().skip(1).collect();
    let [down, closed, ready] = changes[..] else { panic!("{ran}") };
    assert!(down.starts_with(&format!("redial: {address}: refused at attempt 1: ")), "{ran}");
    assert!(closed.starts_with(&format!("redial: {address}: closed-early at attempt ")), "{ran}");
    assert!(ready.starts_with(&format!("redial: {address}: ready (")), "{ran}");
}

/// What was written to a terminal, and what it shows of that in the end, line by line.
fn screen(glass: OwnedFd) -> (String, Vec<String>) {
    let mut bytes = Vec::new();
    // The end of a terminal is an error: EIO.
    let _ = File::from(glass).read_to_end(&mut bytes);
    let text = String::from_utf8(bytes).unwrap();
    let (mut lines, mut row, mut column) = (vec![Vec::new()], 0_usize, 0);
    let mut rest = text.chars();
    while let Some(letter) = rest.next() {
        match letter {
            '\r' => column = 0,
            '\n' => row += 1,
            '\x1b' => {
                let code = rest.as_str();
                let end = code.find(|letter: char| letter.is_ascii_alphabetic()).unwrap();
                let number = code[1..end].parse().unwrap_or(0);
                match (code.as_bytes()[end], number) {
                    (b'K', 0) => lines[row].truncate(column),
                    (b'K', 2) => lines[row].clear(),
                    (b'A', up) => row -= up.max(1),
                    (b'J', 0) => {
                        lines[row].truncate(column);
                        lines.truncate(row + 1);
                    }
                    (b'm' | b'h' | b'l', _) => {}
                    other => panic!("{other:?}: {text:?}"),
                }
                rest = code[end + 1..].chars();
            }
            letter => {
                while lines[row].len() <= column {
                    lines[row].push(' ');
                }
                lines[row][column] = letter;
                column += 1;
            }
        }
        if row == lines.len() {
            lines.push(Vec::new());
        }
    }
    let lines = lines.into_iter().map(|line| line.into_iter().collect::<String>());
    (text.clone(), lines.map(|line| line.trim_end().to_owned()).collect())
}

/// Both streams at one terminal.
fn at_a_terminal(words: &[&str]) -> (String, Vec<String>) {
    let (glass, line) = terminal();
    let (stdout, stderr) = (line.try_clone().unwrap(), line);
    let run = redial(words.iter().copied()).env("TERM", "xterm").env("PATH", "/usr/bin:/bin");
    run.silent().stdout(stdout).stderr(stderr).run();
    screen(glass)
}

#[test]
fn live_line_is_cleared_before_data() {
    let late = Outage::Refuse.lasting(Duration::from_millis(400));
    for _ in 0..5 {
        let lab =
            Lab::start(Script::new([late.clone(), Behaviour::say(LESSON).forever()])).unwrap();
        let address = lab.address().to_string();
        let (text, shown) = at_a_terminal(&[&address, "--retry", "forever every 100ms"]);
        assert!(text.contains("; retry 2 in "), "no live line: {text:?}");
        let [trouble, connected, data] = &shown[..shown.len() - 1] else { panic!("{shown:?}") };
        assert!(trouble.contains(": refused at attempt 1; retry 1 in "), "{shown:?}");
        assert!(connected.contains(&format!(": connected ({address}) at attempt ")), "{shown:?}");
        assert_eq!(*data, LESSON.trim_end(), "{text:?}");
    }
}

#[test]
fn nothing_live_is_left_before_data_of_a_flaky_server() {
    let lab =
        Lab::start(Script::new([Behaviour::Reset.times(3), Behaviour::say(LESSON).forever()]));
    let lab = lab.unwrap();
    let (text, shown) = at_a_terminal(&[&lab.address().to_string(), "--retry", "5 every 20ms"]);
    // The last line is that of the cursor.
    assert_eq!(shown[shown.len() - 2..], [LESSON.trim_end(), ""], "{text:?}");
}

#[test]
fn log_begins_a_line_after_data_without_an_end() {
    let lab = Lab::start(Behaviour::partial_then_reset("half")).unwrap();
    let (text, shown) =
        at_a_terminal(&[&lab.address().to_string(), "--except", "reset: say no, stop"]);
    assert_eq!(shown[..2], ["half", "no"], "{text:?}");
}

#[test]
fn live_lines_of_a_wait_leave_whole_lines() {
    let late = || {
        let refuse = Outage::Refuse.lasting(Duration::from_millis(400));
        Lab::start(Script::new([refuse, Behaviour::Stall.forever()])).unwrap()
    };
    let (one, two) = (late(), late());
    let (one, two) = (one.address().to_string(), two.address().to_string());
    let clause = "refused: say 'a line of mine', retry forever every 50ms";
    let (text, shown) = at_a_terminal(&["wait", &one, &two, "--except", clause]);
    let lines = shown.iter().filter(|line| !line.is_empty());
    let whole = |line: &str| {
        line == "a line of mine" || line.starts_with("redial: ") || line == one || line == two
    };
    let mixed: Vec<_> = lines.filter(|line| !whole(line)).collect();
    assert!(mixed.is_empty(), "{mixed:?} in {text:?}");
    for address in [&one, &two] {
        for change in ["refused at attempt 1", "ready ("] {
            let line = format!("redial: {address}: {change}");
            assert_eq!(
                shown.iter().filter(|shown| shown.starts_with(&line)).count(),
                1,
                "{shown:?}"
            );
        }
        assert!(shown.contains(address), "{shown:?}");
    }
}

#[test]
fn output_of_run_has_lines_of_its_own() {
    let lab = Lab::start(Outage::Refuse).unwrap();
    let clause = "refused: run echo mine, retry 3 every 30ms";
    for verb in ["connect", "wait"] {
        let words = [verb, &*lab.address().to_string(), "-t", "2s", "--except", clause];
        let (text, shown) = at_a_terminal(&words);
        assert_eq!(shown.iter().filter(|line| *line == "mine").count(), 4, "{text:?}");
    }
}

#[test]
fn lines_that_nobody_reads_are_counted() {
    let lab = Lab::start(Behaviour::Reset).unwrap();
    let clause = format!("reset: say '{}', retry forever every 1ms", "x".repeat(1000));
    let words = ["connect", &*lab.address().to_string(), "-t", "60s", "--except", &clause];
    let (reader, stderr) = full_pipe();
    let live = redial(words).silent().stderr(stderr).start();
    assert!(lab.wait_for_connections(300, Duration::from_secs(30)));
    let mut read = BufReader::new(reader);
    let count = loop {
        let mut line = String::new();
        assert!(read.read_line(&mut line).unwrap() > 0);
        if let Some((count, _)) = line.split_once(" lines were dropped: ") {
            break count.trim_start_matches("redial: ").parse::<u64>().unwrap();
        }
    };
    assert!(count > 0);
    live.signal(rustix::process::Signal::TERM);
}
