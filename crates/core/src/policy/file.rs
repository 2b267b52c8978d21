//! Reads a policy file: TOML, table by table.
//!
//! No untagged guessing: each key has one reader, an unknown key is a mistake with the nearest
//! right one, and every mistake points at the characters that caused it, in clauses too. It only
//! fills a [`PolicyBuilder`]. Start at [`read`].

use alloc::{borrow::Cow, format, string::String, vec::Vec};
use core::{ops::Range, time::Duration};

use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::{Policy, PolicyBuilder};
use crate::{
    Answer, Clause, Limits, Mistake, Recipe, Rounds, Server, Target, Verb, nearest::nearest,
    nearest::quoted, quantity::parse_duration,
};

/// A policy file is written by a person: more than this is not one.
const LARGEST: usize = 1024 * 1024;

const KEYS: [&str; 12] = [
    "servers",
    "as",
    "clauses",
    "expect",
    "send",
    "deadline",
    "rounds",
    "healthy-after",
    "only",
    "else",
    "finally",
    "limits",
];
const LIMITS: [&str; 7] = ["connect", "tls", "reply", "idle", "max-time", "dead", "settle"];

pub(super) fn read(verb: Verb, text: &str) -> Result<PolicyBuilder, Mistake> {
    if text.len() > LARGEST {
        let what = format!("a policy of {} is too large", crate::Bytes(text.len() as u64));
        return Err(Mistake::new(0..0, what, "1 MiB is the most; is it the right file?"));
    }
    let table = DeTable::parse(text).map_err(|error| {
        let at = error.span().unwrap_or(0..0);
        let said = error.message().lines().collect::<Vec<_>>().join(", ");
        let begins = text.get(at.start..).and_then(|rest| rest.chars().next());
        if let Some(quote @ ('“' | '”' | '„' | '‘' | '’' | '«' | '»')) = begins {
            let what = format!("{quote} is a typographic quote");
            return Mistake::new(at, what, "write straight quotes: \"…\" or '…'");
        }
        let what = format!("this is not TOML: {}", crate::printable(&said));
        Mistake::new(
            at,
            what,
            "a policy is lines like `deadline = \"2m\"`; print one: redial help policy",
        )
    })?;
    let file = File { text };
    refuse_two_judges(table.get_ref())?;
    let mut policy = Policy::build(verb);
    for (key, value) in in_order(table.get_ref()) {
        policy = file.key(policy, key, value)?;
    }
    Ok(policy)
}

/// `as` judges nothing where `expect` or `send` says how to judge.
fn refuse_two_judges(table: &DeTable<'_>) -> Result<(), Mistake> {
    let Some((recipe, _)) = table.get_key_value("as") else { return Ok(()) };
    match ["expect", "send"].into_iter().find(|key| table.get(*key).is_some()) {
        Some(other) => {
            let what = format!("`as` and `{other}` both say how a server is judged");
            Err(Mistake::new(recipe.span(), what, "leave one of them out"))
        }
        None => Ok(()),
    }
}

/// A table's keys as they stand in the file, so that the first mistake is the topmost.
fn in_order<'a, 't>(table: &'t DeTable<'a>) -> Vec<(&'t Key<'a>, &'t Value<'a>)> {
    let mut entries: Vec<_> = table.iter().collect();
    entries.sort_by_key(|(key, _)| key.span().start);
    entries
}

/// The text, to find positions in.
struct File<'a> {
    text: &'a str,
}

type Key<'a> = Spanned<Cow<'a, str>>;
type Value<'a> = Spanned<DeValue<'a>>;

