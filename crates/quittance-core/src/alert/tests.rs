//! Rules as a table, and what holds whatever happens when.

use super::*;
use crate::id::SilenceId;
use proptest::prelude::*;

const MINUTE: i64 = 60_000_000;

fn at(minutes: i64) -> Timestamp {
    Timestamp(1_700_000_000_000_000 + minutes * MINUTE)
}

fn rules() -> Rules {
    Rules {
        channel: "ops".into(),
        kinds: Kind::ALL.to_vec(),
        severity_min: Severity::Info,
        subjects: Vec::new(),
        delay_ms: 0,
        repeat_ms: Some(240 * 60_000),
        gap_ms: 5 * 60_000,
    }
}

fn alarm(count: u64) -> Alarm {
    Alarm {
        kind: Kind::Drift,
        subject: "subscriptions".into(),
        severity: Severity::Warning,
        what: "records differ".into(),
        count,
        amounts: Vec::new(),
        since: at(0),
        link: None,
    }
}

fn euros(sum: i64) -> Vec<(Currency, i64)> {
    vec![(Currency::from_code("EUR").expect("a currency"), sum)]
}

/// One alert, one channel, and what it was told.
struct World {
    rules: Rules,
    alert: Option<Alert>,
    told: Vec<(i64, Cause)>,
}

impl World {
    fn new(rules: Rules) -> Self {
        Self { rules, alert: None, told: Vec::new() }
    }

    fn observe(&mut self, minute: i64, firing: Option<&Alarm>) {
        let after = observe("subscriptions", Kind::Drift, self.alert.as_ref(), firing, at(minute));
        self.alert = after.or(self.alert.take());
    }

    fn look(&mut self, minute: i64, silences: &[Silence]) -> Option<Cause> {
        let alert = self.alert.as_mut()?;
        *alert = alert.clone().held_back(at(minute));
        let (_, causes) = gather(std::slice::from_ref(alert), &self.rules, silences, at(minute))?;
        let [(0, cause)] = causes[..] else { panic!("one alert is told once in a message") };
        tell(alert, &self.rules.channel, cause, 1, at(minute));
        self.told.push((minute, cause));
        Some(cause)
    }

    /// At each minute: whether it fires, with how many.
    fn run(&mut self, minutes: impl IntoIterator<Item = (i64, Option<u64>)>) {
        for (minute, count) in minutes {
            self.observe(minute, count.map(alarm).as_ref());
            self.look(minute, &[]);
        }
    }
}

fn told(rules: Rules, firing: impl Fn(i64) -> Option<u64>, minutes: i64) -> Vec<(i64, Cause)> {
    let mut world = World::new(rules);
    world.run((0..minutes).map(|minute| (minute, firing(minute))));
    world.told
}

#[test]
fn it_is_told_at_once_again_every_four_hours_and_when_it_is_over() {
    let firing = |minute| (minute < 500).then_some(3);
    let causes = [(0, Cause::Fires), (240, Cause::StillFires), (480, Cause::StillFires), (505, Cause::Resolved)];
    assert_eq!(told(rules(), firing, 600), causes);
    let never = Rules { repeat_ms: None, ..rules() };
    assert_eq!(told(never, firing, 600), [(0, Cause::Fires), (505, Cause::Resolved)]);
}

#[test]
fn what_is_over_before_the_delay_is_never_told() {
    let slow = Rules { delay_ms: 30 * 60_000, ..rules() };
    assert_eq!(told(slow.clone(), |minute| (minute < 30).then_some(3), 60), []);
    let causes = [(30, Cause::Fires), (36, Cause::Resolved)];
    assert_eq!(told(slow, |minute| (minute < 31).then_some(3), 60), causes);
}

