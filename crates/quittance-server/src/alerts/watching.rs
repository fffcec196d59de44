//! What this process knows is wrong by itself: with its gateways, and with the channels.
//!
//! Several processes may see one gateway, and one that has nothing to do with it sees nothing wrong. So what fires is said by
//! whoever sees it, and that it is over by whoever had said it; where that one is gone, by anybody after a while. That webhooks come
//! is said only by who has heard them: a process that was started anew, or that does not sweep, says nothing of them.

use super::book::Book;
use crate::config::Config;
use crate::runtime::{Complaint, Unheard};
use quittance_core::alert::{Alarm, Alert, Kind, Severity, Standing, channel_subject, gateway_subject};
use quittance_core::time::Timestamp;
use quittance_store::records::NoticeState;
use std::collections::{BTreeMap, BTreeSet};

/// What nobody has confirmed for so long has nobody any more who sees it.
const UNCONFIRMED_MS: u64 = 300_000;

/// Attempts that fail before a channel counts as failing.
const ATTEMPTS_MIN: i64 = 2;

/// What is said of one subject.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Judgement {
    pub(super) subject: String,
    pub(super) judged: Vec<Kind>,
    pub(super) firing: Vec<Alarm>,
}

/// What is wrong with gateways now, each by its name, as this process sees them.
#[derive(Debug, Default)]
pub(super) struct Wrong {
    /// What holds back what is sent to them.
    pub(super) complaints: Vec<(String, Complaint)>,
    /// Webhooks that do not come.
    pub(super) unheard: Vec<(String, Unheard)>,
    /// Those of whose webhooks it does not know whether what became wrong before a time is so still.
    pub(super) unknown: BTreeMap<String, Timestamp>,
}

/// What this process has said fires.
#[derive(Debug, Default)]
pub(super) struct Watcher {
    raised: BTreeSet<(String, Kind)>,
}

impl Watcher {
    /// Notes that what it said is over is kept so. Until then it says so again: the store may have been somebody else's.
    pub(super) fn kept(&mut self, subject: &str, judged: &[Kind]) {
        self.raised.retain(|(known, kind)| known != subject || !judged.contains(kind));
    }

    /// What is to be said of gateways now, given what is wrong with them.
    pub(super) fn gateways(&mut self, config: &Config, wrong: &Wrong, book: &Book, now: Timestamp) -> Vec<Judgement> {
        let mut judgements = Vec::new();
        for name in config.gateways.keys() {
            let subject = gateway_subject(name);
            let complaints = wrong.complaints.iter().filter(|(gateway, _)| gateway == name);
            let unheard = wrong.unheard.iter().filter(|(gateway, _)| gateway == name);
            let complaints = complaints.filter_map(|(_, complaint)| alarm(&subject, complaint, book, now));
            let firing = together(complaints.chain(unheard.map(|(_, unheard)| silence(&subject, unheard))));
            // By when it opened: since when it has been wrong is said anew by whoever sees it.
            let is_unknown =
                |name: &str, alert: &Alert| wrong.unknown.get(name).is_some_and(|before| alert.turned_at < *before);
            let is_over = |kind: &Kind| {
                let was_raised = self.raised.contains(&(subject.clone(), *kind));
                let open = book.alert(&subject, *kind).filter(|alert| alert.standing == Standing::Open);
                let open = open.filter(|alert| *kind != Kind::Silence || !is_unknown(name, alert));
                let is_firing = firing.iter().any(|alarm| alarm.kind == *kind);
                !is_firing && open.is_some_and(|alert| was_raised || is_unconfirmed(alert, now))
            };
            let over: Vec<Kind> =
                [Kind::Brake, Kind::Unauthorised, Kind::Failing, Kind::Silence].into_iter().filter(is_over).collect();
            self.raised.extend(firing.iter().map(|alarm| (subject.clone(), alarm.kind)));
            if !(over.is_empty() && firing.is_empty()) {
                judgements.push(Judgement { subject, judged: over, firing });
            }
        }
        judgements
    }
}

/// One alarm of each kind.
fn together(alarms: impl Iterator<Item = Alarm>) -> Vec<Alarm> {
    let mut all: Vec<Alarm> = Vec::new();
    for alarm in alarms {
        match all.iter_mut().find(|known| known.kind == alarm.kind) {
            Some(known) => {
                known.what = format!("{}; {}", known.what, alarm.what);
                (known.count, known.since) = (known.count + alarm.count, known.since.min(alarm.since));
            }
            None => all.push(alarm),
        }
    }
    all
}

fn silence(subject: &str, unheard: &Unheard) -> Alarm {
    Alarm {
        kind: Kind::Silence,
        subject: subject.to_owned(),
        severity: Severity::Critical,
        what: unheard.what.clone(),
        count: unheard.count,
        amounts: Vec::new(),
        since: unheard.since,
        link: None,
    }
}

fn is_unconfirmed(alert: &Alert, now: Timestamp) -> bool {
    now.ms_since(alert.observed_at) >= UNCONFIRMED_MS
}