impl File<'_> {
    fn key(
        &self,
        policy: PolicyBuilder,
        key: &Key<'_>,
        value: &Value<'_>,
    ) -> Result<PolicyBuilder, Mistake> {
        let name: &str = key.get_ref();
        match name {
            "servers" => {
                let servers = self.servers(value)?;
                Ok(policy.servers(servers))
            }
            "clauses" => match value.get_ref() {
                DeValue::Array(list) => {
                    let mut policy = policy;
                    for item in list.iter() {
                        let clauses = self.text_of(item, Clause::parse_all)?;
                        policy = policy.then(clauses);
                    }
                    Ok(policy)
                }
                _ => self.text_of(value, |text| policy.except(text)),
            },
            "else" => self.text_of(value, |text| policy.otherwise(text)),
            "finally" => self.text_of(value, |text| policy.finally(text)),
            "expect" => self.text_of(value, Answer::parse).map(|answer| policy.expect(answer)),
            "send" => self.text_of(value, |text| Ok(policy.send(text.as_bytes()))),
            "deadline" => self.text_of(value, some_time).map(|limit| policy.deadline(limit)),
            "healthy-after" => {
                self.text_of(value, parse_duration).map(|time| policy.healthy_after(time))
            }
            "rounds" => match value.get_ref() {
                DeValue::Integer(number) => number
                    .as_str()
                    .parse::<Rounds>()
                    .map_err(|mistake| Mistake { at: value.span(), ..mistake }),
                _ => self.text_of(value, str::parse::<Rounds>),
            }
            .map(|rounds| policy.rounds(rounds)),
            "only" => match value.get_ref() {
                DeValue::Boolean(only) => Ok(policy.only(*only)),
                other => Err(wrong_type(value, other, "`true` or `false`")),
            },
            "limits" => match value.get_ref() {
                DeValue::Table(table) => {
                    let mut policy = policy;
                    for (key, value) in in_order(table) {
                        policy = self.limit(policy, key, value)?;
                    }
                    Ok(policy)
                }
                other => Err(wrong_type(value, other, "a table: `[limits]` on a line of its own")),
            },
            "as" => self.text_of(value, Recipe::named).map(|recipe| policy.recipe(recipe)),
            other if LIMITS.contains(&other) => Err(Mistake::new(
                key.span(),
                format!("`{other}` is a limit"),
                format!("put it below a line `[limits]`, at the end: `{other} = \"5s\"`"),
            )),
            other => Err(unknown_key(other, key.span(), &KEYS)),
        }
    }

    fn limit(
        &self,
        policy: PolicyBuilder,
        key: &Key<'_>,
        value: &Value<'_>,
    ) -> Result<PolicyBuilder, Mistake> {
        let set: fn(&mut Limits, Option<Duration>) = match &**key.get_ref() {
            "connect" => |limits, time| limits.connect = time.unwrap_or(limits.connect),
            "tls" => |limits, time| limits.tls = time.unwrap_or(limits.tls),
            "reply" => |limits, time| limits.reply = time.unwrap_or(limits.reply),
            "idle" => |limits, time| limits.idle = time,
            "max-time" => |limits, time| limits.max_time = time,
            "dead" => |limits, time| limits.dead = time,
            "settle" => |limits, time| limits.settle = time.unwrap_or_default(),
            other if KEYS.contains(&other) => {
                return Err(Mistake::new(
                    key.span(),
                    format!("`{other}` stands below `[limits]`, so it would be a limit"),
                    "move it above the first line in [brackets]",
                ));
            }
            other => return Err(unknown_key(other, key.span(), &LIMITS)),
        };
        let may_be_off = matches!(&**key.get_ref(), "idle" | "max-time" | "dead" | "settle");
        let time = self.text_of(value, |text| {
            if may_be_off && text == "off" { Ok(None) } else { some_time(text).map(Some) }
        })?;
        let policy = policy.limits(|limits| set(limits, time));
        Ok(match (&**key.get_ref(), time) {
            ("tls", Some(time)) => policy.tls_limit(time),
            ("reply", Some(time)) => policy.reply_limit(time),
            _ => policy,
        })
    }

    fn servers(&self, value: &Value<'_>) -> Result<Vec<Server>, Mistake> {
        let DeValue::Array(array) = value.get_ref() else {
            return match value.get_ref() {
                DeValue::String(_) => self.text_of(value, Target::parse).map(Target::into_servers),
                other => Err(wrong_type(
                    value,
                    other,
                    "a list: `servers = [\"db1:5432\", \"db2:5432\"]`",
                )),
            };
        };
        if array.is_empty() {
            return Err(Mistake::new(
                value.span(),
                "the list of servers is empty",
                "name at least one, as in `[\"db1:5432\"]`, or leave the key out",
            ));
        }
        let mut servers = Vec::new();
        for item in array.iter() {
            servers.extend(self.text_of(item, Target::parse)?.into_servers());
        }
        Ok(servers)
    }

    /// Reads a string with a reader of its own, whose positions become positions in the file.
    fn text_of<T>(
        &self,
        value: &Value<'_>,
        read: impl FnOnce(&str) -> Result<T, Mistake>,
    ) -> Result<T, Mistake> {
        let DeValue::String(text) = value.get_ref() else {
            let wanted = match value.get_ref() {
                DeValue::Integer(_) | DeValue::Float(_) => {
                    "text in quotes; a time has a unit, as in `\"30s\"`"
                }
                _ => "text in quotes",
            };
            return Err(wrong_type(value, value.get_ref(), wanted));
        };
        read(text).map_err(|mistake| match self.content_start(&value.span(), text) {
            Some(start) => mistake.shifted(start),
            None => Mistake { at: value.span(), ..mistake },
        })
    }

    /// Where a string's content begins in the file, if it stands there letter for letter.
    fn content_start(&self, span: &Range<usize>, content: &str) -> Option<usize> {
        let raw = self.text.get(span.clone())?;
        let quote =
            ["'''", "\"\"\"", "'", "\""].into_iter().find(|quote| raw.starts_with(quote))?;
        let inside = raw.strip_prefix(quote)?;
        // TOML leaves out a newline right behind three opening quotes.
        let letters = match quote.len() {
            3 => {
                inside.strip_prefix("\r\n").or_else(|| inside.strip_prefix('\n')).unwrap_or(inside)
            }
            _ => inside,
        };
        (letters.strip_suffix(quote)? == content).then_some(span.end - quote.len() - content.len())
    }
}

