//! A verdict depends on the bytes alone: not on how they were cut, and as a plain search says.

use std::collections::BTreeSet;

use proptest::prelude::*;
use redial_core::{Answer, Progress};
use regex_syntax::{
    ParserBuilder,
    hir::{Class, Hir, HirKind},
};

/// The verdict and how many bytes it took, fed in chunks of these sizes.
fn judge(answer: &Answer, bytes: &[u8], sizes: &[usize]) -> (Progress, usize, bool) {
    let mut matcher = answer.matcher();
    let (mut rest, mut turn) = (bytes, 0);
    while !rest.is_empty() {
        let size = sizes.get(turn % sizes.len().max(1)).copied().unwrap_or(usize::MAX);
        let (chunk, after) = rest.split_at(size.min(rest.len()));
        assert_eq!(matcher.feed(answer, chunk), matcher.progress());
        (rest, turn) = (after, turn + 1);
    }
    (matcher.progress(), matcher.seen(), matcher.is_inside(answer))
}

fn find(bytes: &[u8], text: &[u8]) -> Option<usize> {
    bytes.windows(text.len()).position(|window| window == text)
}

/// Where a match that begins at `at` can end: the slow and plain way, to compare with.
fn ends(hir: &Hir, bytes: &[u8], at: usize) -> BTreeSet<usize> {
    let after = |places: BTreeSet<usize>, part: &Hir| {
        places.into_iter().flat_map(|place| ends(part, bytes, place)).collect()
    };
    match hir.kind() {
        HirKind::Empty => [at].into(),
        HirKind::Literal(text) if bytes[at..].starts_with(&text.0) => [at + text.0.len()].into(),
        HirKind::Class(class) => {
            let class = match class {
                Class::Bytes(class) => class.clone(),
                Class::Unicode(class) => class.to_byte_class().expect("ASCII"),
            };
            let is_in = |byte: u8| class.iter().any(|r| (r.start()..=r.end()).contains(&byte));
            bytes.get(at).filter(|byte| is_in(**byte)).map(|_| at + 1).into_iter().collect()
        }
        HirKind::Look(_) if at == 0 => [0].into(),
        HirKind::Literal(_) | HirKind::Look(_) => BTreeSet::new(),
        HirKind::Capture(capture) => ends(&capture.sub, bytes, at),
        HirKind::Concat(parts) => parts.iter().fold([at].into(), after),
        HirKind::Alternation(parts) => {
            parts.iter().flat_map(|part| ends(part, bytes, at)).collect()
        }
        HirKind::Repetition(times) => {
            let mut places =
                (0..times.min).fold([at].into(), |places, _| after(places, &times.sub));
            for _ in times.min..times.max.unwrap_or(times.min + bytes.len() as u32) {
                let more: BTreeSet<usize> = after(places.clone(), &times.sub);
                places.extend(more);
            }
            places
        }
    }
}

fn escaped(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("\\x{byte:02x}")).collect()
}

/// Few letters, so that texts are found, and half found.
fn letters(length: impl Into<prop::collection::SizeRange>) -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(prop::sample::select(&b"ab\n\xff"[..]), length)
}

/// Patterns of every shape that is allowed.
fn pattern() -> impl Strategy<Value = String> {
    let leaf = prop::sample::select(vec![
        "a", "b", "ab", ".", "[^a]", r"\n", r"\xff", "^", "(?i)A", "a{2,3}",
    ]);
    leaf.prop_map(String::from).prop_recursive(4, 24, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 1..4).prop_map(|parts| parts.concat()),
            prop::collection::vec(inner.clone(), 1..4)
                .prop_map(|parts| format!("(?:{})", parts.join("|"))),
            (inner, prop::sample::select(vec!["*", "+", "?", "*?"]))
                .prop_map(|(part, times)| format!("(?:{part}){times}")),
        ]
    })
}

#[test]
fn patterns_find_what_they_say() {
    use Progress::{Matched, More, Refused};

    for (text, bytes, verdict) in [
        ("ready", &b"+OK mail ready"[..], (Matched, 14, false)),
        ("ready", b"+OK mail rea", (More, 12, false)),
        ("^+OK", b"+OK mail", (Matched, 3, false)),
        ("^+OK", b"+O", (More, 2, true)),
        ("^+OK", b"-ERR", (Refused, 1, false)),
        ("^+OK", b"", (More, 0, false)),
        (r"/^HTTP\/1\.[01] 2\d\d/", b"HTTP/1.1 200 OK", (Matched, 12, false)),
        (r"/^HTTP\/1\.[01] 2\d\d/", b"HTTP/1.1 503 no", (Refused, 10, false)),
        (r"/^HTTP\/1\.[01] 2\d\d/", b"HTTP/1.1 ", (More, 9, true)),
        (r"/^(?:\+OK|-LOADING)/", b"-LO", (More, 3, true)),
        ("/^a+b/", b"aaaaab", (Matched, 6, false)),
        ("/^a+/", b"aaaaab", (Matched, 1, false)),
        ("/(?i)ready/", b"now READY.", (Matched, 9, false)),
        ("/^a|b/", b"xxb", (Matched, 3, false)),
        (r"/\xff\x00/", b"\x00\xff\x00", (Matched, 3, false)),
        ("/^(?u)[à-ÿ€]x/", "é€x".as_bytes(), (Refused, 3, false)),
        ("/^(?u)[à-ÿ€]x/", "€x".as_bytes(), (Matched, 4, false)),
        ("/a./", b"a\n", (More, 2, false)),
        ("/(?s)a./", b"a\n", (Matched, 2, false)),
    ] {
        let answer = Answer::parse(text).expect(text);
        assert_eq!(judge(&answer, bytes, &[]), verdict, "{text}");
        assert_eq!(judge(&answer, bytes, &[1]), verdict, "{text}");
    }
}

