//! Scenario files: what can be written, and what is said of what cannot.

#![allow(clippy::unwrap_used)] // they are tests

use std::time::Duration;

use redial_sim::*;

#[test]
fn everything_that_can_be_written_is_read() {
    let scenario = Scenario::parse(
        r#"
about = "all of it"
source = "https://example.com/postmortem"
clients = "10k"
start = "new"
order = "rotated"
seed = 7
look-on = "2m"
run = "10m"
[network]
delay = "5ms..80ms"
shape = "tail"
[[server]]
count = 2
accepts = "500/s"
backlog = 128
full = "refuse"
handshake = "2ms"
cores = 4
returning = "10ms"
load = "20us"
connections = "6k"
down = "ignore"
[[server]]
down = "close"
[outage]
after = "20s"
lasts = "5s"
course = "flapping"
times = 3
up = "4s"
recovery = "30s"
notice = "1s"
"#,
    )
    .unwrap();
    assert_eq!((scenario.clients, scenario.seed, scenario.servers.len()), (10_000, 7, 3));
    assert_eq!((scenario.start, scenario.order), (Some(Start::New), Order::Rotated));
    let first = scenario.servers[0];
    assert_eq!(first, scenario.servers[1]);
    assert_eq!((first.accepts.count, first.backlog, first.cores), (500, 128, 4));
    assert_eq!(
        (first.full, first.down, first.connections),
        (Full::Refuse, Down::Ignore, Some(6_000))
    );
    assert_eq!(scenario.servers[2], Server { down: Down::Close, ..Server::default() });
    assert_eq!(scenario.network.most, Duration::from_millis(80));
    assert_eq!(scenario.network.shape, Shape::Tail);
    assert_eq!(scenario.outage.course, Course::Flapping { times: 3, up: Duration::from_secs(4) });
    assert_eq!(scenario.outage.end(3), Duration::from_secs(20 + 9 + 9 + 5));
}

#[test]
fn nothing_written_is_the_default() {
    assert_eq!(Scenario::parse("").unwrap(), Scenario::default());
}

#[test]
fn what_cannot_be_written_is_pointed_at() {
    let mistakes = [
        (
            "clients = 0",
            "1:1: 0 clients ask nothing of a server; write how many, as in `clients = \"100k\"`",
        ),
        (
            "clients = nan",
            "1:11: this cannot be read; it has to be a whole number, as in `1000` or `\"100k\"`",
        ),
        (
            "clients = -5",
            "1:11: this cannot be read; it has to be a whole number, as in `1000` or `\"100k\"`",
        ),
        ("clients = \"many\"", "1:11: `many` is not a count; write 1000 or 100k"),
        (
            "clients = \"10G\"",
            "1:1: 10000000000 clients would need 4.5 TiB; the most is 10M; rehearse 1/1000 of the clients with 1/1000 of `accepts`, `backlog` and cores, which shows the same curve",
        ),
        (
            "server = []",
            "1:1: there is no server; write a line `[server]`, with what it accepts below",
        ),
        (
            "[server]\ncount = 0",
            "1:1: there is no server; write a line `[server]`, with what it accepts below",
        ),
        ("[server]\naccepts = \"0/s\"", "2:11: `0/s` is no rate; write 2000/s or 100/m"),
        (
            "[server]\naccepts = 2000",
            "2:11: this cannot be read; it has to be so many in so long, in quotes, as in `\"2000/s\"`",
        ),
        ("[server]\nacepts = \"1/s\"", "2:1: there is no `acepts` here; the nearest is `accepts`"),
        (
            "[server]\nbacklog = 0",
            "2:1: `backlog` of 0 is a server that takes nobody; write at least 1, as in `backlog = 4096`",
        ),
        (
            "[server]\ndown = \"refused\"",
            "2:8: there is no `refused` here; the nearest is `refuse`",
        ),
        (
            "[server]\nload = \"1ms\"",
            "1:1: 100000 connected clients, 1ms of work per second each, are 10000% of the server's cores: it could not have stood before the outage; write less `load`, or more `cores`",
        ),
        (
            "[outage]\nlasts = 30",
            "2:9: this cannot be read; it has to be a time with its unit, in quotes, as in `\"30s\"`",
        ),
        ("[outage]\nlasts = \"30\"", "2:9: `30` has no unit; write 30s or 30ms"),
        (
            "[outage]\ntimes = 3",
            "2:1: `times` is for an outage whose course is `flapping`; write `course = \"flapping\"` with it, or leave it out",
        ),
        (
            "[outage]\nlasts = \"500d\"",
            "1:1: a run of 500d is too long; 366 days are the most; write less in `[outage]`, or set `run`",
        ),
        (
            "[network]\ndelay = \"80ms..5ms\"",
            "1:1: a way of 80ms..5ms is none that a connection survives; write at most 1s, the shorter first, as in `delay = \"5ms..80ms\"`",
        ),
        ("clients 5", "1:9: this is not TOML: "),
    ];
    let mut wrong = Vec::new();
    for (text, says) in mistakes {
        let mistake = Scenario::parse(text).unwrap_err();
        let (line, column) = mistake.line_and_column(text);
        let said = format!("{line}:{column}: {mistake}");
        if !said.starts_with(says) || says.len() < 9 {
            wrong.push(format!("{text:?}\n  {said}\n  {says}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
