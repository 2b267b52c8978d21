//! Two records of one scenario, event by event.
//!
//! They are compared as the JSON that anybody would read: what is not named here as the network's
//! own has to be equal, also what is added to events one day. Start at [`differ`].

use std::{fmt::Write, time::Duration};

use redial::Record;
use serde_json::Value;

/// What only a network can say: which address it was, in whose words, and how long that took.
const NETWORKS_OWN: [&str; 6] = ["address", "addresses", "errno", "detail", "expected", "elapsed"];

/// How much later than in virtual time an event may be that comes after so many attempts and
/// commands. Never earlier: no timer fires early, and on loopback all else takes microseconds.
///
/// - 50 ms for the machine: how long a thread may have to wait for its turn where others are busy,
///   some ten slices of a core.
/// - 2 ms for each attempt: tokio's timers tick in milliseconds and round up, and the attempt
///   itself takes some.
/// - 50 ms for each command: that is a process, which has turns of its own to wait for.
pub(crate) fn late(attempts: u32, commands: u32) -> Duration {
    Duration::from_millis(50) * (1 + commands) + Duration::from_millis(2) * attempts
}

/// What differs, side by side; `None` if nothing does.
pub(crate) fn differ(expected: &Record, happened: &Record) -> Option<String> {
    let (expected, happened) = (json(expected), json(happened));
    let (ours, theirs) = (events(&expected), events(&happened));
    let mut differs = expected["between"] != happened["between"] || ours.len() != theirs.len();
    let mut shown = String::new();
    let (mut attempts, mut commands) = (0, 0);
    for place in 0..ours.len().max(theirs.len()) {
        let (our, their) = (ours.get(place), theirs.get(place));
        attempts = attempts.max(our.map_or(0, |our| our.attempt));
        commands += our.map_or(0, |our| u32::from(our.ran));
        let late = late(attempts, commands);
        let (same, what) = match (our, their) {
            (Some(our), Some(their)) if our.what == their.what => {
                let in_time = their.at.checked_sub(our.at).is_some_and(|by| by <= late);
                (in_time, format!("{:?} {:?} {}", our.at, their.at, our.what))
            }
            (our, their) => (false, format!("expected {our:?}\n  happened {their:?}")),
        };
        differs |= !same;
        writeln!(shown, "{} {what}", if same { " " } else { "!" }).unwrap();
    }
    differs.then_some(shown)
}

/// An event as it is compared.
#[derive(Debug)]
struct Seen {
    at: Duration,
    attempt: u32,
    /// Whether it is the end of a command.
    ran: bool,
    what: String,
}

fn json(record: &Record) -> Value {
    serde_json::to_value(record).unwrap()
}

fn events(record: &Value) -> Vec<Seen> {
    let servers = record["servers"].as_array().unwrap();
    let seen = |event: &Value| {
        let mut event = event.clone();
        let at = event.as_object_mut().unwrap().remove("at").unwrap().as_f64().unwrap();
        forget(&mut event);
        let attempt = u32::try_from(event["attempt"].as_u64().unwrap_or(0)).unwrap();
        let ran = event["event"] == "ran";
        // Each has its own names for the servers.
        let names = servers.iter().map(|name| name.as_str().unwrap()).enumerate();
        let what = names.fold(event.to_string(), |what, (place, name)| {
            what.replace(name, &format!("server {}", place + 1))
        });
        Seen { at: Duration::from_secs_f64(at), attempt, ran, what }
    };
    record["events"].as_array().unwrap().iter().map(seen).collect()
}

/// Forgets what is the network's own, however deep.
fn forget(value: &mut Value) {
    if let Value::Object(map) = value {
        map.retain(|key, _| !NETWORKS_OWN.contains(&&**key));
        map.values_mut().for_each(forget);
    }
}
