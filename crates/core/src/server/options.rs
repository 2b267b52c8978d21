//! Options of one target, behind `#`: `postgres://db#within=5s`, `unix:/run/x.sock#as=redis`.
//!
//! They are for redial alone and never travel. Whether a recipe of that name exists is not known
//! here. Start at [`Options`].

use alloc::{format, sync::Arc};
use core::time::Duration;

use crate::{
    Mistake,
    nearest::{nearest, quoted},
    parse_duration,
};

const NAMES: [&str; 2] = ["within", "as"];

/// What stands behind `#`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Options {
    /// `within=5s`: how long this target may take.
    pub within: Option<Duration>,
    /// `as=redis`: the recipe by which its answers are judged.
    pub as_: Option<Arc<str>>,
}

impl Options {
    /// Reads `within=5s,as=redis`.
    pub(super) fn read(text: &str) -> Result<Self, Mistake> {
        let mut options = Self::default();
        let mut start = 0;
        for option in text.split(',') {
            options.set(option).map_err(|mistake| mistake.shifted(start))?;
            start += option.len() + 1;
        }
        Ok(options)
    }

    /// These, and from `other` what is not set here.
    pub(super) fn or(self, other: &Self) -> Self {
        Self { within: self.within.or(other.within), as_: self.as_.or_else(|| other.as_.clone()) }
    }

    fn set(&mut self, option: &str) -> Result<(), Mistake> {
        let all = 0..option.len();
        let (name, value) = option.split_once('=').unwrap_or((option, ""));
        if value.is_empty() {
            let what = "an option behind `#` has no value";
            return Err(Mistake::new(all, what, "write #within=5s or #as=redis"));
        }
        let after = name.len() + 1;
        match name {
            "within" if self.within.is_none() => {
                let within = parse_duration(value).map_err(|mistake| mistake.shifted(after))?;
                self.within = Some(within);
            }
            "as" if self.as_.is_none() => self.as_ = Some(value.into()),
            "within" | "as" => {
                let what = format!("the option `{name}` stands there twice");
                return Err(Mistake::new(all, what, "write it once"));
            }
            _ => {
                let what = format!("no option behind `#` is called {}", quoted(name));
                let instead = match nearest(name, NAMES) {
                    Some(name) => format!("the nearest is `{name}`"),
                    None => "write #within=5s or #as=redis".into(),
                };
                return Err(Mistake::new(0..name.len(), what, instead));
            }
        }
        Ok(())
    }
}
