//! Reads a recipe's file: TOML, key by key.
//!
//! An unknown key is a mistake with the nearest right one, and every mistake points at the letters
//! that caused it, inside patterns and words too. The keys are described at [`super::Recipe`], and
//! for people in `docs/recipes.md`. Start at [`read`].

use alloc::{boxed::Box, collections::BTreeMap, format, string::String, vec::Vec};

use toml::de::DeTable;

use super::{
    First, LIMIT, Leaves, Parts,
    example::Example,
    expected::{MOST, Then, sentence},
    frame::{Frame, Words},
    http::Reads,
    login::base64_decoded,
    only::Only,
    said::{Said, Size, escape},
    step::{Choice, Choices, Pattern, Step},
    table::{Table, Text},
};
use crate::{Kind, Mistake, nearest::quoted, parse_duration, parse_size};

/// A recipe is written by a person: more than this is not one.
const LARGEST: usize = 256 << 10;
const MOST_STEPS: usize = 32;
const MOST_EXAMPLES: usize = 256;
/// The largest limit on what is heard in one step.
const LARGEST_LIMIT: usize = 1 << 20;

/// Patterns that were compiled before: the same refusal may come in several places.
type Seen = BTreeMap<String, Pattern>;

pub(super) fn read(file: &str) -> Result<Parts, Mistake> {
    if file.len() > LARGEST {
        let what = format!("a recipe of {} is too large", crate::Bytes(file.len() as u64));
        return Err(Mistake::new(0..0, what, "256 KiB is the most; is it the right file?"));
    }
    let root = DeTable::parse(file).map_err(|error| {
        let said = error.message().lines().collect::<Vec<_>>().join(", ");
        let what = format!("this is not TOML: {}", crate::printable(&said));
        let at = error.span().unwrap_or(0..0);
        Mistake::new(at, what, "a recipe is lines like `name = \"redis\"`; see docs/recipes.md")
    })?;
    let top = Table::of(file, &root).only(&[
        "name", "about", "ready", "source", "port", "schemes", "alpn", "probe", "answer", "example",
    ])?;
    let port = top.number("port", 65535)?.and_then(|port| u16::try_from(port).ok());
    let schemes = top.texts("schemes")?;
    let probe = top.table("probe")?;
    let answer = top.table("answer")?;
    let mut parts = Parts {
        name: name(&top.needed("name", "name = \"redis\"")?)?,
        about: about(&top, "about")?,
        ready: sentence(top.needed("ready", "in a sentence what ready means")?.text).into(),
        source: about(&top, "source")?,
        port: port.filter(|port| *port > 0),
        schemes: schemes.iter().map(name).collect::<Result<_, _>>()?,
        alpn: top.text("alpn")?.as_ref().map(name).transpose()?,
        within: None,
        leaves: Leaves::Spent,
        logs: Box::default(),
        steps: Box::default(),
        bye: Said::default(),
        answer: None,
        examples: Box::default(),
    };
    if probe.is_none() && answer.is_none() {
        let what = "the recipe has neither a probe nor an answer";
        return Err(Mistake::new(0..0, what, "write a table [probe], or [answer]"));
    }
    let mut seen = Seen::new();
    if let Some(probe) = probe {
        read_probe(&probe, &mut seen, &mut parts)?;
    }
    if let Some(table) = answer {
        let table = table.only(&["first", "expect", "frame", "limit", "words"])?;
        let first = table.needed("first", "first = \"server\", or \"client\"")?;
        let first = first.one_of(&[("server", First::Server), ("client", First::Client)])?;
        let choices = choices(&table, &[], &mut seen)?.ok_or_else(|| {
            Mistake::new(table.at.clone(), "the answer expects nothing", "write expect = [ … ]")
        })?;
        if choices.all.iter().any(|choice| matches!(choice.then, Then::Next | Then::Tls)) {
            let what = "an answer has no steps";
            let instead = "let it lead to ready, again, unavailable or unexpected-response";
            return Err(Mistake::new(table.at.clone(), what, instead));
        }
        parts.answer = Some((first, choices.made(None)?));
    }
    let examples = top.tables("example", MOST_EXAMPLES)?;
    parts.examples = examples.into_iter().map(example).collect::<Result<_, _>>()?;
    Ok(parts)
}