#[test]
fn what_doubles_is_told_at_once_but_not_before_the_gap() {
    let doubling = |minute: i64| Some(if minute == 0 { 1 } else { 1 << minute.min(30) });
    assert_eq!(told(rules(), doubling, 12), [(0, Cause::Fires), (5, Cause::Worsened), (10, Cause::Worsened)]);
    let slightly_more = |minute| Some(100 + u64::try_from(minute).expect("from 0"));
    assert_eq!(told(rules(), slightly_more, 90), [(0, Cause::Fires)]);
}

#[test]
fn what_is_dearer_or_more_severe_is_worse_and_what_is_less_is_not() {
    let base = Alarm { amounts: euros(100), count: 4, ..alarm(4) };
    let cases = [
        (Alarm { amounts: euros(200), ..base.clone() }, Some(Cause::Worsened)),
        (Alarm { amounts: euros(-200), ..base.clone() }, Some(Cause::Worsened)),
        (Alarm { amounts: euros(199), ..base.clone() }, None),
        (Alarm { amounts: Vec::new(), ..base.clone() }, None),
        (Alarm { severity: Severity::Critical, ..base.clone() }, Some(Cause::Worsened)),
        (Alarm { severity: Severity::Info, ..base.clone() }, None),
        (Alarm { count: 8, ..base.clone() }, Some(Cause::Worsened)),
        (Alarm { count: 0, ..base.clone() }, None),
    ];
    for (changed, cause) in cases {
        let mut world = World::new(rules());
        world.observe(0, Some(&base));
        assert_eq!(world.look(0, &[]), Some(Cause::Fires));
        world.observe(10, Some(&changed));
        assert_eq!(world.look(10, &[]), cause, "{changed:?}");
    }
}

/// Something that fires every other minute is told once, and that it is over only when it really is.
#[test]
fn what_flaps_is_one_alert() {
    let firing = |minute| (minute < 300 && minute % 2 == 0).then_some(3);
    let causes = [(0, Cause::Fires), (240, Cause::StillFires), (359, Cause::Resolved)];
    assert_eq!(told(rules(), firing, 600), causes);
    // Six minutes of every ten: over for long enough at first, and then believed later and later.
    let firing = |minute| (minute < 300 && minute % 16 < 8).then_some(3);
    let causes = told(rules(), firing, 600);
    assert_eq!(causes[..3], [(0, Cause::Fires), (13, Cause::Resolved), (18, Cause::Fires)]);
    assert!(causes.len() <= 6, "{causes:?}");
    assert_eq!(causes.last().map(|(_, cause)| *cause), Some(Cause::Resolved));
}

#[test]
fn what_is_filtered_is_not_told_but_what_was_told_is_ended() {
    for narrow in [
        Rules { kinds: vec![Kind::Brake], ..rules() },
        Rules { severity_min: Severity::Critical, ..rules() },
        Rules { subjects: vec!["invoices".into()], ..rules() },
    ] {
        assert_eq!(told(narrow.clone(), |minute| (minute < 100).then_some(3), 200), []);
        let mut world = World::new(rules());
        world.run([(0, Some(3))]);
        world.rules = narrow;
        world.run((1..400).map(|minute| (minute, (minute < 300).then_some(9))));
        assert_eq!(world.told, [(0, Cause::Fires), (305, Cause::Resolved)]);
    }
    let itself = Alarm { kind: Kind::Channel, subject: channel_subject("ops"), ..alarm(1) };
    let of = |alarm| observe("alerts.ops", Kind::Channel, None, Some(alarm), at(0)).expect("it fires");
    assert!(!rules().take(&of(&itself)), "a channel is not told of itself");
    assert!(Rules { channel: "mail".into(), ..rules() }.take(&of(&itself)));
}

fn silence(from: i64, until: i64) -> Silence {
    Silence {
        id: SilenceId::from_bytes([1; 16]),
        subject: "subscriptions".into(),
        kind: None,
        from: at(from),
        until: at(until),
        reason: "migration".into(),
        by: "operator".into(),
    }
}

