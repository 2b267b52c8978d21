//! A table of a recipe's file, whose keys are asked for by name.
//!
//! A key that nobody may ask for is a mistake with the nearest right one, and every mistake points
//! at its letters in the file. It knows no key by itself. Start at [`Table`].

use alloc::{borrow::Cow, format, string::String, vec::Vec};
use core::ops::Range;

use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use crate::{
    Mistake,
    nearest::{nearest, quoted},
};

type Value<'a> = Spanned<DeValue<'a>>;

/// A table, and where it stands.
#[derive(Clone)]
pub(super) struct Table<'a> {
    file: &'a str,
    table: &'a DeTable<'a>,
    pub(super) at: Range<usize>,
}

/// A string, and where its letters stand if they stand in the file one by one.
#[derive(Clone)]
pub(super) struct Text<'a> {
    pub(super) text: &'a str,
    pub(super) at: Range<usize>,
    start: Option<usize>,
}

impl<'a> Table<'a> {
    /// The whole file.
    pub(super) fn of(file: &'a str, root: &'a Spanned<DeTable<'a>>) -> Self {
        Self { file, table: root.get_ref(), at: 0..0 }
    }

    /// Refuses keys that are not among these.
    pub(super) fn only(self, keys: &[&'static str]) -> Result<Self, Mistake> {
        let unknown = self.table.iter().filter(|(key, _)| !keys.contains(&&**key.get_ref()));
        let Some((key, _)) = unknown.min_by_key(|(key, _)| key.span().start) else {
            return Ok(self);
        };
        let name: &Cow<'_, str> = key.get_ref();
        let instead = match nearest(name, keys.iter().copied()) {
            Some(near) => format!("the nearest is `{near}`"),
            None => format!("the keys here are {}", keys.join(", ")),
        };
        Err(Mistake::new(key.span(), format!("there is no key {}", quoted(name)), instead))
    }

    fn get(&self, key: &str) -> Option<&'a Value<'a>> {
        self.table.get(key)
    }

    /// A string.
    pub(super) fn text(&self, key: &str) -> Result<Option<Text<'a>>, Mistake> {
        self.get(key).map(|value| self.text_of(value)).transpose()
    }

