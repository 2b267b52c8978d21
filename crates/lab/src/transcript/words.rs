//! `as redis not-now` in a script.
//!
//! Which protocols there are is in `protocols`. Start at [`read`].

use super::{PROTOCOLS, Protocol, State};
use crate::behaviour::Behaviour;
use crate::text::ScriptError;
use crate::text::Words;
use crate::text::nearest;
use crate::text::shown;

/// Reads what follows `as`.
pub(crate) fn read(words: &mut Words<'_>) -> Result<Behaviour, ScriptError> {
    let at = words.here();
    let Some(word) = words.word() else {
        return Err(words.missing("a protocol", "as redis not-now"));
    };
    let Ok(protocol) = Protocol::parse(word) else {
        let names = PROTOCOLS.iter().map(Protocol::name);
        let instead = match nearest(word, names.clone()) {
            Some(near) => format!("the nearest is `{near}`"),
            None => format!("there are: {}", names.collect::<Vec<_>>().join(", ")),
        };
        let what = format!("no transcript is called {}", shown(word));
        return Err(ScriptError::new(at, what, instead));
    };
    words.take(word);
    let state = if words.take("not-now") { State::NotNow } else { State::Ready };
    Ok(protocol.in_state(state))
}