fn read_probe(probe: &Table<'_>, seen: &mut Seen, parts: &mut Parts) -> Result<(), Mistake> {
    let probe = probe.clone().only(&["leaves", "logs", "within", "bye", "bye-bytes", "step"])?;
    let leaves = probe.needed("leaves", "leaves = \"clean\", or \"spent\"")?;
    parts.leaves = leaves.one_of(&[("clean", Leaves::Clean), ("spent", Leaves::Spent)])?;
    parts.logs = about(&probe, "logs")?;
    parts.within = probe.text("within")?.map(|text| text.read(parse_duration)).transpose()?;
    parts.bye = said(&probe, "bye", "bye-bytes")?;
    if parts.bye.has_proof() {
        let what = "a goodbye holds no proof";
        return Err(Mistake::new(probe.at.clone(), what, "write it into a step"));
    }
    let tables = probe.tables("step", MOST_STEPS)?;
    let names = tables.iter().map(|table| table.text("name"));
    let names: Vec<_> = names.collect::<Result<_, _>>()?;
    for (index, name) in names.iter().enumerate() {
        let Some(name) = name else { continue };
        let twice = names[..index].iter().flatten().any(|other| other.text == name.text);
        if twice || word(name.text).is_some() {
            let what = format!("no step can be called {}", quoted(name.text));
            return Err(name.mistake(what, "choose a name that means nothing else"));
        }
    }
    let names: Vec<_> = names.iter().map(|name| name.as_ref().map(|name| name.text)).collect();
    let steps = tables.into_iter().map(|table| step(table, &names, seen));
    parts.steps = steps.collect::<Result<_, _>>()?;
    Ok(())
}

fn step(table: Table<'_>, names: &[Option<&str>], seen: &mut Seen) -> Result<Step, Mistake> {
    let table = table.only(&[
        "name",
        "only",
        "send",
        "send-bytes",
        "expect",
        "frame",
        "limit",
        "words",
        "reads",
        "then",
    ])?;
    let only = only(&table)?;
    let reads = table.text("reads")?;
    let reads = reads
        .map(|text| text.one_of(&[("http-body", Reads::Body), ("http-redirect", Reads::Redirect)]))
        .transpose()?;
    let expect = choices(&table, names, seen)?;
    let then = match (table.text("then")?, &expect) {
        (None, _) => Then::Next,
        (Some(text), None) => then(&text, names)?,
        (Some(text), Some(_)) => {
            let what = "a step that expects something goes where the answer leads";
            return Err(text.mistake(what, "write `then` into the alternatives"));
        }
    };
    if reads.is_some() && expect.is_some() {
        let what = "a step reads an HTTP answer, or expects something";
        return Err(Mistake::new(table.at.clone(), what, "leave `expect` out"));
    }
    Ok(Step { only, send: said(&table, "send", "send-bytes")?, expect, reads, then })
}

/// Reads `expect`, and how it is to be read.
fn choices(
    table: &Table<'_>,
    names: &[Option<&str>],
    seen: &mut Seen,
) -> Result<Option<Choices>, Mistake> {
    let tables = table.tables("expect", MOST)?;
    let limit = table.text("limit")?.map(|text| limit(&text)).transpose()?;
    let (frame, words) = (frame(table)?, words(table)?);
    if tables.is_empty() {
        return Ok(None);
    }
    let all = tables.into_iter().map(|table| choice(table, names, seen));
    let all = all.collect::<Result<_, _>>()?;
    let (frame, words) = (frame, words.unwrap_or_default());
    Ok(Some(Choices { all, frame, limit: limit.unwrap_or(LIMIT), words }))
}

