//! The breaker step by step: each line is one thing that happens, and where it stands afterwards.

use super::*;

fn at(ms: u64) -> Timestamp {
    Timestamp::default().plus_ms(ms)
}

fn small() -> Breaker {
    Breaker::new(Limits { window: 4, failures_max: 3, cool_down_ms: 100 }, Probe::Hint)
}

/// A small breaker that has opened at 0.
fn opened() -> Breaker {
    let mut breaker = small();
    (0..3).for_each(|_| breaker.report(Health::Failing, at(0)));
    breaker
}

/// In words: `closed`, `silent until 100`, `unauthorised probing until 100`, `silent trial 5 left`.
fn shown(breaker: &Breaker) -> String {
    let ms = |until: Timestamp| until.0 / 1_000;
    match breaker.state() {
        State::Closed => "closed".into(),
        State::Open { trouble, until } => format!("{trouble:?} until {}", ms(until)).to_lowercase(),
        State::Probing { trouble, until } => format!("{trouble:?} probing until {}", ms(until)).to_lowercase(),
        State::Trial { trouble, left, good, bad, .. } => {
            format!("{trouble:?} trial {left} left, {good} good, {bad} bad").to_lowercase()
        }
    }
}

/// Plays a script of `time: event -> state`.
fn check(mut breaker: Breaker, script: &str) {
    for line in script.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (event, expected) = line.split_once(" -> ").expect("an arrow");
        let (time, event) = event.split_once(": ").expect("a time");
        let now = at(time.parse().expect("a number"));
        match event {
            "answered" => breaker.report(Health::Answered, now),
            "failing" => breaker.report(Health::Failing, now),
            "refused" => breaker.report(Health::Unauthorised, now),
            "another is refused" => breaker.suspect(now),
            "begin" => breaker.begin(now),
            "withdraw" => breaker.withdraw(),
            "probe" => assert!(breaker.take_probe(now), "{line}: no probe"),
            "no probe" => assert!(!breaker.take_probe(now), "{line}: a probe"),
            "probe answered" => breaker.probed(Health::Answered, now),
            "probe failing" => breaker.probed(Health::Failing, now),
            "probe refused" => breaker.probed(Health::Unauthorised, now),
            other => panic!("no such event: {other}"),
        }
        assert_eq!(shown(&breaker), expected, "{line}");
        assert_eq!(breaker.left() > 0, !expected.contains("until") && !expected.contains("trial 0"), "{line}");
        assert_eq!(breaker.trouble().is_none(), expected == "closed", "{line}");
    }
}

#[test]
fn it_opens_on_failures_and_closes_through_a_probe_and_a_trial() {
    check(
        small(),
        "0: failing -> closed
         0: answered -> closed
         0: failing -> closed
         0: failing -> silent until 100
         50: answered -> silent until 100
         99: no probe -> silent until 100
         100: probe -> silent probing until 10100
         100: no probe -> silent probing until 10100
         150: probe failing -> silent until 250
         250: probe -> silent probing until 10250
         260: probe answered -> silent trial 5 left, 0 good, 0 bad
         260: begin -> silent trial 4 left, 0 good, 0 bad
         270: answered -> silent trial 4 left, 1 good, 0 bad
         270: answered -> closed",
    );
}

#[test]
fn a_probe_that_never_ends_is_followed_by_another() {
    check(
        opened(),
        "100: probe -> silent probing until 10100
         10099: no probe -> silent probing until 10100
         10100: probe -> silent probing until 20100
         10101: probe answered -> silent trial 5 left, 0 good, 0 bad
         10102: probe failing -> silent trial 5 left, 0 good, 0 bad",
    );
}

#[test]
fn reads_that_succeed_do_not_hide_that_writes_fail() {
    check(
        opened(),
        "100: probe -> silent probing until 10100
         100: probe answered -> silent trial 5 left, 0 good, 0 bad
         100: failing -> silent trial 5 left, 0 good, 1 bad
         100: failing -> silent trial 5 left, 0 good, 2 bad
         100: answered -> silent trial 5 left, 1 good, 2 bad
         100: failing -> silent trial 5 left, 1 good, 3 bad
         100: failing -> silent until 200
         200: probe -> silent probing until 10200
         200: probe failing -> silent until 400
         400: probe answered -> silent trial 5 left, 0 good, 0 bad
         400: answered -> silent trial 5 left, 1 good, 0 bad
         400: answered -> closed
         400: failing -> closed
         400: failing -> closed
         400: failing -> silent until 500",
    );
}