fn some_time(text: &str) -> Result<Duration, Mistake> {
    let time = parse_duration(text)?;
    if time.is_zero() {
        return Err(Mistake::new(
            0..text.len(),
            "a limit of 0 would end everything at once",
            "write how long, as in `5s`",
        ));
    }
    Ok(time)
}

fn unknown_key(name: &str, at: Range<usize>, keys: &[&'static str]) -> Mistake {
    let what = format!("there is no key {}", quoted(name));
    let near = match name {
        "timeout" => Some("deadline"),
        "server" | "target" | "targets" => Some("servers"),
        "except" | "clause" | "rules" => Some("clauses"),
        "otherwise" => Some("else"),
        _ => nearest(name, keys.iter().copied()),
    };
    let instead = match near.filter(|near| keys.contains(near)) {
        Some(near) => format!("the nearest is `{near}`"),
        None => format!("the keys here are {}", keys.join(", ")),
    };
    Mistake::new(at, what, instead)
}

fn wrong_type(value: &Value<'_>, found: &DeValue<'_>, wanted: &str) -> Mistake {
    let found: String = match found {
        DeValue::String(_) => "text".into(),
        DeValue::Integer(_) | DeValue::Float(_) => "a number".into(),
        DeValue::Boolean(_) => "true or false".into(),
        DeValue::Datetime(_) => "a date".into(),
        DeValue::Array(_) => "a list".into(),
        DeValue::Table(_) => "a table".into(),
    };
    Mistake::new(value.span(), format!("this is {found}"), format!("it has to be {wanted}"))
}