fn choice(table: Table<'_>, names: &[Option<&str>], seen: &mut Seen) -> Result<Choice, Mistake> {
    let table = table.only(&["only", "match", "then", "says", "words", "bye", "proves"])?;
    let text = table.needed("match", "match = '^+PONG'")?;
    let pattern = match seen.get(text.text) {
        Some(pattern) => pattern.clone(),
        None => {
            let pattern = text.read(Pattern::parse)?;
            seen.insert(text.text.into(), pattern.clone());
            pattern
        }
    };
    let then = then(&table.needed("then", "then = \"ready\"")?, names)?;
    let says = table.text("says")?.map(|says| sentence(says.text).into());
    let bye = table.flag("bye")?.unwrap_or(true);
    let proves = table.flag("proves")?.unwrap_or(false);
    Ok(Choice { only: only(&table)?, pattern, then, says, words: words(&table)?, bye, proves })
}

fn only(table: &Table<'_>) -> Result<Option<Only>, Mistake> {
    if table.is_list("only") {
        let conditions = table.texts("only")?;
        let all = conditions.iter().try_fold(Only::default(), |only, text| only.and(text))?;
        return Ok((!conditions.is_empty()).then_some(all));
    }
    table.text("only")?.map(|only| Only::default().and(&only)).transpose()
}

/// What a word behind `then` leads to, if it is not the name of a step.
fn word(text: &str) -> Option<Then> {
    Some(match text {
        "ready" => Then::Ready,
        "next" => Then::Next,
        "again" => Then::Again,
        "tls" => Then::Tls,
        "unavailable" => Then::Refused(Kind::Unavailable),
        "denied" => Then::Refused(Kind::Denied),
        "unexpected-response" => Then::Refused(Kind::UnexpectedResponse),
        "tls-handshake" => Then::Refused(Kind::TlsHandshake),
        _ => return None,
    })
}

fn then(text: &Text<'_>, names: &[Option<&str>]) -> Result<Then, Mistake> {
    if let Some(then) = word(text.text) {
        return Ok(then);
    }
    if let Some(step) = names.iter().position(|name| *name == Some(text.text)) {
        return Ok(Then::Step(step));
    }
    let what = format!("{} leads nowhere", quoted(text.text));
    let known = [
        "ready",
        "next",
        "again",
        "tls",
        "unavailable",
        "denied",
        "unexpected-response",
        "tls-handshake",
    ];
    let names = names.iter().flatten().copied();
    let instead = match crate::nearest(text.text, known.into_iter().chain(names)) {
        Some(near) => format!("the nearest is `{near}`"),
        None => format!("write {}, or the name of a step", known.join(", ")),
    };
    Err(text.mistake(what, instead))
}

/// Reads text under one key, or words under the other.
fn said(table: &Table<'_>, text: &str, bytes: &str) -> Result<Said, Mistake> {
    match (table.text(text)?, table.text(bytes)?) {
        (Some(text), None) => text.read(Said::text),
        (None, Some(words)) => words.read(Said::words),
        (None, None) => Ok(Said::default()),
        (Some(_), Some(words)) => {
            let what = format!("`{text}` and `{bytes}` are the same thing");
            Err(words.mistake(what, "write one of them"))
        }
    }
}

fn frame(table: &Table<'_>) -> Result<Frame, Mistake> {
    if !table.is_table("frame") {
        let Some(text) = table.text("frame")? else { return Ok(Frame::Whole) };
        return text.one_of(&[("line", Frame::Line), ("ber", Frame::Ber)]);
    }
    let Some(table) = table.table("frame")? else { return Ok(Frame::Whole) };
    let table = table.only(&["at", "size", "plus"])?;
    let size = table.needed("size", "size = \"u32\"")?;
    let size = Size::named(size.text).ok_or_else(|| {
        size.mistake(format!("{} is no size", quoted(size.text)), "write u8, u16, u24le or u32")
    })?;
    let at = table.number("at", 4096)?.unwrap_or(0);
    Ok(Frame::Length { at, size, plus: table.number("plus", 4096)?.unwrap_or(0) })
}