#[test]
fn a_trial_lets_few_through_and_does_not_wait_for_ever() {
    let begun = "100: probe -> silent probing until 10100
         100: probe answered -> silent trial 5 left, 0 good, 0 bad
         100: begin -> silent trial 4 left, 0 good, 0 bad
         100: withdraw -> silent trial 5 left, 0 good, 0 bad
         100: begin -> silent trial 4 left, 0 good, 0 bad
         100: begin -> silent trial 3 left, 0 good, 0 bad
         100: begin -> silent trial 2 left, 0 good, 0 bad
         50000: no probe -> silent trial 2 left, 0 good, 0 bad
         50000: begin -> silent trial 1 left, 0 good, 0 bad
         50000: begin -> silent trial 0 left, 0 good, 0 bad
         109999: no probe -> silent trial 0 left, 0 good, 0 bad
         110000: probe -> silent probing until 120000";
    check(opened(), begun);
}

#[test]
fn a_trial_that_nobody_has_requests_for_ends() {
    check(
        opened(),
        "100: probe answered -> silent trial 5 left, 0 good, 0 bad
         100: begin -> silent trial 4 left, 0 good, 0 bad
         110: answered -> silent trial 4 left, 1 good, 0 bad
         60099: no probe -> silent trial 4 left, 1 good, 0 bad
         60100: no probe -> closed",
    );
}

#[test]
fn a_probe_that_is_like_the_requests_needs_no_trial() {
    let limits = Limits { window: 4, failures_max: 3, cool_down_ms: 100 };
    let script = "0: failing -> closed
         0: failing -> closed
         0: failing -> silent until 100
         100: probe answered -> closed
         100: refused -> unauthorised until 100
         100: probe answered -> closed";
    check(Breaker::new(limits, Probe::Alike), script);
}

#[test]
fn refused_credentials_hold_at_once_and_are_proven_by_one_request() {
    check(
        small(),
        "0: refused -> unauthorised until 0
         0: refused -> unauthorised until 0
         0: probe -> unauthorised probing until 10000
         10: probe refused -> unauthorised until 110
         110: probe -> unauthorised probing until 10110
         110: probe refused -> unauthorised until 310
         310: probe answered -> unauthorised trial 1 left, 0 good, 0 bad
         310: begin -> unauthorised trial 0 left, 0 good, 0 bad
         320: refused -> unauthorised until 720
         720: probe answered -> unauthorised trial 1 left, 0 good, 0 bad
         720: failing -> unauthorised until 1520
         1520: probe answered -> unauthorised trial 1 left, 0 good, 0 bad
         1520: answered -> closed
         1530: refused -> unauthorised until 1530
         1530: probe refused -> unauthorised until 1630",
    );
}

#[test]
fn a_suspicion_ends_with_the_probe() {
    check(
        small(),
        "0: another is refused -> suspected until 0
         0: probe -> suspected probing until 10000
         0: probe refused -> suspected until 100
         0: probe failing -> suspected until 200
         200: probe answered -> closed",
    );
    check(
        opened(),
        "0: another is refused -> silent until 100
         0: refused -> unauthorised until 100",
    );
    check(opened(), "100: probe refused -> unauthorised until 200");
}

#[test]
fn the_wait_has_an_end() {
    let mut breaker = small();
    breaker.report(Health::Unauthorised, at(0));
    let mut now = 0;
    for _ in 0..20 {
        breaker.probed(Health::Unauthorised, at(now));
        let State::Open { until, .. } = breaker.state() else { panic!("{:?}", breaker.state()) };
        assert!(until <= at(now + COOL_DOWN_MS_MAX), "{until:?}");
        now += COOL_DOWN_MS_MAX;
    }
}

#[test]
fn a_clock_that_was_set_back_puts_no_probe_off() {
    let mut breaker = small();
    (0..3).for_each(|_| breaker.report(Health::Failing, at(3_600_000)));
    assert!(breaker.take_probe(at(0)));
}

#[test]
fn old_failures_are_forgotten() {
    let mut breaker = small();
    for _ in 0..2 {
        breaker.report(Health::Failing, at(0));
        breaker.report(Health::Failing, at(0));
        for _ in 0..3 {
            breaker.report(Health::Answered, at(0));
        }
    }
    assert!(breaker.is_closed());
}
