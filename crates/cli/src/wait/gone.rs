//! The words of `wait --gone` for a server that was not seen to go.
//!
//! A refused port and an absent socket file are gone. A name that is unknown, or a network that
//! cannot be reached, proves nothing about the server. Start at [`why`].

use redial::{Failure, Kind, Stage};

/// Returns whether the server accepted the connection, whatever it did with it afterwards.
pub(super) fn is_there(failure: &Failure) -> bool {
    failure.kind == Kind::Application || matches!(failure.stage, Stage::Tls | Stage::Expect)
}

/// Returns what is known of the server, and the next step.
pub(super) fn why(failure: &Failure) -> String {
    let server = &failure.server;
    if is_there(failure) {
        return format!("{server}: it is still there; to allow more time: --timeout 2m");
    }
    let kind = failure.kind;
    match kind {
        Kind::DnsNotFound => format!(
            "{kind}: {server}: no such name, so no server was ever seen there. Is it spelled \
             right? To count an unknown name as gone: --except 'dns-not-found: exit 0'"
        ),
        _ => format!(
            "{failure}; this does not show that it is gone. To count that as gone: \
             --except '{kind}: exit 0'"
        ),
    }
}
