//! By what each server of a policy is judged: its protocol's recipe, or nothing.
//!
//! Whether a recipe of that name exists, and can be made for this server, is found here, before
//! anything is dialled. Start at [`Judgement::of`].

use alloc::format;
use core::time::Duration;

use crate::{Expected, First, Mistake, Recipe, Script, Server, Verb, nearest::quoted};

/// By what one server is judged.
#[derive(Clone, Debug)]
pub(super) enum Judgement {
    /// By what the policy says of all of them.
    None,
    /// By a probe, on connections of redial's own.
    Probe { recipe: Recipe, script: Script },
    /// By how it greets.
    Greeting(Expected),
}

impl Judgement {
    /// What this verb makes of the server's recipe: `#as=`, else the policy's, else its scheme's.
    pub(super) fn of(
        verb: Verb,
        policys: Option<&Recipe>,
        server: &Server,
    ) -> Result<Self, Mistake> {
        let recipe = recipe_of(policys, server)?;
        refuse_idle(verb, recipe.as_ref(), server)?;
        let Some(recipe) = recipe else { return Ok(Self::None) };
        match verb {
            Verb::Wait => {
                let script = recipe.script(server)?;
                if script.expects_nothing() {
                    return Ok(Self::None);
                }
                Ok(Self::Probe { recipe, script })
            }
            // What is read to judge is the user's to read, and nothing may be sent: only a server
            // that speaks first can be judged.
            Verb::Connect | Verb::Stay => Ok(match (recipe.first(), recipe.answer()) {
                (Some(First::Server), Some(expected)) => Self::Greeting(expected.clone()),
                _ => Self::None,
            }),
            Verb::Gone => Ok(Self::None),
        }
    }

    /// None of a recipe's, where the policy says what to send or to expect.
    pub(super) fn by_words(server: &Server) -> Result<Self, Mistake> {
        match server.options().for_probes().next() {
            None => Ok(Self::None),
            Some(name) => {
                let label = quoted(server.label());
                let what = format!("--expect or --send judges {label}, and `#{name}` does nothing");
                Err(Mistake::new(0..0, what, "leave one of them out"))
            }
        }
    }

    /// How long each reply may take, where the protocol needs its own limit.
    pub(super) fn within(&self) -> Option<Duration> {
        match self {
            Self::Probe { recipe, .. } => recipe.within(),
            Self::None | Self::Greeting(_) => None,
        }
    }
}

/// Returns the recipe of a server: that of `#as=`, else the policy's, else that of its scheme.
pub(super) fn recipe_of(
    policys: Option<&Recipe>,
    server: &Server,
) -> Result<Option<Recipe>, Mistake> {
    match (&server.options().as_, policys, server.scheme()) {
        (Some(name), ..) => Recipe::named(name).map(Some),
        (None, Some(recipe), _) => Ok(Some(recipe.clone())),
        (None, None, Some(scheme)) => scheme.protocol.map(Recipe::named).transpose(),
        (None, None, None) => Ok(None),
    }
}

/// Refuses options that the recipe of a server has no use for: `db:5432#status=200`.
fn refuse_idle(verb: Verb, recipe: Option<&Recipe>, server: &Server) -> Result<(), Mistake> {
    let label = quoted(server.label());
    for name in server.options().for_probes() {
        let (what, instead) = match recipe {
            _ if verb == Verb::Gone => {
                let what =
                    format!("`#{name}` has nothing to apply to: --gone asks {label} nothing");
                (what, format!("leave {name} out"))
            }
            Some(recipe) if recipe.uses(name) => continue,
            Some(recipe) => {
                let recipe = recipe.name();
                let what = format!("the recipe of {label}, {recipe}, has no use for `#{name}`");
                (what, format!("leave {name} out"))
            }
            None => {
                let what = format!("`#{name}` has nothing to apply to: {label} has no recipe");
                (what, format!("leave {name} out, or name the recipe: #as=http"))
            }
        };
        return Err(Mistake::new(0..0, what, instead));
    }
    Ok(())
}
