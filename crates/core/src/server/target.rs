//! One or more servers of which any will do: `db1:5432,db2:5432`.
//!
//! Only the commas are read here, each server by its own reader. Start at [`Target`].

use alloc::{format, string::String, vec, vec::Vec};
use core::{fmt, ops::Range, str::FromStr, time::Duration};

use serde::{Serialize, Serializer};

use super::{
    Overrides, Place, Secret, Server,
    mask::{Masked, secrets},
    options::{FLAGS, LISTS, continues},
    read,
};
use crate::{Mistake, Scheme, nearest::quoted};

/// One or more servers of which any will do.
///
/// In a URL a comma separates hosts that share all the rest of it, as drivers of MongoDB and
/// PostgreSQL have it (`mongodb://a:1,b:2/db`); after a path or a query it belongs to that. A
/// protocol after a comma begins another server. Options at the end hold for the servers before
/// that have none of their own. A `|` separates as a comma does.
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
            let mut groups = Vec::new();
            for piece in pieces(&masked.text, 0..masked.text.len(), &[',', '|']) {
                groups.push(read_piece(text, &masked, piece)?);
            }
            shared(groups, masked.text.len())
        };
        let servers = read().map_err(|mistake| masked.in_original(mistake))?;
        Ok(Self { servers })
    }

    /// Reads a list of targets: what commas, blanks or lines separate. The hosts of one URL stay
    /// one target, and so do servers with a `|` between them.
    ///
    /// ```
    /// # use redial_core::Target;
    /// let targets = Target::list("db1:5432|db2:5432, cache:6379")?;
    /// assert_eq!(targets.len(), 2);
    /// assert_eq!(targets[0].servers().len(), 2);
    /// # Ok::<(), redial_core::Mistake>(())
    /// ```
    ///
    /// # Errors
    /// The first mistake in any of them.
    pub fn list(text: &str) -> Result<Vec<Self>, Mistake> {
        let mut targets = Vec::new();
        for word in words(text) {
            let masked =
                Masked::of(&text[word.clone()]).map_err(|mistake| mistake.shifted(word.start))?;
            let text = &text[word.clone()];
            for piece in pieces(&masked.text, 0..masked.text.len(), &[',']) {
                let groups = pieces(&masked.text, piece.clone(), &['|'])
                    .into_iter()
                    .map(|at| read_piece(text, &masked, at));
                let groups = groups.collect::<Result<_, _>>();
                let servers = groups.and_then(|groups| {
                    refuse_blank(text)?;
                    shared(groups, piece.end)
                });
                let servers =
                    servers.map_err(|mistake| masked.in_original(mistake).shifted(word.start))?;
                targets.push(Self { servers });
            }
        }
        if targets.is_empty() {
            let what = "a list of servers names none";
            return Err(Mistake::new(0..text.len(), what, "write db:5432,cache:6379"));
        }
        Ok(targets)
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

/// The servers in a part of a text, between those of these marks that separate.
fn pieces(text: &str, part: Range<usize>, marks: &[char]) -> Vec<Range<usize>> {
    let mut pieces = Vec::new();
    let mut start = part.start;
    for (at, mark) in text[part.clone()].match_indices(marks) {
        let at = part.start + at;
        let (before, after) = (&text[start..at], &text[at + 1..part.end]);
        let is_end = match mark {
            "|" => stands_between(before, after),
            _ => separates(before, after),
        };
        if is_end {
            pieces.push(start..at);
            start = at + 1;
        }
    }
    pieces.push(start..part.end);
    pieces
}

/// Whether a `|` between the two separates them, and is no part of a path or of an option.
fn stands_between(before: &str, after: &str) -> bool {
    let has_path = before.split_once("://").is_some_and(|(_, rest)| rest.contains(['/', '?']));
    begins_server(after) || !has_path && !before.contains('#')
}

/// Whether a comma between the two ends a server.
fn separates(before: &str, after: &str) -> bool {
    if begins_server(after) {
        return true;
    }
    let parts = read::Parts::of(before);
    if parts.fragment.is_some() && parts.options.is_none() {
        return false;
    }
    if let Some(options) = parts.options {
        let name = after.split([':', '/', '=', ',', '#']).next().unwrap_or("");
        let sign = &after[name.len()..];
        let is_flag = FLAGS.contains(&name) && !sign.starts_with(':');
        let last = LISTS.iter().filter_map(|list| options.rfind(&format!("{list}="))).max();
        let word = after.split(',').next().unwrap_or("");
        let continues = last.is_some_and(|at| continues(&options[at..], word));
        return !(sign.starts_with('=') || is_flag || continues);
    }
    // In a URL it separates hosts, or belongs to the path or the query.
    !before.contains("://")
}

/// Whether a text begins with a protocol, or with `unix:`.
fn begins_server(text: &str) -> bool {
    let name = text.split_once("://").map_or("", |(name, _)| name);
    Scheme::named(name).is_some() || text.starts_with("unix:")
}

/// The servers of one piece of a text.
fn read_piece(text: &str, masked: &Masked, piece: Range<usize>) -> Result<Vec<Server>, Mistake> {
    let start = piece.start;
    let written =
        |at: Range<usize>| String::from(masked.written(text, &(at.start + start..at.end + start)));
    let mut servers = read::servers(&masked.text[piece.clone()], &written)
        .map_err(|mistake| mistake.shifted(start))?;
    let password = masked.password(&piece);
    for server in &mut servers {
        server.had_password = masked.had_password(&piece);
        server.password_is_parameter =
            password.as_ref().is_some_and(|(_, is_parameter)| *is_parameter);
        server.password = password.as_ref().map(|(at, _)| Secret::new(&text[at.clone()]));
    }
    Ok(servers)
}

/// Gives the options of the last piece to the servers before it, where they have none.
fn shared(groups: Vec<Vec<Server>>, end: usize) -> Result<Vec<Server>, Mistake> {
    let last = groups.len().saturating_sub(1);
    let mut servers: Vec<(bool, Server)> = Vec::new();
    for (index, group) in groups.into_iter().enumerate() {
        servers.extend(group.into_iter().map(|server| (index == last, server)));
    }
    let last = servers.last().map(|(_, server)| server.clone());
    let options = last.as_ref().map(|last| last.options.clone()).unwrap_or_default();
    let mut own = Vec::with_capacity(servers.len());
    for (is_last, server) in &mut servers {
        own.push((!*is_last).then(|| server.options.overrides.clone()));
        server.options = core::mem::take(&mut server.options).or(&options.without_probes());
        // What is asked of one protocol is not asked of another.
        if last.as_ref().is_some_and(|last| last.protocol() == server.protocol()) {
            server.options = core::mem::take(&mut server.options).or(&options);
        }
    }
    let servers: Vec<Server> = servers.into_iter().map(|(_, server)| server).collect();
    for (server, own) in servers.iter().zip(&own) {
        if let Some(own) = own {
            refuse_idle(own, core::slice::from_ref(server), end)?;
        }
    }
    refuse_idle(&options.overrides, &servers, end)?;
    Ok(servers)
}

/// Refuses options that none of these servers has a use for.
fn refuse_idle(overrides: &Overrides, servers: &[Server], end: usize) -> Result<(), Mistake> {
    let Some(first) = servers.first() else { return Ok(()) };
    let with_tls = servers.iter().any(Server::may_use_tls);
    if let Some(name) = overrides.only_for_tls().filter(|_| !with_tls) {
        let what = format!("`#{name}` is for TLS, and {} uses none", quoted(first.label()));
        let instead = match first.written_with_tls() {
            Some(text) => format!("write {}", quoted(&format!("{text}#{name}…"))),
            None => format!("leave {name} out"),
        };
        return Err(Mistake::new(0..end, what, instead));
    }
    let is_unix = |server: &Server| matches!(server.place, Place::Unix { .. });
    if overrides.via.is_some() && servers.iter().all(is_unix) {
        let what = format!("`#via` is for hosts, and {} is a Unix socket", quoted(first.label()));
        return Err(Mistake::new(0..end, what, "leave via out"));
    }
    Ok(())
}

/// Refuses a blank within a server of a list, where blanks separate servers.
fn refuse_blank(text: &str) -> Result<(), Mistake> {
    if text.contains(char::is_whitespace) {
        let what = "in a list of servers a blank separates them";
        return Err(Mistake::new(0..0, what, "within an option write %20 for a blank"));
    }
    Ok(())
}

/// The words of a list, without the commas at their ends.
///
/// Where one of them looks like `password=…`, or a password has a blank in it, the text is no list
/// and stays whole: it is refused as one word, with its passwords masked.
fn words(text: &str) -> Vec<Range<usize>> {
    let mut words: Vec<Range<usize>> = Vec::new();
    let hidden = secrets(text);
    let has_blank = |secret: &Range<usize>| text[secret.clone()].contains(char::is_whitespace);
    let mut start = 0;
    for word in text.split(char::is_whitespace) {
        let begin = start + word.len() - word.trim_start_matches(',').len();
        let end = begin + word.trim_matches(',').len();
        start += word.len();
        start += text[start..].chars().next().map_or(0, char::len_utf8);
        if begin < end {
            words.push(begin..end);
        }
    }
    let is_server = |word: &Range<usize>| {
        let word = &text[word.clone()];
        let colon = word.find(':');
        colon.is_some_and(|colon| word.find('=').is_none_or(|equals| colon < equals))
    };
    if words.len() > 1 && (!words.iter().all(is_server) || hidden.iter().any(has_blank)) {
        return core::iter::once(0..text.len()).collect();
    }
    words
}