#[test]
fn a_silence_holds_back_what_is_wrong_and_not_that_it_is_over() {
    let silences = [silence(10, 100)];
    let mut world = World::new(rules());
    for minute in 0..200 {
        world.observe(minute, (minute < 5 || (20..150).contains(&minute)).then_some(3).map(alarm).as_ref());
        world.look(minute, if minute < 10 { &[] } else { &silences });
    }
    let causes = [(0, Cause::Fires), (10, Cause::Resolved), (100, Cause::Fires), (160, Cause::Resolved)];
    assert_eq!(world.told, causes);
}

#[test]
fn what_a_lost_message_said_is_told_again() {
    let mut world = World::new(Rules { repeat_ms: None, ..rules() });
    world.run([(0, Some(3)), (1, Some(3))]);
    let lost = |world: &mut World| lose(world.alert.as_mut().expect("it fired"), "ops", 1);
    assert!(lost(&mut world));
    world.run((2..20).map(|minute| (minute, Some(3))));
    assert_eq!(world.told[1..], [(5, Cause::StillFires)]);
    world.run((20..30).map(|minute| (minute, None)));
    assert!(lost(&mut world), "the message that it is over");
    world.run((30..60).map(|minute| (minute, None)));
    assert_eq!(world.told[2..], [(25, Cause::Resolved), (30, Cause::Resolved)]);
    let alert = world.alert.as_mut().expect("it fired");
    assert!(!lose(alert, "mail", 1) && !lose(alert, "ops", 2), "another channel, another message");
}

#[test]
fn a_silence_is_about_what_it_says() {
    let alert = observe("subscriptions", Kind::Drift, None, Some(&alarm(1)), at(0)).expect("it fires");
    let everything = Silence { subject: EVERYTHING.into(), ..silence(0, 10) };
    let covers = |silence: &Silence, minute| silence.covers(&alert, at(minute));
    assert!(covers(&everything, 0) && covers(&silence(0, 10), 9));
    assert!(!covers(&silence(0, 10), 10), "it ended");
    assert!(!covers(&Silence { subject: "invoices".into(), ..silence(0, 10) }, 1));
    assert!(!covers(&Silence { kind: Some(Kind::Shape), ..silence(0, 10) }, 1));
    assert!(covers(&Silence { kind: Some(Kind::Drift), ..silence(0, 10) }, 1));
    // The clock was set back by a year: a silence of ten minutes does not hold for a year.
    assert!(!covers(&silence(0, 10), -525_600));
}

#[test]
fn a_clock_that_jumps_ahead_repeats_once_and_one_that_jumps_back_strands_nothing() {
    let mut world = World::new(rules());
    world.run((0..3).map(|minute| (minute, Some(3))));
    let year = 525_600;
    world.run((year..year + 30).map(|minute| (minute, Some(3))));
    assert_eq!(world.told, [(0, Cause::Fires), (year, Cause::StillFires)]);
    world.run((30..300).map(|minute| (minute, Some(3))));
    assert_eq!(world.told[2..], [(270, Cause::StillFires)], "four hours after the clock was set back");
    world.run((300..400).map(|minute| (minute, None)));
    assert_eq!(world.told[3..], [(305, Cause::Resolved)]);
}

#[test]
fn a_message_tells_the_worst_first_and_how_many_more_there_are() {
    let alerts: Vec<Alert> = (0..25)
        .map(|n| {
            let severity = if n == 24 { Severity::Critical } else { Severity::Warning };
            let subject = format!("pair-{n:02}");
            observe(&subject, Kind::Drift, None, Some(&Alarm { severity, ..alarm(n) }), at(0)).expect("it fires")
        })
        .collect();
    let (message, causes) = gather(&alerts, &rules(), &[], at(1)).expect("25 alerts");
    assert_eq!((message.lines.len(), message.more, causes.len()), (LINES_MAX, 5, 25));
    assert_eq!(message.lines[0].subject, "pair-24");
    assert_eq!(message.lines[1].subject, "pair-00");
    assert_eq!(message.severity(), Some(Severity::Critical));
    assert_eq!(gather(&[], &rules(), &[], at(1)), None);
}

