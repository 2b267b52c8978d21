//! The recipes: what *ready* means for each protocol, from the recipes themselves.
//!
//! The list costs no reading of recipes; the one that is asked for is read. Start at [`text`].

use redial::{Leaves, LogsIn, RECIPES, Recipe};

use super::{tables::row, wrapped};

/// `redial help recipes`.
pub(super) fn text() -> String {
    let mut text = wrapped(RECIPES_ARE, 0) + "\n\n";
    for recipe in RECIPES {
        text += &row(recipe.name, recipe.about, 10);
    }
    text += "\n";
    text += &wrapped(LOGINS, 0);
    text += "\n\n";
    text += &wrapped(OPTIONS, 0);
    text + "\n\nMore on each: redial help postgres\n"
}

/// `redial help postgres`: one of them.
pub(super) fn about(name: &str) -> Option<String> {
    let shipped = RECIPES.iter().find(|recipe| recipe.name == name)?;
    let recipe = Recipe::parse(shipped.text).ok()?;
    let mut text = wrapped(&format!("{name}: {}.", recipe.about()), 0) + "\n\n";
    let port = recipe.port().map_or_else(|| "none of its own".into(), |port| port.to_string());
    let schemes: Vec<String> =
        recipe.schemes().iter().map(|scheme| format!("{scheme}://")).collect();
    let after = match recipe.leaves() {
        Leaves::Clean => "a client could go on with the connection (it is closed all the same)",
        Leaves::Spent => "the connection is good for nothing more",
    };
    let login = match recipe.logs_in() {
        LogsIn::Never => "",
        LogsIn::OnRequest => "where --login or #login asks for it; by default none",
        LogsIn::WithPassword => "wherever the URL has a password",
    };
    for (name, value) in [
        ("ready", recipe.ready()),
        ("port", &port),
        ("schemes", &schemes.join(" ")),
        ("login", login),
        ("afterwards", after),
        ("it logs", recipe.logs()),
        ("source", recipe.source()),
    ] {
        if !value.is_empty() {
            text += &row(name, value, 11);
        }
    }
    Some(text)
}

const RECIPES_ARE: &str = "\
How servers answer, protocol by protocol. `redial wait` probes a server by the recipe of its \
scheme (postgres://db), of its option (db:6543#as=postgres), or of --as; a recipe file of your \
own will do: --as ./mine.toml. `redial connect` sends nothing of a recipe, and judges only \
servers that greet first.";

const LOGINS: &str = "\
Logins: redis logs in wherever its URL has a password. By default no other recipe does: a server \
that answers as its protocol does is ready, wrong user and password included. With --login, or \
#login behind one target, postgres, mysql, mongodb and amqp log in with the URL's user and \
password: a session is ready, wrong credentials are `denied`, which ends a wait at once, and a \
database that is not there yet is `unavailable`.";

const OPTIONS: &str = "\
Options stand behind #, and never travel: within=5s, as=NAME, starttls, login. For http: \
status=200,401 or status=200..399, header=Name:%20value and json=/status:ready as often as needed, \
body=TEXT, method=HEAD, redirect=follow. http://USER:PASSWORD@HOST/ is sent as Basic authentication. An option that the target's \
recipe has no use for is an error.";
