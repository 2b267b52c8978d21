use std::io::Write;

use redial_lab::{Behaviour, Entry, LESSON, Lab, NAMES, Name, Outage, Script};

use crate::client::{assert_reset, assert_says, connect};

#[test]
fn every_name_is_found_by_itself_and_starts() {
    for name in NAMES {
        assert_eq!(Name::parse(name.name()).unwrap().name(), name.name());
        assert!(!name.about().ends_with('.') && name.about().len() < 80, "{name}");
        let lab = Lab::start(*name).unwrap();
        assert_ne!(lab.address().port(), 0);
    }
}

#[test]
fn the_names_of_the_design() {
    let names: Vec<_> = NAMES.iter().map(Name::name).collect();
    for expected in
        ["lesson", "down", "late", "blackhole", "close", "reset", "stall", "drip", "banner"]
    {
        assert!(names.contains(&expected), "{expected}");
    }
    for expected in [
        "flaky",
        "unlucky",
        "slow",
        "slow-accept",
        "never-read",
        "half-close",
        "oversized",
        "garbage",
        "flood",
        "truncated",
        "slice",
    ] {
        assert!(names.contains(&expected), "{expected}");
    }
    let tls = ["tls-expired", "tls-name", "tls-self"];
    assert!(tls.iter().all(|name| names.contains(name) == cfg!(feature = "tls")));
}

#[test]
fn lesson_says_its_sentence() {
    let lab = Lab::start(Name::parse("lesson").unwrap()).unwrap();
    assert_says(&mut connect(&lab), LESSON);
}

#[test]
fn flaky_lets_the_third_through_each_time() {
    let lab = Lab::start(Name::parse("flaky").unwrap()).unwrap();
    for _ in 0..2 {
        assert_reset(&mut connect(&lab), "");
        assert_reset(&mut connect(&lab), "");
        assert_says(&mut connect(&lab), LESSON);
    }
}

#[test]
fn half_and_truncated_stop_in_the_middle() {
    let half = &LESSON[..LESSON.len() / 2];
    let start = |name| Lab::start(Name::parse(name).unwrap()).unwrap();
    assert_reset(&mut connect(&start("half")), half);
    assert_says(&mut connect(&start("truncated")), half);
    assert_says(&mut connect(&start("slice")), LESSON);
    assert_says(&mut connect(&start("half-close")), LESSON);
}

#[test]
fn a_name_is_a_script_that_can_be_shown() {
    let lesson = Behaviour::say(LESSON);
    for name in NAMES {
        let script = Script::parse(name.text(), &lesson).unwrap();
        assert_eq!(script, name.script(), "{name}");
        // Otherwise it would be the one that is never there.
        assert_eq!(
            script.most_connections(),
            match name.name() {
                "down" | "blackhole" => Some(0),
                _ => None,
            },
            "{name}"
        );
    }
}

#[test]
fn late_is_a_second_late() {
    let script = Name::parse("late").unwrap().script();
    assert_eq!(script.entries()[0], Outage::Refuse.lasting(std::time::Duration::from_secs(1)));
    let Entry::Connections { behaviour: Behaviour::Say(text), .. } = &script.entries()[1] else {
        panic!("{script:?}");
    };
    assert_eq!(&**text, LESSON.as_bytes());
}

#[test]
fn plaintext_answers_a_tls_hello() {
    let lab = Lab::start(Name::parse("plaintext").unwrap()).unwrap();
    let mut stream = connect(&lab);
    stream.write_all(&[0x16, 3, 1, 0, 5]).unwrap();
    let (bytes, end) = crate::client::read_all(&mut stream);
    assert!(bytes.starts_with(b"HTTP/1.1 400 "));
    end.unwrap();
}

#[test]
fn an_unknown_name_gets_the_nearest_and_all() {
    let near = |text| Name::parse(text).unwrap_err().nearest().map(|name| name.name());
    assert_eq!(near("leson"), Some("lesson"));
    assert_eq!(near("Reset"), Some("reset"));
    assert_eq!(near("black-hole"), Some("blackhole"));
    assert_eq!(near("postgres"), None);
    assert_eq!(near(&"x".repeat(1 << 20)), None);

    let text = Name::parse("leson").unwrap_err().to_string();
    assert!(
        text.starts_with("there is no practice server \"leson\"; did you mean lesson?"),
        "{text}"
    );
    assert!(NAMES.iter().all(|name| text.contains(name.name())), "{text}");
    let text = Name::parse("22").unwrap_err().to_string();
    assert!(text.starts_with("there is no practice server \"22\". There are: lesson, "), "{text}");
}
