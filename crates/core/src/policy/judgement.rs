//! By what each server of a policy is judged: its protocol's recipe, or nothing.
//!
//! Whether a recipe of that name exists, and can be made for this server, is found here, before
//! anything is dialled. Start at [`Judgement::of`].

use core::time::Duration;

use crate::{Expected, First, Mistake, Recipe, Script, Server, Verb};

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
        let Some(recipe) = recipe_of(policys, server)? else { return Ok(Self::None) };
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
