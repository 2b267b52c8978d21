//! One or more servers of which any will do: `db1:5432,db2:5432`.
//!
//! Only the commas are read here, each server by its own reader. Start at [`Target`].

use alloc::{string::String, vec, vec::Vec};
use core::{fmt, ops::Range, str::FromStr, time::Duration};

use serde::{Serialize, Serializer};

use super::{Server, mask::Masked, read};
use crate::{Mistake, Scheme};

/// One or more servers of which any will do.
///
/// After a path or a query a comma belongs to it, unless a protocol follows. Options at the end
/// hold for the servers before that have none of their own.
///
/// ```
/// # use redial_core::Target;
/// let target: Target = "db1:5432,[::1]:5433#within=5s".parse()?;
/// assert_eq!(target.servers().len(), 2);
/// assert_eq!(target.to_string(), "db1:5432,[::1]:5433");
/// assert_eq!(target.within().map(|within| within.as_secs()), Some(5));
/// # Ok::<(), redial_core::Mistake>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Target {
    /// Never empty.
    servers: Vec<Server>,
}

impl Target {
    /// Reads servers, separated by commas.
    ///
    /// # Errors
    /// The first mistake in any of them.
    pub fn parse(text: &str) -> Result<Self, Mistake> {
        let masked = Masked::of(text)?;
        let read = || {
            read::refuse_clause(&masked.text)?;
            let mut servers = Vec::new();
            for piece in pieces(&masked.text) {
                let mut server = read::server(&masked.text[piece.clone()])
                    .map_err(|mistake| mistake.shifted(piece.start))?;
                server.had_password = masked.had_password(&piece);
                servers.push(server);
            }
            Ok(servers)
        };
        let mut servers: Vec<Server> = read().map_err(|mistake| masked.in_original(mistake))?;
        let last = servers.last().map(|server| server.options.clone()).unwrap_or_default();
        for server in &mut servers {
            server.options = core::mem::take(&mut server.options).or(&last);
        }
        Ok(Self { servers })
    }

    /// Its servers, in the order they were written; at least one.
    #[must_use]
    pub fn servers(&self) -> &[Server] {
        &self.servers
    }

    /// Its servers, in the order they were written; at least one.
    #[must_use]
    pub fn into_servers(self) -> Vec<Server> {
        self.servers
    }

    /// How long it may take: the longest `#within` of its servers.
    #[must_use]
    pub fn within(&self) -> Option<Duration> {
        self.servers.iter().filter_map(|server| server.options.within).max()
    }
}

impl From<Server> for Target {
    fn from(server: Server) -> Self {
        Self { servers: vec![server] }
    }
}

impl FromStr for Target {
    type Err = Mistake;

    fn from_str(text: &str) -> Result<Self, Mistake> {
        Self::parse(text)
    }
}

/// The labels of its servers, separated by commas
impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let labels: Vec<&str> = self.servers.iter().map(|server| &*server.label).collect();
        f.pad(&labels.join(","))
    }
}

impl Serialize for Target {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let label: String = alloc::format!("{self}");
        serializer.serialize_str(&label)
    }
}

/// The servers between the commas that separate.
fn pieces(text: &str) -> Vec<Range<usize>> {
    let mut pieces = Vec::new();
    let mut start = 0;
    for (comma, _) in text.match_indices(',') {
        if separates(&text[start..comma], &text[comma + 1..]) {
            pieces.push(start..comma);
            start = comma + 1;
        }
    }
    pieces.push(start..text.len());
    pieces
}

/// Whether a comma between the two ends a server.
fn separates(before: &str, after: &str) -> bool {
    let name = after.split([':', '/', '=', ',', '#']).next().unwrap_or("");
    let sign = &after[name.len()..];
    if Scheme::named(name).is_some() && sign.starts_with("://") || name == "unix" {
        return true;
    }
    let parts = read::Parts::of(before);
    if parts.fragment.is_some() && parts.options.is_none() {
        return false;
    }
    if before.contains('#') {
        return !(sign.starts_with('=') || name == "starttls" && !sign.starts_with(':'));
    }
    match before.split_once("://") {
        Some((_, rest)) => !rest.contains(['/', '?']),
        None => true,
    }
}
