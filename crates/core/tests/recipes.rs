//! Recipes: those that are shipped keep their word, and no bytes and no text break anything.
//!
//! Every example of every recipe is played with its bytes cut in every way. What real servers
//! answer is tested where they run.

#![allow(clippy::panic, clippy::unwrap_used)] // they are tests

use std::{collections::BTreeSet, sync::LazyLock};

use proptest::prelude::*;
use redial_core::{
    Answer, Expected, Judged, Kind, ProbeInput, ProbeOutput, Progress, RECIPES, Recipe, Refusal,
    Scheme, Server, Tls,
};

fn shipped() -> &'static [Recipe] {
    static ALL: LazyLock<Vec<Recipe>> = LazyLock::new(|| {
        let read = |one: &redial_core::Shipped| {
            Recipe::parse(one.text).unwrap_or_else(|mistake| {
                panic!("recipes/{}.toml, {}", one.name, mistake.in_text(one.text))
            })
        };
        RECIPES.iter().map(read).collect()
    });
    &ALL
}

#[test]
fn every_example_comes_out_as_it_is_written_however_it_is_cut() {
    let mut wrong = Vec::new();
    for recipe in shipped() {
        for example in recipe.examples() {
            for size in [usize::MAX, 1, 2, 3, 5, 7, 16] {
                if let Err(said) = example.play(recipe, size) {
                    let about = example.about();
                    wrong.push(format!("{}, {about}, {size} at a time: {said}", recipe.name()));
                    break;
                }
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn every_recipe_says_what_it_has_to() {
    for (recipe, row) in shipped().iter().zip(RECIPES) {
        let name = recipe.name();
        assert_eq!((name, recipe.about()), (row.name, row.about));
        for text in [recipe.ready(), recipe.source(), recipe.logs()] {
            assert!(!text.is_empty(), "{name} leaves something unsaid");
        }
        let bare = ["tcp", "tls"].contains(&name);
        assert_eq!(recipe.port().is_none(), bare, "{name}");
        assert_eq!(recipe.answer().is_none(), bare, "{name} has no answer");
        assert!(bare || recipe.examples().len() >= 3, "{name} has too few examples");
        assert_eq!(Recipe::named(&name.to_uppercase()).unwrap().name(), name);
    }
}

#[test]
fn the_recipes_of_the_documentation_work() {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/recipes.md");
    let page = std::fs::read_to_string(page).unwrap();
    let blocks: Vec<_> = page.split("```toml\n").skip(1).collect();
    assert!(!blocks.is_empty());
    for block in blocks {
        let text = block.split("```").next().unwrap();
        let recipe = Recipe::parse(text).unwrap_or_else(|m| panic!("{}", m.in_text(text)));
        assert!(!recipe.examples().is_empty());
        for example in recipe.examples() {
            example.play(&recipe, 1).unwrap();
        }
    }
    assert!(page.contains(&format!("brings along {} (", RECIPES.len())), "how many there are");
}

#[test]
fn recipes_and_schemes_say_the_same() {
    let mut named = BTreeSet::new();
    for recipe in shipped() {
        for scheme in recipe.schemes() {
            let scheme = Scheme::named(scheme).unwrap();
            assert_eq!(scheme.protocol, Some(recipe.name()), "{}", scheme.name);
            assert_eq!(Recipe::named(scheme.name).unwrap().name(), recipe.name());
            named.insert(scheme.name);
        }
        if let Some(first) = recipe.schemes().first() {
            assert_eq!(Scheme::named(first).unwrap().port, recipe.port(), "{first}");
        }
        let by_protocol = Scheme::all().iter().any(|scheme| {
            scheme.protocol == Some(recipe.name())
                && [scheme.tls, scheme.tls_on_request].contains(&Tls::ByProtocol)
        });
        assert_eq!(recipe.can_begin_tls(), by_protocol, "{}", recipe.name());
    }
    for scheme in Scheme::all() {
        assert_eq!(named.contains(scheme.name), scheme.protocol.is_some(), "{}", scheme.name);
    }
}

/// The verdict of a probe of this server that hears these chunks.
fn verdict(recipe: &Recipe, server: &str, chunks: &[&[u8]]) -> Option<Refusal> {
    let script = recipe.script(&Server::parse(server).unwrap()).unwrap();
    let mut probe = script.probe();
    let mut chunks = chunks.iter();
    for _ in 0..100_000 {
        let input = match probe.poll() {
            ProbeOutput::Ready { .. } | ProbeOutput::Redirected(_) => return None,
            ProbeOutput::Failed(refusal) => return Some(refusal.clone()),
            ProbeOutput::Send(_) => ProbeInput::Sent,
            ProbeOutput::StartTls => ProbeInput::TlsStarted,
            ProbeOutput::Nonce => ProbeInput::Nonce(&[7; 18]),
            ProbeOutput::Compute => ProbeInput::Computed,
            ProbeOutput::Read => chunks.next().map_or(ProbeInput::End, |c| ProbeInput::Bytes(c)),
        };
        probe.handle(input);
    }
    panic!("the probe goes round in a ring");
}

#[test]
fn the_end_means_what_was_heard_before_it() {
    let redis = Recipe::named("redis").unwrap();
    let kind = |chunks| verdict(&redis, "redis://r", chunks).map(|refusal| refusal.kind);
    assert_eq!(kind(&[]), Some(Kind::ClosedEarly));
    assert_eq!(kind(&[b"+PO"]), Some(Kind::Truncated));
    assert_eq!(kind(&[b"hello"]), Some(Kind::UnexpectedResponse));
    let smtp = Recipe::named("smtp").unwrap();
    let kind = |chunks| verdict(&smtp, "smtp://m#starttls", chunks).map(|refusal| refusal.kind);
    assert_eq!(kind(&[b"220 m\r\n"]), Some(Kind::Truncated), "closed between two answers");
}

#[test]
fn time_that_is_up_means_what_was_heard_before_it() {
    let kind = |heard: &[u8]| {
        let server = Server::parse("redis://r").unwrap();
        let mut probe = Recipe::named("redis").unwrap().script(&server).unwrap().probe();
        probe.handle(ProbeInput::Sent);
        probe.handle(ProbeInput::Bytes(heard));
        probe.handle(ProbeInput::TimeIsUp);
        match probe.poll() {
            ProbeOutput::Failed(refusal) => refusal.kind,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(kind(b""), Kind::Stalled);
    assert_eq!(kind(b"-LOAD"), Kind::Stalled);
    assert_eq!(kind(b"hello"), Kind::UnexpectedResponse);
}

#[test]
fn a_refusal_said_before_anything_was_sent_counts() {
    let server = Server::parse("redis://r").unwrap();
    let mut probe = Recipe::named("redis").unwrap().script(&server).unwrap().probe();
    probe.handle(ProbeInput::Bytes(b"-ERR max number of clients reached\r\n"));
    // Sending fails: the server has left.
    probe.handle(ProbeInput::End);
    let ProbeOutput::Failed(refusal) = probe.poll() else { panic!("{:?}", probe.poll()) };
    assert_eq!(refusal.kind, Kind::Unavailable);
}

#[test]
fn a_goodbye_is_said_only_where_it_is_understood() {
    let server = Server::parse("postgres://db").unwrap();
    let script = Recipe::named("postgres").unwrap().script(&server).unwrap();
    for (heard, goodbye) in [
        (&b"R\0\0\0\x08\0\0\0\x03"[..], &b""[..]),
        (b"R\0\0\0\x08\0\0\0\0Z\0\0\0\x05I", b"X\0\0\0\x04"),
    ] {
        let mut probe = script.probe();
        probe.handle(ProbeInput::Sent);
        probe.handle(ProbeInput::Bytes(heard));
        assert!(matches!(probe.poll(), ProbeOutput::Ready { .. }));
        assert_eq!(probe.goodbye(), goodbye);
    }
}

#[test]
fn no_placeholder_says_more_than_a_value() {
    let script = |recipe: &str, server: &str| {
        let server = Server::parse(server).unwrap();
        Recipe::named(recipe).unwrap().script(&server).map_err(|mistake| mistake.to_string())
    };
    let long = "x".repeat(300);
    for (recipe, server, says) in [
        (
            "postgres",
            "postgres://a%00database%00b@db".to_string(),
            "the user of `postgres://a%00database%00b@db` has a blank or a control character in \
             it; leave it out",
        ),
        (
            "postgres",
            "postgres://db/a%zz".to_string(),
            "the path of `postgres://db/a%zz` has a `%` without two digits; write %25 for the `%` \
             itself",
        ),
        ("mysql", format!("mysql://{long}@db"), "is too long"),
        ("grpc", format!("grpc://db/{}", &long[..130]), "126 bytes fit there"),
        ("http", "http://a/?token=***".to_string(), "has a mask in place of a secret"),
        ("redis", "redis://a#starttls".to_string(), "redis cannot begin TLS within `redis://a`"),
    ] {
        let said = script(recipe, &server).unwrap_err();
        assert!(said.contains(says), "{said}");
        assert!(!said.contains("s3cret"));
    }
}

#[test]
fn mistakes_say_where_they_are() {
    let probe = "name = 'x'\nready = 'y'\n[probe]\nleaves = 'spent'\n[[probe.step]]\n";
    for (text, at, says) in [
        (
            "name = 'x'\nready = 'y'",
            "line 1, column 1",
            "the recipe has neither a probe nor an answer; write a table [probe], or [answer]",
        ),
        ("nam = 'x'", "line 1, column 1", "there is no key `nam`; the nearest is `name`"),
        (
            "name = 'x'\nready = 'y'\n[answer]\nfirst = 'server'\nexpect = [{ match = 'a', then = 'next' }]",
            "line 3, column 1",
            "an answer has no steps; let it lead to ready, again, unavailable or unexpected-response",
        ),
        ("name = 7", "line 1, column 8", "this is a number; it has to be text in quotes"),
        (
            "send = 'a\\q'",
            "line 6, column 10",
            r#"`\q` is no escape; the escapes are \n \r \t \" \' \\ and \xHH"#,
        ),
        (
            "send = '{usr}'",
            "line 6, column 10",
            "`{usr}` stands for nothing; the nearest is `{user}`",
        ),
        (
            "send-bytes = 'u32( 00'",
            "line 6, column 18",
            "a `(` has no `)` behind it; close it where what it counts ends",
        ),
        (
            "send-bytes = '000'",
            "line 6, column 15",
            "`000` is no bytes; write hexadecimal digits in pairs, \"text\", or u32( … )",
        ),
        (
            "send-bytes = 'u31()'",
            "line 6, column 15",
            "`u31` is no length; write dec, u7, u8, u16, u24, u32, u64 or these with le, as in u32+4( … )",
        ),
        (
            "expect = [{ match = '/a(/', then = 'ready' }]",
            "line 6, column 24",
            "the pattern `/a(/` is wrong: unclosed group; mend it, or write the text without slashes",
        ),
        (
            "expect = [{ match = 'a', then = 'redy' }]",
            "line 6, column 33",
            "`redy` leads nowhere; the nearest is `ready`",
        ),
        (
            "expect = [{ then = 'ready' }]",
            "line 6, column 11",
            "the key `match` is missing; write match = '^+PONG'",
        ),
        (
            "name = 'ready'",
            "line 6, column 8",
            "no step can be called `ready`; choose a name that means nothing else",
        ),
        (
            "frame = 'lines'",
            "line 6, column 9",
            "`lines` is not among the words here; the nearest is `line`",
        ),
        (
            "only = ['login', 'not pasword']",
            "line 6, column 18",
            "`pasword` is not among the words here; the nearest is `password`",
        ),
        (
            "send = '{proof.scram}'",
            "line 6, column 16",
            "no proof is called `scram`; there are postgres-md5, mysql-native, mysql-sha2, scram-sha-256-first, mongodb-scram-sha-1-first, scram-final",
        ),
        (
            "send-bytes = '\"{proof.scram-final}\" u8( \"{proof.mysql-sha2}\" )'",
            "line 6, column 15",
            "two proofs stand in one message; write a step for each",
        ),
        (
            "limit = '2MiB'\nexpect = [{ match = 'a', then = 'ready' }]",
            "line 6, column 9",
            "`2MiB` is no limit; write 1 to 1MiB",
        ),
    ] {
        let is_top = text.starts_with("nam") && text != "name = 'ready'";
        let text = if is_top { text.to_string() } else { format!("{probe}{text}") };
        let mistake = Recipe::parse(&text).unwrap_err();
        assert_eq!(mistake.in_text(&text), format!("{at}: {says}"), "{text}");
    }
}

#[test]
fn a_step_hears_no_more_than_its_limit() {
    let text = "name = 'x'\nready = 'y'\n[probe]\nleaves = 'spent'\n[[probe.step]]\nlimit = '10'
        expect = [{ match = 'end', then = 'ready' }]";
    let recipe = Recipe::parse(text).unwrap();
    assert_eq!(verdict(&recipe, "a:1", &[b"1234567end"]), None);
    let refusal = verdict(&recipe, "a:1", &[b"12345678end"]).unwrap();
    assert_eq!(refusal.kind, Kind::UnexpectedResponse);
    assert_eq!(refusal.into_detail().unwrap().as_str(), "12345678en");
}

#[test]
fn a_ring_of_steps_ends() {
    let text = "name = 'x'\nready = 'y'\n[probe]\nleaves = 'spent'\n[[probe.step]]\nname = 'a'
        expect = [{ match = 'x', then = 'a' }]";
    let recipe = Recipe::parse(text).unwrap();
    let refusal = verdict(&recipe, "a:1", &[&[b'x'; 1000]]).unwrap();
    assert_eq!(refusal.kind, Kind::UnexpectedResponse);
    let text = "name = 'x'\nready = 'y'\n[probe]\nleaves = 'spent'\n[[probe.step]]\nname = 'a'
        send = 'x'\nthen = 'a'";
    assert!(verdict(&Recipe::parse(text).unwrap(), "a:1", &[]).is_some());
}

/// What servers of all kinds say, cut and mixed.
fn heard() -> impl Strategy<Value = Vec<u8>> {
    let known: Vec<Vec<u8>> = vec![
        b"R\0\0\0\x08\0\0\0\0".into(),
        b"E\0\0\0\x20SFATAL\0VFATAL\0C57P03\0Mx\0\0".into(),
        b"220-a\r\n".into(),
        b"220 a\r\n".into(),
        b"250 a\r\n".into(),
        b"+OK\r\n".into(),
        b"S".into(),
        b"\x08\0\0\0\x0a5.5\0aaaa".into(),
        b"\x03\0\0\x01\xfex\0".into(),
        b"HTTP/1.1 200 OK\r\n\r\n".into(),
        b"\0\0\0\x04\0\0\0\0\0".into(),
    ];
    let piece = prop_oneof![
        3 => prop::sample::select(known),
        1 => prop::collection::vec(any::<u8>(), 0..12),
    ];
    prop::collection::vec(piece, 0..6).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn how_bytes_are_cut_makes_no_difference(
        heard in heard(),
        cuts in prop::collection::vec(1..9_usize, 1..6),
        index in 0..RECIPES.len(),
        tls in any::<bool>(),
    ) {
        let recipe = &shipped()[index];
        let tls = if tls && recipe.can_begin_tls() { "#starttls" } else { "" };
        let server = format!("server:1{tls}");
        let mut chunks = Vec::new();
        let mut rest = &heard[..];
        for size in cuts.iter().cycle() {
            if rest.is_empty() { break; }
            let (chunk, after) = rest.split_at((*size).min(rest.len()));
            chunks.push(chunk);
            rest = after;
        }
        let whole = verdict(recipe, &server, &[&heard]);
        let cut = verdict(recipe, &server, &chunks);
        // What goes on in the clear before TLS is a mistake only if it comes with the agreement.
        let too_soon = |one: &Option<Refusal>| {
            one.as_ref().is_some_and(|one| one.says.as_deref().is_some_and(|says| says.contains("clear")))
        };
        if !too_soon(&whole) {
            let kind = |one: &Option<Refusal>| one.as_ref().map(|one| (one.kind, one.says.clone()));
            prop_assert_eq!(kind(&whole), kind(&cut), "{:?}", recipe);
            if whole.as_ref().is_some_and(|one| one.says.is_some()) {
                prop_assert_eq!(whole, cut);
            }
        }
    }

    #[test]
    fn an_answer_of_ones_own_is_judged_as_its_matcher_judges_it(
        text in prop::sample::select(vec!["a", "ab", "^a", "^ab", "^abb", "/a+b/", "/^a+b?a/"]),
        bytes in "[ab\n]{0,12}",
        limit in 1..14_usize,
        size in 1..5_usize,
    ) {
        let answer = Answer::parse(text).unwrap().with_limit(limit);
        let expected = Expected::from(answer.clone());
        let (mut matcher, mut judge) = (answer.matcher(), expected.judge());
        let mut end = 0;
        for chunk in bytes.as_bytes().chunks(size) {
            end += chunk.len();
            let judged = judge.hear(&expected, &bytes.as_bytes()[..end]);
            let kind = match matcher.feed(&answer, chunk) {
                Progress::More => {
                    prop_assert_eq!(judged, Judged::More);
                    continue;
                }
                Progress::Matched => None,
                Progress::Refused => Some(Kind::UnexpectedResponse),
            };
            let said = match judged {
                Judged::Ready => None,
                Judged::Refused(refusal) => Some(refusal.kind),
                Judged::More => panic!("it is undecided"),
            };
            prop_assert_eq!(said, kind);
            return Ok(());
        }
        let kind = match bytes.len() {
            0 => Kind::ClosedEarly,
            _ if matcher.is_inside(&answer) => Kind::Truncated,
            _ => Kind::UnexpectedResponse,
        };
        prop_assert_eq!(judge.end(&expected, bytes.as_bytes()).unwrap_err().kind, kind);
    }

    #[test]
    fn no_text_panics(text in prop_oneof![any::<String>(), "[a-z]{1,5} = ['\"\\[{][a-z{}()0-9\" ]{0,9}['\"\\]}]"]) {
        if let Err(mistake) = Recipe::parse(&text) {
            prop_assert!(text.get(mistake.at.clone()).is_some(), "{:?}", mistake);
        }
        let step = format!("name='x'\nready='y'\n[probe]\nleaves='spent'\n[[probe.step]]\nsend-bytes='''{}'''", text.replace('\'', ""));
        if let Err(mistake) = Recipe::parse(&step) {
            prop_assert!(step.get(mistake.at.clone()).is_some(), "{:?}", mistake);
        }
    }
}
