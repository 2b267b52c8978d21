//! The step `diagnose`: what each address of a server says, now.
//!
//! Evidence only: every address is dialled once, all at the same time, and its outcome and timing
//! noted. The sentence is the most telling outcome's. Start at [`look`].

use std::{sync::Arc, time::Duration};

use redial_core::{Failure, Kind, Outcome, Place, Server, StepResult, Tried};
use tokio::{
    task::JoinSet,
    time::{Instant, timeout},
};

use crate::{
    Settings, Via,
    cause::Cause,
    dial, lookup,
    socket::{self, Options, Peer},
    via::Through as _,
};

/// A name with more addresses than this is not diagnosed address by address.
const MOST: usize = 16;

/// Asks for the server's addresses and dials each, within `limit` in all.
pub(crate) async fn look(server: &Server, settings: &Settings, limit: Duration) -> StepResult {
    let end = Instant::now() + limit;
    // Through a proxy, its addresses are all that can be seen from here.
    let peers = match settings.via.as_ref().map_or(server.place(), Via::place) {
        Place::Unix { path } => vec![Peer::Unix((&**path).into())],
        Place::Host { host, port } => {
            match tokio::time::timeout_at(end, lookup::lookup(host, *port, settings.family)).await {
                Ok(Ok(addresses)) => addresses.into_iter().take(MOST).map(Peer::Ip).collect(),
                Ok(Err(cause)) => return unresolved(server, settings, cause.kind),
                Err(_) => return unresolved(server, settings, Kind::DnsTemporary),
            }
        }
    };
    let options = Options { bind: settings.bind, dead: settings.limits.dead };
    let patience = settings.limits.connect.min(end - Instant::now());
    let mut dials = JoinSet::new();
    for (index, peer) in peers.into_iter().enumerate() {
        dials.spawn(async move { (index, dial_one(peer, options, patience).await) });
    }
    let mut said = Vec::new();
    while let Some(dialled) = dials.join_next().await {
        said.extend(dialled);
    }
    said.sort_by_key(|(index, _)| *index);
    let mut addresses: Vec<Tried> = said.into_iter().map(|(_, tried)| tried).collect();
    dial::name_loopback(&mut addresses);
    let cause = conclude(server, settings.via.as_ref(), &addresses);
    StepResult::Diagnosed { addresses, cause: Some(cause.into()) }
}

async fn dial_one(peer: Peer, options: Options, patience: Duration) -> Tried {
    let (begun, address) = (Instant::now(), peer.address());
    let outcome = match timeout(patience, socket::dial(peer, options)).await {
        Ok(Ok(_)) => Outcome::Connected,
        Ok(Err((kind, errno))) => Outcome::Failed { kind, errno },
        Err(_) => Outcome::Failed { kind: Kind::ConnectTimeout, errno: None },
    };
    Tried::new(address, outcome, begun.elapsed())
}

fn conclude(server: &Server, via: Option<&Via>, addresses: &[Tried]) -> String {
    let up = addresses.iter().find(|tried| tried.outcome == Outcome::Connected);
    match (up, via) {
        (Some(tried), None) => format!("{} accepts connections now", tried.address),
        (Some(_), Some(via)) => {
            format!("the proxy {via} accepts connections now; only it can see {}", server.label())
        }
        (None, _) => {
            let mut failure = Failure::merge(Arc::clone(server.label()), addresses.to_vec());
            failure.detail = via.and_then(|via| via.not_reached(Cause::new(failure.kind)).detail);
            failure.to_string()
        }
    }
}

fn unresolved(server: &Server, settings: &Settings, kind: Kind) -> StepResult {
    // The name that was looked up.
    let name = settings.via.as_ref().map_or_else(|| server.label().to_string(), Via::to_string);
    let cause = format!("{kind}: {name}: {}", kind.facts().sentence);
    StepResult::Diagnosed { addresses: Vec::new(), cause: Some(cause.into()) }
}