fn words(table: &Table<'_>) -> Result<Option<Words>, Mistake> {
    if !table.is_table("words") {
        let none = table.flag("words")?.filter(|words| !words);
        return Ok(none.map(|_| Words { skip: usize::MAX, ..Words::default() }));
    }
    let Some(table) = table.table("words")? else { return Ok(None) };
    let table = table.only(&["after", "skip", "until"])?;
    let bytes = |key| -> Result<Option<Box<[u8]>>, Mistake> {
        let Some(text) = table.text(key)? else { return Ok(None) };
        let bytes = text.read(bytes)?;
        if bytes.is_empty() {
            return Err(text.mistake("there are no bytes here", "write some, as in '\\x00M'"));
        }
        Ok(Some(bytes.into()))
    };
    let skip = table.number("skip", LARGEST_LIMIT)?.unwrap_or(0);
    Ok(Some(Words { after: bytes("after")?, skip, until: bytes("until")? }))
}

/// The bytes a text stands for; no placeholders.
pub(super) fn bytes(text: &str) -> Result<Vec<u8>, Mistake> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut at = 0;
    while let Some(letter) = text[at..].chars().next() {
        if letter == '\\' {
            let (byte, length) = escape(&text[at..]).map_err(|mistake| mistake.shifted(at))?;
            bytes.push(byte);
            at += length;
        } else {
            bytes.extend_from_slice(&text.as_bytes()[at..at + letter.len_utf8()]);
            at += letter.len_utf8();
        }
    }
    Ok(bytes)
}

fn example(table: Table<'_>) -> Result<Example, Mistake> {
    let table = table.only(&[
        "about",
        "server",
        "nonce",
        "half",
        "said",
        "said-bytes",
        "sent",
        "sent-bytes",
        "verdict",
        "words",
    ])?;
    let half = table.text("half")?;
    let answer = half.map(|half| half.one_of(&[("probe", false), ("answer", true)])).transpose()?;
    let verdict = table.needed("verdict", "verdict = \"ready\", or a kind of failure")?;
    let kinds = Kind::ALL.map(|kind| (kind.name(), Some(kind)));
    let verdict = match verdict.text {
        "ready" => None,
        _ => verdict.one_of(&kinds)?,
    };
    let messages = |text, words| -> Result<Option<Vec<Vec<u8>>>, Mistake> {
        let (text, words) = (table.texts(text)?, table.texts(words)?);
        let text = text.iter().map(|text| text.read(bytes));
        let words = words.iter().map(|text| {
            text.read(|text| Ok(Said::words(text)?.build(&super::fill::Filler::nobody())?.bytes))
        });
        let all: Vec<_> = text.chain(words).collect::<Result<_, _>>()?;
        Ok((!all.is_empty()).then_some(all))
    };
    let nonce = table.text("nonce")?.map(|nonce| {
        let wrong = || nonce.mistake("a nonce is base64", "write 20 letters, or 24");
        base64_decoded(nonce.text).ok_or_else(wrong)
    });
    Ok(Example {
        about: about(&table, "about")?,
        nonce: nonce.transpose()?.unwrap_or_default(),
        server: table.text("server")?.map(|server| server.text.into()),
        answer: answer.unwrap_or(false),
        said: messages("said", "said-bytes")?.unwrap_or_default(),
        sent: messages("sent", "sent-bytes")?,
        verdict,
        words: about(&table, "words")?,
    })
}

fn about(table: &Table<'_>, key: &str) -> Result<Box<str>, Mistake> {
    Ok(table.text(key)?.map_or_else(String::new, |text| sentence(text.text)).into())
}

fn limit(text: &Text<'_>) -> Result<usize, Mistake> {
    let limit = usize::try_from(text.read(parse_size)?).unwrap_or(usize::MAX);
    if (1..=LARGEST_LIMIT).contains(&limit) {
        return Ok(limit);
    }
    Err(text.mistake(format!("{} is no limit", quoted(text.text)), "write 1 to 1MiB"))
}

/// A name: letters, digits, `-`, `+`, `.`, `/`.
fn name(text: &Text<'_>) -> Result<Box<str>, Mistake> {
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"-+./_".contains(&byte);
    if text.text.is_empty() || text.text.len() > 64 || !text.text.bytes().all(is_name) {
        let what = format!("{} is no name", quoted(text.text));
        return Err(text.mistake(what, "write one of letters, digits and -"));
    }
    Ok(text.text.into())
}