    /// A string that has to be there.
    pub(super) fn needed(&self, key: &str, example: &str) -> Result<Text<'a>, Mistake> {
        self.text(key)?.ok_or_else(|| {
            let what = format!("the key `{key}` is missing");
            Mistake::new(self.at.clone(), what, format!("write {example}"))
        })
    }

    /// Strings in a list.
    pub(super) fn texts(&self, key: &str) -> Result<Vec<Text<'a>>, Mistake> {
        let Some(value) = self.get(key) else { return Ok(Vec::new()) };
        match value.get_ref() {
            DeValue::Array(items) => items.iter().map(|item| self.text_of(item)).collect(),
            _ => Err(wrong_type(value, "a list: [\"…\", \"…\"]")),
        }
    }

    /// A whole number up to `most`.
    pub(super) fn number(&self, key: &str, most: usize) -> Result<Option<usize>, Mistake> {
        let Some(value) = self.get(key) else { return Ok(None) };
        let number = match value.get_ref() {
            DeValue::Integer(number) => number.as_str().parse().ok(),
            _ => None,
        };
        let number = number.filter(|number| *number <= most);
        number.map(Some).ok_or_else(|| wrong_type(value, &format!("a number from 0 to {most}")))
    }

    /// `true` or `false`.
    pub(super) fn flag(&self, key: &str) -> Result<Option<bool>, Mistake> {
        let Some(value) = self.get(key) else { return Ok(None) };
        match value.get_ref() {
            DeValue::Boolean(flag) => Ok(Some(*flag)),
            _ => Err(wrong_type(value, "`true` or `false`")),
        }
    }

    /// A table in the table.
    pub(super) fn table(&self, key: &str) -> Result<Option<Self>, Mistake> {
        self.get(key).map(|value| self.table_of(value)).transpose()
    }

    /// Tables in a list, `most` at most.
    pub(super) fn tables(&self, key: &str, most: usize) -> Result<Vec<Self>, Mistake> {
        let Some(value) = self.get(key) else { return Ok(Vec::new()) };
        match value.get_ref() {
            DeValue::Array(items) if items.len() > most => {
                let what = format!("`{key}` has {} entries", items.len());
                Err(Mistake::new(value.span(), what, format!("write {most} at most")))
            }
            DeValue::Array(items) => items.iter().map(|item| self.table_of(item)).collect(),
            _ => Err(wrong_type(value, &format!("a list of tables: [[{key}]]"))),
        }
    }

    /// Returns true if it is a list, where it could be text as well.
    pub(super) fn is_list(&self, key: &str) -> bool {
        self.get(key).is_some_and(|value| matches!(value.get_ref(), DeValue::Array(_)))
    }

    /// Whether it is a table, where it could be something else as well.
    pub(super) fn is_table(&self, key: &str) -> bool {
        self.get(key).is_some_and(|value| matches!(value.get_ref(), DeValue::Table(_)))
    }

    fn table_of(&self, value: &'a Value<'a>) -> Result<Self, Mistake> {
        match value.get_ref() {
            DeValue::Table(table) => Ok(Self { file: self.file, table, at: value.span() }),
            _ => Err(wrong_type(value, "a table: { key = value }")),
        }
    }

    fn text_of(&self, value: &'a Value<'a>) -> Result<Text<'a>, Mistake> {
        match value.get_ref() {
            DeValue::String(text) => {
                let start = content_start(self.file, &value.span(), text);
                Ok(Text { text, at: value.span(), start })
            }
            _ => Err(wrong_type(value, "text in quotes")),
        }
    }
}

impl Text<'_> {
    /// Reads it with a reader of its own, whose positions become positions in the file.
    pub(super) fn read<T>(
        &self,
        read: impl FnOnce(&str) -> Result<T, Mistake>,
    ) -> Result<T, Mistake> {
        read(self.text).map_err(|mistake| match self.start {
            Some(start) => mistake.shifted(start),
            None => Mistake { at: self.at.clone(), ..mistake },
        })
    }

    /// One of these words.
    pub(super) fn one_of<T: Copy>(&self, words: &[(&'static str, T)]) -> Result<T, Mistake> {
        if let Some((_, meant)) = words.iter().find(|(word, _)| *word == self.text) {
            return Ok(*meant);
        }
        let names = words.iter().map(|(word, _)| *word);
        let instead = match nearest(self.text, names.clone()) {
            Some(near) => format!("the nearest is `{near}`"),
            None => format!("write {}", names.collect::<Vec<_>>().join(", ")),
        };
        Err(self.mistake(format!("{} is not among the words here", quoted(self.text)), instead))
    }

    pub(super) fn mistake(&self, what: impl Into<String>, instead: impl Into<String>) -> Mistake {
        Mistake::new(self.at.clone(), what, instead)
    }
}

/// Where a string's content begins in the file, if it stands there letter for letter.
fn content_start(file: &str, span: &Range<usize>, content: &str) -> Option<usize> {
    let raw = file.get(span.clone())?;
    let quote = ["'''", "\"\"\"", "'", "\""].into_iter().find(|quote| raw.starts_with(quote))?;
    let start = span.end.checked_sub(quote.len() + content.len())?;
    (file.get(start..span.end - quote.len())? == content).then_some(start)
}

fn wrong_type(value: &Value<'_>, wanted: &str) -> Mistake {
    let found = match value.get_ref() {
        DeValue::String(_) => "text",
        DeValue::Integer(_) | DeValue::Float(_) => "a number",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    };
    Mistake::new(value.span(), format!("this is {found}"), format!("it has to be {wanted}"))
}
