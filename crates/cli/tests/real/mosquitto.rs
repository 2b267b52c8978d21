//! Mosquitto (mosquitto), which speaks MQTT.

use std::process::Command;

use super::{Place, Server, exchange};

pub(crate) const PACKAGE: &str = "mosquitto";

/// Ready: it accepts who does not say his name.
pub(crate) fn start() -> Server {
    Server::start(PACKAGE, "mosquitto", |place| command(place, true), |server| answers(server, 0))
}

/// Wants a name and a password: return code 5.
pub(crate) fn locked() -> Server {
    Server::start(PACKAGE, "mosquitto", |place| command(place, false), |server| answers(server, 5))
}

/// The return code of its CONNACK (MQTT 3.1.1, 3.2.2.3) to a CONNECT without a name.
pub(crate) fn connack(port: u16) -> Option<u8> {
    let said = exchange(port, b"\x10\x0c\0\x04MQTT\x04\x02\0\x0a\0\0\xe0\0");
    match said.as_bytes() {
        [0x20, 2, 0, code] => Some(*code),
        _ => None,
    }
}

fn answers(server: &Server, code: u8) -> bool {
    connack(server.port()) == Some(code)
}

fn command(place: &Place, anonymous: bool) -> Command {
    let port = place.port();
    let text = format!("listener {port} 127.0.0.1\nallow_anonymous {anonymous}\nlog_dest stderr\n");
    let mut command = Command::new("mosquitto");
    command.args(["-c", &place.write("conf", text)]);
    command
}