fn alarm(subject: &str, complaint: &Complaint, book: &Book, now: Timestamp) -> Option<Alarm> {
    let (kind, severity) = match complaint.code {
        "unauthorised" => (Kind::Unauthorised, Severity::Critical),
        "paused" => (Kind::Brake, Severity::Warning),
        "unanswered" | "backlogged" => (Kind::Failing, Severity::Critical),
        _ => return None,
    };
    let operations = match complaint.operations.as_slice() {
        [] => String::new(),
        some => format!(" ({})", some.join(", ")),
    };
    let what = format!("{}{operations}", complaint.reason);
    let open = book.alert(subject, kind).filter(|alert| alert.standing == Standing::Open);
    let since = open.map_or(now, |alert| alert.since);
    Some(Alarm { kind, subject: subject.to_owned(), severity, what, count: 0, amounts: Vec::new(), since, link: None })
}

/// Since when a channel has taken no messages, and why; none while it takes them, or has failed once only.
pub(super) fn mute(book: &Book, name: &str) -> Option<(Timestamp, String)> {
    let newest = book.newest.get(name)?;
    let is_mute = match newest.state {
        NoticeState::Waiting => newest.attempts >= ATTEMPTS_MIN,
        NoticeState::Sent => false,
        NoticeState::GivenUp => true,
    };
    let since = book.channel(name).failing_since.filter(|_| is_mute)?;
    Some((since, newest.error.clone().unwrap_or_else(|| "no reason is known".to_owned())))
}

/// What is to be said of the channels: one that takes no messages is told by the others.
pub(super) fn channels(config: &Config, book: &Book) -> Vec<Judgement> {
    let mut judgements = Vec::new();
    for name in config.alerts.keys() {
        let (subject, head) = (channel_subject(name), book.channel(name));
        let firing = mute(book, name).map(|(since, error)| Alarm {
            kind: Kind::Channel,
            subject: subject.clone(),
            severity: Severity::Critical,
            what: format!("the channel takes no messages: {error}"),
            count: 0,
            amounts: Vec::new(),
            since,
            link: None,
        });
        let is_open = book.alert(&subject, Kind::Channel).is_some_and(|alert| alert.standing == Standing::Open);
        // While it is tried for the first time after a success nobody knows yet.
        let is_over = is_open && head.failing_since.is_none();
        if firing.is_some() || is_over {
            judgements.push(Judgement { subject, judged: vec![Kind::Channel], firing: firing.into_iter().collect() });
        }
    }
    judgements
}