#[test]
fn the_limit_is_where_looking_ends() {
    let answer = Answer::parse("end").unwrap();
    assert_eq!(answer.limit(), 65_536);
    let mut bytes = vec![b'x'; 65_533];
    bytes.extend(b"end");
    assert_eq!(judge(&answer, &bytes, &[1000]), (Progress::Matched, 65_536, false));
    bytes.insert(0, b'x');
    assert_eq!(judge(&answer, &bytes, &[1000]), (Progress::Refused, 65_536, false));
}

#[test]
fn a_verdict_stays_and_a_matcher_is_small() {
    let answer = Answer::parse("^ok").unwrap();
    let mut matcher = answer.matcher();
    assert_eq!(matcher.feed(&answer, b"ok"), Progress::Matched);
    assert_eq!(matcher.feed(&answer, b"no"), Progress::Matched);
    assert_eq!(matcher.seen(), 2);
    assert!(size_of::<redial_core::Matcher>() <= 24);
}

proptest! {
    #[test]
    fn a_text_is_found_as_a_search_finds_it(
        text in letters(1..5),
        bytes in letters(0..40),
        sizes in prop::collection::vec(1..7_usize, 1..5),
        limit in 1..40_usize,
    ) {
        let seen = &bytes[..bytes.len().min(limit)];
        let contained = Answer::parse(&escaped(&text)).unwrap().with_limit(limit);
        let expected = match find(seen, &text) {
            Some(at) => (Progress::Matched, at + text.len(), false),
            None if seen.len() == limit => (Progress::Refused, limit, false),
            None => (Progress::More, seen.len(), false),
        };
        prop_assert_eq!(judge(&contained, &bytes, &sizes), expected);

        let first = Answer::parse(&format!("^{}", escaped(&text))).unwrap().with_limit(limit);
        let same = seen.iter().zip(&text).take_while(|(a, b)| a == b).count();
        let expected = if same == text.len() {
            (Progress::Matched, same, false)
        } else if same < seen.len() {
            (Progress::Refused, same + 1, false)
        } else if same == limit {
            (Progress::Refused, limit, false)
        } else {
            (Progress::More, same, same > 0)
        };
        prop_assert_eq!(judge(&first, &bytes, &sizes), expected);
    }

    #[test]
    fn a_pattern_does_not_see_the_cuts(
        pattern in pattern(),
        bytes in letters(0..40),
        sizes in prop::collection::vec(1..7_usize, 1..5),
    ) {
        if let Ok(answer) = Answer::parse(&format!("/{pattern}/")) {
            let answer = answer.with_limit(30);
            let whole = judge(&answer, &bytes, &[]);
            prop_assert_eq!(judge(&answer, &bytes, &sizes), whole);
            prop_assert_eq!(judge(&answer, &bytes, &[1]), whole);
            let hir = ParserBuilder::new().utf8(false).unicode(false).build().parse(&pattern);
            let hir = hir.expect("it was compiled");
            let seen = &bytes[..bytes.len().min(30)];
            let end = (0..=seen.len()).flat_map(|at| ends(&hir, seen, at)).min();
            prop_assert_eq!(end, (whole.0 == Progress::Matched).then_some(whole.1), "{:?}", hir);
            // What matched needs no byte more, and not one less.
            if whole.0 == Progress::Matched {
                prop_assert_eq!(judge(&answer, &bytes[..whole.1], &[]), whole);
                prop_assert_ne!(judge(&answer, &bytes[..whole.1 - 1], &[]).0, Progress::Matched);
            }
        }
    }

    #[test]
    fn no_text_panics_and_every_answer_reads_back(
        text in prop_oneof![any::<String>(), "[/^]?[a-z()*+?{}0-9,|\\\\x\\[\\]$^\n]{0,12}/?"],
    ) {
        match Answer::parse(&text) {
            Ok(answer) => {
                prop_assert_eq!(Answer::parse(answer.as_str()).unwrap(), answer.clone());
                prop_assert_eq!(redial_core::printable(answer.as_str()), answer.as_str());
            }
            Err(mistake) => {
                prop_assert!(text.get(mistake.at.clone()).is_some(), "{:?} in {:?}", mistake, text);
            }
        }
    }
}