#[test]
fn hostile_texts_are_one_bounded_line() {
    let what = format!("a\r\nSubject: b\u{202e}c\0{}", "ä".repeat(1_000));
    let hostile = Alarm { what, link: Some("x\n".repeat(900)), ..alarm(u64::MAX) };
    let alert = observe(&"s\n".repeat(900), Kind::Drift, None, Some(&hostile), at(0)).expect("it fires");
    assert!(alert.what.starts_with("a  Subject: b c ä") && alert.what.ends_with('…'));
    for (text, max) in [(&alert.what, WHAT_BYTES_MAX), (&alert.subject, 200)] {
        assert!(text.len() <= max && !text.contains(char::is_control), "{text}");
    }
    assert_eq!(alert.count, i64::MAX.unsigned_abs());
    assert_eq!(subject_of(&alert.subject), alert.subject);
}

/// Sums of one currency are added up, and what is said twice changes nothing that is kept.
#[test]
fn an_alarm_said_again_is_kept_once_a_minute() {
    let twice = Alarm { amounts: [euros(100), euros(i64::MAX)].concat(), ..alarm(3) };
    let alert = observe("subscriptions", Kind::Drift, None, Some(&twice), at(0)).expect("it fires");
    assert_eq!(alert.amounts, euros(i64::MAX));
    let again = |micros| observe("subscriptions", Kind::Drift, Some(&alert), Some(&twice), Timestamp(at(0).0 + micros));
    assert_eq!(again(MINUTE - 1), None);
    assert_eq!(again(MINUTE).map(|alert| alert.observed_at), Some(at(1)));
    assert_eq!(observe("subscriptions", Kind::Drift, None, None, at(0)), None);
}

proptest! {
    /// Never two messages about one thing within the gap; whatever is wrong for as long as delay, gap and calm take is told;
    /// what was told ends.
    #[test]
    fn whatever_fires_when(
        spans in prop::collection::vec((1_i64..90, 1_i64..90, 1_u64..1_000), 1..40),
        delay in 0_i64..40,
        gap in 1_i64..20,
        repeat in prop::option::of(20_i64..300),
    ) {
        let ms = |minutes: i64| minutes.unsigned_abs() * 60_000;
        let rules = Rules { delay_ms: ms(delay), gap_ms: ms(gap), repeat_ms: repeat.map(ms), ..rules() };
        let mut world = World::new(rules);
        let (mut minute, mut firings) = (0, Vec::new());
        for (on, off, count) in spans {
            firings.push((minute, minute + on));
            world.run((minute..minute + on).map(|minute| (minute, Some(count))));
            minute += on;
            world.run((minute..minute + off).map(|minute| (minute, None)));
            minute += off;
        }
        world.run((minute..minute + 200).map(|minute| (minute, None)));
        for pair in world.told.windows(2) {
            prop_assert!(pair[1].0 - pair[0].0 >= gap, "{pair:?}");
        }
        // From the first message on until the last, firing and resolved take turns.
        let mut is_firing = false;
        let mut open = Vec::new();
        for &(minute, cause) in &world.told {
            match cause {
                Cause::Fires => { prop_assert!(!is_firing); is_firing = true; open.push((minute, i64::MAX)); }
                Cause::Resolved => {
                    prop_assert!(is_firing);
                    is_firing = false;
                    let last = open.last_mut().expect("it fired");
                    last.1 = minute;
                }
                Cause::Worsened | Cause::StillFires => prop_assert!(is_firing),
            }
        }
        prop_assert!(!is_firing, "what was told ends");
        for (from, until) in firings {
            if until - from > delay.max(gap) {
                let told = open.iter().any(|&(told, ended)| told < until && ended > from);
                prop_assert!(told, "firing {from}..{until} is told: {:?}", world.told);
            }
        }
    }
}
