use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;
use redial_lab::{
    ACTS, After, Behaviour, Chance, Entry, LESSON, Lab, Outage, Percent, Script, ScriptError,
};

use crate::client::{assert_reset, assert_says, connect};

fn well() -> Behaviour {
    Behaviour::say("well\n")
}

fn read(text: &str) -> Script {
    Script::parse(text, &well()).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn mistake(text: &str) -> ScriptError {
    Script::parse(text, &well()).expect_err(text)
}

/// The behaviour of a script that is one for every connection.
fn only(text: &str) -> Behaviour {
    let script = read(text);
    match script.entries() {
        [Entry::Connections { behaviour, count: None, every: None, chance: None, .. }] => {
            behaviour.clone()
        }
        _ => panic!("{script:?}"),
    }
}

#[test]
fn the_scripts_of_the_documentation_mean_what_they_say() {
    use Behaviour::{Close, Reset, Stall};
    let second = Duration::from_secs(1);
    let three_tenths = |seed| {
        let percent = Percent::new(30).unwrap();
        Reset.forever().with(Chance { percent, seed, otherwise: well() })
    };
    for (text, meant) in [
        ("reset 2, stall, ok", Script::new([Reset.times(2), Stall.times(1), well().forever()])),
        ("ok 5, reset, loop", Script::looping([well().times(5), Reset.times(1)])),
        ("30% reset seed 7", Script::new([three_tenths(7)])),
        ("30% reset", Script::new([three_tenths(0)])),
        (
            "refuse 2s, then close 3, then ok",
            Script::new([Outage::Refuse.lasting(second * 2), Close.times(3), well().forever()]),
        ),
        ("refuse", Outage::Refuse.into()),
        (
            " reset\t2 every 20ms ,\nblackhole 1m30s,loop",
            Script::looping([
                Reset.times(2).every(Duration::from_millis(20)),
                Outage::Blackhole.lasting(second * 90),
            ]),
        ),
    ] {
        assert_eq!(read(text), meant, "{text}");
    }
}

#[test]
fn a_chance_has_an_else_of_its_own_and_one_seed_for_all() {
    let script = read("0.5% garbage 20B else delay 1s stall 3 every 2ms seed 9, ok");
    let Entry::Connections { behaviour, count, every, chance, .. } = &script.entries()[0] else {
        panic!("{script:?}");
    };
    assert_eq!(*behaviour, Behaviour::Garbage { bytes: 20, seed: 9 });
    assert_eq!((*count, *every), (Some(3), Some(Duration::from_millis(2))));
    let chance = chance.as_ref().unwrap();
    assert_eq!((chance.percent, chance.seed), (Percent::from_thousandths(500).unwrap(), 9));
    assert_eq!(chance.otherwise, Behaviour::Stall.delayed(Duration::from_secs(1)));

    let seeds = |text: &str| match &read(text).entries()[0] {
        Entry::Connections { behaviour: Behaviour::Garbage { seed, .. }, chance, .. } => {
            (*seed, chance.as_ref().map(|chance| chance.seed))
        }
        other => panic!("{other:?}"),
    };
    assert_eq!(seeds("garbage"), (0, None));
    assert_eq!(seeds("garbage 1KiB seed 7 3, ok"), (7, None));
    assert_eq!(seeds("garbage 3 seed 7, ok"), (7, None));
    assert_eq!(seeds("1% garbage seed 7"), (7, Some(7)));
    assert_eq!(seeds("1% garbage seed 7 seed 8"), (7, Some(8)));
    assert_eq!(mistake("garbage seed 7 3 seed 8, ok").what, "`seed` where nothing is drawn");
    let junk = Behaviour::Garbage { bytes: 1, seed: 0 };
    let unused = Script::parse("ok seed 7", &junk).unwrap_err();
    assert_eq!(unused.what, "`seed` where nothing is drawn");
}

#[test]
fn what_is_left_out_is_what_ok_says() {
    let text: Arc<[u8]> = b"well\n"[..].into();
    assert_eq!(only("say"), well());
    assert_eq!(only("say 'other'"), Behaviour::say("other"));
    assert_eq!(only("truncated"), Behaviour::Truncated(text.clone()));
    assert_eq!(only("delay 1s"), well().delayed(Duration::from_secs(1)));
    assert_eq!(only("drip"), Behaviour::drip("well\n", Duration::from_millis(200)));
    assert_eq!(
        only("stall-after 3B out"),
        Behaviour::StallAfter(After::Out { bytes: 3, text: text.clone() })
    );
    assert_eq!(only("stall-after 3B in"), Behaviour::StallAfter(After::In(3)));
    assert_eq!(only("oversized 1KiB"), Behaviour::Oversized { text, bytes: 1024 });
    // What says nothing lends no text; the lesson's sentence does.
    let said = Script::parse("say", &Behaviour::Echo).unwrap();
    assert_eq!(said, Behaviour::say(LESSON).into());
}

#[test]
fn every_act_reads_what_its_row_says() {
    let words: Vec<_> = ACTS.iter().map(|act| act.word()).collect();
    for act in ACTS {
        assert_eq!(words.iter().filter(|word| **word == act.word()).count(), 1, "{act:?}");
        assert!(!act.about().ends_with('.') && act.about().len() < 60, "{act:?}");
        let example = |text: &str| {
            text.replace("SIZE", "3KiB")
                .replace("TIME", "7ms")
                .replace("TEXT", "'t'")
                .replace("ACT", "echo")
                .replace("seed N", "seed 7")
                .replace("NAME", "redis")
        };
        // With all that may be left out, and without.
        let full = act.arguments().replace(['[', ']'], "");
        let least: String = act
            .arguments()
            .split_inclusive(']')
            .map(|part| part.split('[').next().unwrap_or(""))
            .collect();
        for arguments in [full, least] {
            for way in if arguments.contains("in|out") { &["in", "out"][..] } else { &[""] } {
                // Only what is said can be told.
                let arguments =
                    if *way == "in" { arguments.replace("TEXT", "") } else { arguments.clone() };
                let text = format!("{} {}", act.word(), example(&arguments.replace("in|out", way)));
                let behaviour = only(&text);
                let word = if act.word() == "ok" { "say" } else { act.word() };
                // A transcript is called by its protocol too.
                assert_eq!(behaviour.word().split(' ').next(), Some(word), "{text}");
                assert_eq!(only(&behaviour.to_string()), behaviour, "{text}");
            }
        }
    }
}

#[test]
fn each_mistake_has_its_place_and_what_to_write() {
    for (text, place, message) in [
        ("", "", "an entry is missing; write what happens, such as `ok` or `say`"),
        ("ok,", "", "an entry is missing; write what happens, such as `ok` or `say`"),
        ("rest 2, ok", "rest", "no act is called `rest`; the nearest is `reset`"),
        ("ok, refse", "refse", "no act is called `refse`; the nearest is `refuse`"),
        ("ok, lopp", "lopp", "no act is called `lopp`; the nearest is `loop`"),
        ("2 reset", "2", "an entry begins with what happens; write the number behind: `reset 2`"),
        (
            "130% reset",
            "130%",
            "`130%` is no share of the connections; write 0% to 100%, with three places behind \
             the point at most",
        ),
        (
            "30% refuse",
            "refuse",
            "`refuse` lets in no connection, so it can be no part of one; write it as an entry: \
             `refuse 2s`",
        ),
        (
            "refuse 2, ok",
            "2",
            "`refuse` lasts for a time, and lets in no connection; write how long: `refuse 2s`",
        ),
        (
            "ok 2, blackhole, ok",
            "blackhole",
            "`blackhole` has no end here, so what follows never comes; write `blackhole 2s`",
        ),
        (
            "ok, then refuse, loop",
            "then refuse",
            "`refuse` has no end here, so what follows never comes; write `refuse 2s`",
        ),
        ("ok 5, loop, reset", "loop", "`loop` is not last; move it to the end"),
        ("loop", "loop", "`loop` without anything before it; write `ok 5, reset, loop`"),
        (
            "reset 2 stall",
            "stall",
            "`stall` does not belong here; write a comma before it: `, stall`",
        ),
        ("ok 5 loop", "loop", "`loop` does not belong here; write a comma before it: `, loop`"),
        ("reset 0, ok", "0", "an entry for no connection; leave the entry out"),
        (
            "close-after 100 in",
            "100",
            "a size with its unit is needed, and here is `100`; write it as in \
             `close-after 100B in`",
        ),
        (
            "close-after 100B",
            "",
            "a direction is missing; write `in` for what the client sent, `out` for what is said",
        ),
        (
            "close-after 9XB in",
            "9XB",
            "`9XB` has a unit that is not known; sizes end in B, KiB, MiB, GiB, kB, MB or GB, \
             times in ns, us, ms, s, m, h or d",
        ),
        (
            "reset 4KiB",
            "4KiB",
            "`4KiB` does not belong here; an entry is written: ACT [COUNT] [every TIME] [seed N]",
        ),
        ("reset evry 2ms", "evry", "`evry` does not belong here; the nearest is `every`"),
        (
            "reset every 2",
            "2",
            "a time longer than none is needed, and here is `2`; write it as in `every 20ms`",
        ),
        (
            "reset seed 7",
            "seed 7",
            "`seed` where nothing is drawn; leave it out, or write a chance, as in \
             `30% reset seed 7`",
        ),
        (
            "30% reset seed seven",
            "seven",
            "a whole number is needed, and here is `seven`; write it as in `seed 7`",
        ),
        (
            "reset else ok",
            "else",
            "`else` without a chance before it; write `30% reset else stall`",
        ),
        (
            "'x'",
            "'x'",
            "a text without a word that says it; write what happens, such as `ok` or `say`",
        ),
        (
            "reset 'x'",
            "'x'",
            "a text that belongs to no word; write it behind a word that says it, such as `say`",
        ),
        ("say 'x", "'x", "a text that does not end; close it with '"),
        ("slice 0B", "0B", "pieces of nothing; write 1B or more"),
        ("\u{1b}[2J", "\u{1b}[2J", ""),
    ] {
        let error = mistake(text);
        assert_eq!(&text[error.at.clone()], place, "{text}: {error}");
        if !message.is_empty() {
            assert_eq!(error.to_string(), message, "{text}");
        }
        assert!(!error.to_string().chars().any(char::is_control), "{error:?}");
    }
    for last in ["ok", "stall", ""] {
        let nested = |levels: usize| "delay 1s ".repeat(levels - 1) + last;
        assert_eq!(read(&nested(8)).to_string().matches("delay").count(), 7);
        for levels in [9, 100_000] {
            assert_eq!(mistake(&nested(levels)).what, "too many acts within each other");
        }
    }
    assert!(mistake(&"x".repeat(1 << 20)).to_string().len() < 1_000);
}

#[test]
fn a_script_from_text_is_played() {
    let lab = Lab::start(read("reset 2, truncated 'abcdef', ok")).unwrap();
    assert_reset(&mut connect(&lab), "");
    assert_reset(&mut connect(&lab), "");
    assert_says(&mut connect(&lab), "abc");
    for _ in 0..3 {
        assert_says(&mut connect(&lab), "well\n");
    }
}

fn text() -> impl Strategy<Value = Arc<[u8]>> {
    proptest::collection::vec(any::<u8>(), 0..12).prop_map(Arc::from)
}

fn after() -> impl Strategy<Value = After> {
    prop_oneof![
        any::<u64>().prop_map(After::In),
        (any::<u64>(), text()).prop_map(|(bytes, text)| After::Out { bytes, text }),
    ]
}

fn piece() -> impl Strategy<Value = NonZeroUsize> {
    (1..usize::MAX).prop_filter_map("not zero", NonZeroUsize::new)
}

fn behaviour() -> impl Strategy<Value = Behaviour> {
    let plain = proptest::sample::select(vec![
        Behaviour::Close,
        Behaviour::Reset,
        Behaviour::ReadThenClose,
        Behaviour::ReadThenReset,
        Behaviour::Stall,
        Behaviour::NeverRead,
        Behaviour::Flood,
        Behaviour::Echo,
        Behaviour::Sink,
    ]);
    let leaf = prop_oneof![
        plain,
        after().prop_map(Behaviour::CloseAfter),
        after().prop_map(Behaviour::ResetAfter),
        after().prop_map(Behaviour::StallAfter),
        text().prop_map(Behaviour::Say),
        text().prop_map(Behaviour::Answer),
        text().prop_map(Behaviour::Cut),
        text().prop_map(Behaviour::Banner),
        text().prop_map(Behaviour::HalfClose),
        text().prop_map(Behaviour::Truncated),
        (text(), any::<u64>()).prop_map(|(text, bytes)| Behaviour::Oversized { text, bytes }),
        (text(), piece(), any::<Duration>()).prop_map(|(text, bytes, every)| Behaviour::Drip {
            text,
            bytes,
            every
        }),
        (text(), piece()).prop_map(|(text, bytes)| Behaviour::Slice { text, bytes }),
        (any::<u64>(), any::<u64>()).prop_map(|(bytes, seed)| Behaviour::Garbage { bytes, seed }),
    ];
    leaf.prop_recursive(3, 4, 1, |inner| {
        let delayed =
            (inner.clone(), any::<Duration>()).prop_map(|(then, time)| then.delayed(time));
        #[cfg(feature = "tls")]
        let delayed = {
            use redial_lab::Certificate::{Expired, SelfSigned, Trusted, WrongName};
            let shown = proptest::sample::select(vec![Trusted, SelfSigned, Expired, WrongName]);
            let tls = (inner, shown).prop_map(|(then, certificate)| then.over_tls(certificate));
            prop_oneof![delayed, tls]
        };
        delayed
    })
}

fn entry() -> impl Strategy<Value = Entry> {
    let time = any::<Option<Duration>>();
    let chance = (0..=100_000_u32, any::<u64>(), behaviour()).prop_filter_map(
        "a share",
        |(thousandths, seed, otherwise)| {
            let percent = Percent::from_thousandths(thousandths)?;
            Some(Chance { percent, seed, otherwise })
        },
    );
    let connections =
        (behaviour(), any::<Option<u64>>(), time.clone(), proptest::option::of(chance)).prop_map(
            |(behaviour, count, every, chance)| {
                let entry = match count {
                    Some(count) => behaviour.times(count),
                    None => behaviour.forever(),
                };
                let entry = every.into_iter().fold(entry, Entry::every);
                chance.into_iter().fold(entry, Entry::with)
            },
        );
    let outage = (proptest::sample::select(vec![Outage::Refuse, Outage::Blackhole]), time)
        .prop_map(|(outage, time)| match time {
            Some(time) => outage.lasting(time),
            None => outage.forever(),
        });
    prop_oneof![4 => connections, 1 => outage]
}

proptest! {
    #[test]
    fn what_prints_reads_back(
        entries in proptest::collection::vec(entry(), 0..5),
        looping in any::<bool>(),
    ) {
        let script = if looping { Script::looping(entries) } else { Script::new(entries) };
        let printed = script.to_string();
        // `ok` is nowhere in it: whatever that means, it reads the same.
        let again = Script::parse(&printed, &Behaviour::Flood);
        prop_assert_eq!(again, Ok(script), "{}", printed);
    }

    #[test]
    fn any_text_is_read_or_refused_with_a_place(
        text in r#"((reset|ok|say|delay|garbage|refuse|loop|then|else|every|seed|in|3|20ms|4KiB|30%|'x'|,|é|.) ?){0,12}"#,
    ) {
        match Script::parse(&text, &well()) {
            Ok(script) => prop_assert_eq!(Script::parse(&script.to_string(), &well()), Ok(script)),
            Err(error) => prop_assert!(text.get(error.at.clone()).is_some(), "{:?}", error),
        }
    }
}