/// Open alerts about what is not configured any more, or of a pair that is not compared by schedule any more: nobody judges it, so
/// it is over.
pub(super) fn forgotten(config: &Config, book: &Book) -> Vec<Judgement> {
    let is_known = |subject: &str| {
        let scheduled = config.pairs.iter().filter(|(_, pair)| pair.service.schedule.is_some());
        let names = scheduled.map(|(name, _)| name.clone());
        let gateways = config.gateways.keys().map(|name| gateway_subject(name));
        let channels = config.alerts.keys().map(|name| channel_subject(name));
        names.chain(gateways).chain(channels).any(|name| {
            let rest = subject.strip_prefix(name.as_str());
            rest.is_some_and(|rest| !rest.starts_with(|c: char| c.is_alphanumeric() || matches!(c, '-' | '_')))
        })
    };
    let open = book.alerts.iter().filter(|alert| alert.standing == Standing::Open && !is_known(&alert.subject));
    open.map(|alert| Judgement { subject: alert.subject.clone(), judged: vec![alert.kind], firing: Vec::new() })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use quittance_core::alert;

    fn config() -> Config {
        let text = "[gateways.sandbox]\nkind = \"stripe\"\napi_base = \"http://127.0.0.1:9\"\napi_key = \"env:KEY\"\n";
        Config::from_text(text, &|_| None).expect("it is right")
    }

    fn paused() -> Wrong {
        let complaint = Complaint { code: "paused", reason: "it is paused", operations: Vec::new() };
        Wrong { complaints: vec![("sandbox".to_owned(), complaint)], ..Wrong::default() }
    }

    #[test]
    fn webhooks_that_do_not_come_are_one_silence_until_they_do() {
        let (config, now) = (config(), Timestamp(1_700_000_000_000_000));
        let unheard = |what: &str, count, since| {
            let since = Timestamp(since);
            ("sandbox".to_owned(), Unheard { what: what.to_owned(), count, since })
        };
        let wrong =
            Wrong { unheard: vec![unheard("it is disabled", 0, 9), unheard("none comes", 4, 5)], ..Wrong::default() };
        let mut watcher = Watcher::default();
        let said = watcher.gateways(&config, &wrong, &Book::default(), now);
        let alarm = &said[0].firing[0];
        assert_eq!((alarm.kind, alarm.count, alarm.since), (Kind::Silence, 4, Timestamp(5)));
        assert_eq!(alarm.what, "it is disabled; none comes");
        let book = book(&said, now);
        assert_eq!(watcher.gateways(&config, &Wrong::default(), &book, now)[0].judged, [Kind::Silence]);
    }

    #[test]
    fn who_does_not_know_whether_webhooks_come_never_says_that_a_silence_is_over() {
        let (config, now) = (config(), Timestamp(1_700_000_000_000_000));
        let unheard = Unheard { what: "none comes".to_owned(), count: 4, since: Timestamp(5) };
        let silent = Wrong { unheard: vec![("sandbox".to_owned(), unheard)], ..Wrong::default() };
        let (mut before, mut after) = (Watcher::default(), Watcher::default());
        let book = book(&before.gateways(&config, &silent, &Book::default(), now), now);
        let later = now.plus_ms(UNCONFIRMED_MS * 100);
        let before_then = |then| Wrong { unknown: [("sandbox".to_owned(), then)].into(), ..Wrong::default() };
        let unknown = || before_then(now.plus_ms(1));
        assert_eq!(after.gateways(&config, &unknown(), &book, later), [], "it was started anew");
        assert_eq!(before.gateways(&config, &unknown(), &book, later), [], "another sweeps");
        for known in [Wrong::default(), before_then(now)] {
            assert_eq!(after.gateways(&config, &known, &book, later)[0].judged, [Kind::Silence]);
        }
    }

    fn book(said: &[Judgement], now: Timestamp) -> Book {
        let fired = said.iter().flat_map(|judgement| &judgement.firing);
        let kept = fired.filter_map(|alarm| alert::observe(&alarm.subject, alarm.kind, None, Some(alarm), now));
        Book { alerts: kept.collect(), ..Book::default() }
    }

    #[test]
    fn who_said_that_it_fires_says_that_it_is_over_and_others_only_after_a_while() {
        let (config, now) = (config(), Timestamp(1_700_000_000_000_000));
        let (mut here, mut there) = (Watcher::default(), Watcher::default());
        let said = here.gateways(&config, &paused(), &Book::default(), now);
        assert_eq!((said[0].subject.as_str(), said[0].firing[0].kind), ("gateways.sandbox", Kind::Brake));
        let book = book(&said, now);
        assert_eq!(there.gateways(&config, &Wrong::default(), &book, now), [], "it never saw anything wrong");
        let later = now.plus_ms(UNCONFIRMED_MS);
        assert_eq!(there.gateways(&config, &Wrong::default(), &book, later)[0].judged, [Kind::Brake]);
        for _ in 0..2 {
            let over = here.gateways(&config, &Wrong::default(), &book, now);
            assert_eq!((over[0].judged.as_slice(), over[0].firing.len()), (&[Kind::Brake][..], 0));
        }
        here.kept("gateways.sandbox", &[Kind::Brake]);
        assert_eq!(
            here.gateways(&config, &Wrong::default(), &book, now),
            [],
            "it is kept, and somebody else says it fires"
        );
    }

    #[test]
    fn what_is_not_configured_any_more_is_over() {
        let (config, now) = (config(), Timestamp(1_700_000_000_000_000));
        let alarm = |subject: &str| Alarm {
            kind: Kind::Drift,
            subject: subject.into(),
            severity: Severity::Warning,
            what: String::new(),
            count: 0,
            amounts: Vec::new(),
            since: now,
            link: None,
        };
        let firing = ["gateways.sandbox", "gateways.sandboxes", "subscriptions"].map(alarm).to_vec();
        let said = [Judgement { subject: String::new(), judged: Vec::new(), firing }];
        let over = forgotten(&config, &book(&said, now));
        let over: Vec<&str> = over.iter().map(|judgement| judgement.subject.as_str()).collect();
        assert_eq!(over, ["gateways.sandboxes", "subscriptions"]);
    }

    #[test]
    fn what_is_not_compared_by_schedule_any_more_is_over() {
        let now = Timestamp(1_700_000_000_000_000);
        let side = |system: &str| format!("{{ system = \"{system}\", file = \"people\" }}");
        let over = |schedule: &str| {
            let text = format!(
                "[systems.app]\nkind = \"csv\"\npath = \"/tmp\"\n[systems.crm]\nkind = \"csv\"\npath = \"/tmp\"\n\
                 [pairs.people]\nleft = {}\nright = {}\nmatch = [ {{ left = \"id\", right = \"id\" }} ]\n{schedule}\
                 [[pairs.people.fields]]\nleft = \"email\"\nright = \"email\"\n",
                side("app"),
                side("crm")
            );
            let config = Config::from_text(&text, &|_| None).expect("it is right");
            let alarm = Alarm {
                kind: Kind::Drift,
                subject: "people".into(),
                severity: Severity::Warning,
                what: String::new(),
                count: 0,
                amounts: Vec::new(),
                since: now,
                link: None,
            };
            let said = [Judgement { subject: String::new(), judged: Vec::new(), firing: vec![alarm] }];
            forgotten(&config, &book(&said, now)).len()
        };
        assert_eq!((over("schedule = \"every 1m\"\n"), over("")), (0, 1));
    }
}
