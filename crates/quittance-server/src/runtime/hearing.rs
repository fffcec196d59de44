//! What is heard of a gateway by its webhooks, beside what its log of events lists, as the process that sweeps it sees it.
//!
//! Owns which events wait for their webhook, and what the gateway says of the endpoint. Does not own the rule
//! ([`quittance_core::pair::detect::webhooks`]), nor what the events mean.

use crate::metrics;
use quittance_connectors::event::Event;
use quittance_core::pair::detect::webhooks::Heard;
use quittance_core::time::Timestamp;
use quittance_store::records::{EventSource, InboxEntry};
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Events that wait for their webhook, and those that were judged and may be listed again: with more, what comes is not judged.
const EVENTS_MAX: usize = 10_000;

/// Looks in a row at the endpoint that the gateway leaves unsaid, after which what it said before is not known any more.
const UNSAID_MAX: u32 = 2;

/// That a gateway's webhooks do not come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unheard {
    /// What is wrong, in a sentence without a full stop.
    pub what: String,
    /// Events that were missed.
    pub count: u64,
    /// Since when.
    pub since: Timestamp,
}

/// How the gateway says that it keeps the endpoint to which it sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum EndpointStatus {
    /// It sends there.
    Enabled,
    /// It does not: somebody, or too many failures, disabled it.
    Disabled,
    /// It has none of this address.
    Gone,
}

/// What is to be heard of a gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Expected {
    /// Webhooks.
    pub(super) webhooks: bool,
    /// How it keeps the endpoint.
    pub(super) endpoint: bool,
}

/// What is heard of one gateway.
pub(super) struct Hearing {
    gateway: String,
    expected: Expected,
    state: Mutex<State>,
}

struct State {
    /// What the gateway made before, by its own clock, may have been sent to nobody.
    since: Timestamp,
    waiting: BTreeMap<String, Waiting>,
    /// When those were made that are judged.
    judged: BTreeMap<String, i64>,
    heard: Heard,
    /// The status of the endpoint where it sends nothing, and since when that is known.
    endpoint: Option<(EndpointStatus, Timestamp)>,
    /// Looks in a row that left the endpoint unsaid.
    unsaid: u32,
    is_endpoint_known: bool,
    /// That events are missing for ever, and since when.
    gap: Option<(String, Timestamp)>,
    /// When the books were read for that first.
    looked_at: Option<Timestamp>,
}

struct Waiting {
    kind: String,
    created_seconds: i64,
    found_at: Timestamp,
}

impl State {
    fn new(since: Timestamp) -> Self {
        let (waiting, judged) = (BTreeMap::new(), BTreeMap::new());
        Self {
            since,
            waiting,
            judged,
            heard: Heard::default(),
            endpoint: None,
            unsaid: 0,
            is_endpoint_known: false,
            gap: None,
            looked_at: None,
        }
    }

    /// What became wrong before this may be wrong still without being known here; none where all is known. Who has not looked since it
    /// began knows neither that something is wrong nor that it is over.
    fn unknown_before(&self, expected: Expected) -> Option<Timestamp> {
        let Some(looked_at) = self.looked_at else { return Some(Timestamp(i64::MAX)) };
        let webhooks = !expected.webhooks || self.heard.is_known();
        let endpoint = !expected.endpoint || self.is_endpoint_known;
        (!webhooks || !endpoint).then_some(looked_at)
    }

    fn unheard(&self) -> Vec<Unheard> {
        let endpoint = self.endpoint.map(|(status, since)| {
            let what = match status {
                EndpointStatus::Disabled => "the gateway has disabled the endpoint of our webhooks: enable it there",
                _ => "the gateway has no webhook endpoint at our webhook_url: make one there, or mend the setting",
            };
            Unheard { what: what.to_owned(), count: 0, since }
        });
        let silence = self.heard.silence().map(|silence| {
            let what = match silence.types.as_slice() {
                [] => "the gateway lists events that no webhook brought: none comes any more".to_owned(),
                types => format!("the gateway lists events that no webhook brings any more: {}", types.join(", ")),
            };
            Unheard { what, count: silence.count, since: silence.since }
        });
        let gap = self.gap.as_ref().map(|(detail, since)| Unheard {
            what: format!("events are missing for ever, and every object is looked at instead: {detail}"),
            count: 0,
            since: *since,
        });
        endpoint.into_iter().chain(silence).chain(gap).collect()
    }
}

impl Hearing {
    /// Listens to a gateway from now on.
    pub(super) fn new(gateway: &str, expected: Expected, now: Timestamp) -> Self {
        Self { gateway: gateway.to_owned(), expected, state: Mutex::new(State::new(now)) }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Plain maps; nothing under the lock panics half-way.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Another process sweeps the gateway, and judges it.
    pub(super) fn leave(&self) {
        let mut state = self.lock();
        let since = state.since;
        *state = State::new(since);
        self.tell(&state);
    }

    /// Notes an event that the log lists, and what the inbox has of it. Those of kinds that are not read may be sent to nobody.
    pub(super) fn listed(&self, event: &Event, known: Option<&InboxEntry>, now: Timestamp) {
        let mut state = self.lock();
        if event.object_kind.is_none() || event.created_seconds < state.since.seconds() {
            return;
        }
        let (found_at, arrived_at) = known.map_or((now, None), |entry| (entry.received_at, arrived(entry)));
        if let Some(arrived_at) = arrived_at {
            state.waiting.remove(&event.id);
            state.heard.arrived(&event.kind, arrived_at);
        } else if !state.judged.contains_key(&event.id) && state.waiting.len() + state.judged.len() < EVENTS_MAX {
            let waiting = Waiting { kind: event.kind.clone(), created_seconds: event.created_seconds, found_at };
            state.waiting.entry(event.id.clone()).or_insert(waiting);
        }
        self.tell(&state);
    }

    /// The events that have waited for so long.
    pub(super) fn due(&self, grace_ms: u64, now: Timestamp) -> Vec<String> {
        let state = self.lock();
        let due = state.waiting.iter().filter(|(_, one)| now.ms_since(one.found_at) >= grace_ms);
        due.map(|(id, _)| id.clone()).collect()
    }

    /// Judges an event that has waited long enough by what the inbox has of it now.
    pub(super) fn judge(&self, id: &str, known: Option<&InboxEntry>) {
        let mut state = self.lock();
        let Some(Waiting { kind, created_seconds, found_at }) = state.waiting.remove(id) else { return };
        if let Some(arrived_at) = known.and_then(arrived) {
            state.heard.arrived(&kind, arrived_at);
        } else {
            let kind = state.heard.missed(&kind, found_at);
            metrics::webhook_missed(&self.gateway, &kind);
            tracing::warn!(gateway = self.gateway, event = id, kind, "no webhook brought an event that the log lists");
            state.judged.insert(id.to_owned(), created_seconds);
        }
        self.tell(&state);
    }

    /// Forgets what was made before this second: it is not listed again.
    pub(super) fn forget(&self, created_from: i64) {
        self.lock().judged.retain(|_, created_seconds| *created_seconds >= created_from);
    }

    /// Notes what the gateway says of the endpoint; none where it answers, and says nothing of it.
    pub(super) fn note_endpoint(&self, status: Option<EndpointStatus>, now: Timestamp) {
        let mut state = self.lock();
        let before = state.endpoint.map(|(before, _)| before);
        state.unsaid = if status.is_none() { state.unsaid + 1 } else { 0 };
        match status {
            None if state.unsaid < UNSAID_MAX => return,
            None | Some(EndpointStatus::Enabled) => state.endpoint = None,
            Some(status) if before == Some(status) => {}
            Some(status) => state.endpoint = Some((status, now)),
        }
        state.is_endpoint_known = true;
        if before != state.endpoint.map(|(after, _)| after) {
            tracing::warn!(
                gateway = self.gateway,
                ?status,
                "the gateway keeps its webhook endpoint otherwise than before"
            );
        }
        self.tell(&state);
    }

    /// Notes what the books say of events that are missing for ever: what is known of that, and since when.
    pub(super) fn note_gap(&self, gap: Option<(String, Timestamp)>, now: Timestamp) {
        let mut state = self.lock();
        state.gap = gap;
        state.looked_at.get_or_insert(now);
    }

    /// What is wrong now; and the time before which what became wrong may be so still without being known here, if any.
    pub(super) fn heard(&self) -> (Vec<Unheard>, Option<Timestamp>) {
        let state = self.lock();
        (state.unheard(), state.unknown_before(self.expected))
    }

    fn tell(&self, state: &State) {
        let count = state.heard.silence().map_or(0, |silence| silence.count);
        metrics::webhooks_silent(&self.gateway, count, state.endpoint.is_some());
    }
}

/// When a webhook brought an event, if one did.
fn arrived(entry: &InboxEntry) -> Option<Timestamp> {
    entry.verified_at.filter(|_| matches!(entry.source, EventSource::Webhook | EventSource::Sweep))
}

#[cfg(test)]
mod tests {
    use super::*;
    use quittance_core::fact::ObjectKind;
    use quittance_store::records::Disposition;

    const ALL: Expected = Expected { webhooks: true, endpoint: true };

    const BEGAN: Timestamp = Timestamp::from_seconds(1_700_000_000);

    fn at(second: i64) -> Timestamp {
        Timestamp::from_seconds(1_700_000_000 + second)
    }

    fn event(id: &str, second: i64) -> Event {
        Event {
            id: id.into(),
            kind: "charge.succeeded".into(),
            api_version: None,
            created_seconds: at(second).seconds(),
            account: None,
            livemode: None,
            object_id: None,
            object_kind: Some(ObjectKind::Charge),
            effect_id: None,
            seen: None,
            request_idempotency_key: None,
        }
    }

    fn entry(id: &str, found: i64, verified: Option<i64>) -> InboxEntry {
        InboxEntry {
            gateway: "stripe".into(),
            event: id.into(),
            kind: "charge.succeeded".into(),
            object: None,
            book: None,
            disposition: Disposition::Ignored,
            source: EventSource::Sweep,
            endpoint: None,
            secret: None,
            verified_at: verified.map(at),
            received_at: at(found),
            body: Vec::new(),
        }
    }

    #[test]
    fn what_no_webhook_brings_within_the_grace_is_missed_and_a_webhook_ends_the_silence() {
        let hearing = Hearing::new("stripe", ALL, BEGAN);
        hearing.listed(&event("evt_old", -5), None, at(1));
        hearing.listed(&Event { object_kind: None, ..event("evt_else", 1) }, None, at(1));
        for (number, id) in ["evt_1", "evt_2", "evt_3", "evt_late"].into_iter().enumerate() {
            hearing.listed(&event(id, 1), None, at(2 + number as i64));
        }
        assert_eq!(hearing.due(900_000, at(901)), [""; 0]);
        let due = hearing.due(900_000, at(905));
        assert_eq!(due, ["evt_1", "evt_2", "evt_3", "evt_late"]);
        hearing.judge("evt_late", Some(&entry("evt_late", 5, Some(1))));
        for id in &due[..3] {
            hearing.judge(id, Some(&entry(id, 2, None)));
        }
        let silent = |hearing: &Hearing| hearing.heard().0.iter().map(|one| (one.count, one.since)).collect::<Vec<_>>();
        assert_eq!(silent(&hearing), [(3, at(2))]);
        // It is listed again, and is not judged twice.
        hearing.listed(&event("evt_1", 1), Some(&entry("evt_1", 2, None)), at(960));
        assert_eq!((hearing.due(0, at(9_999)), silent(&hearing)), (Vec::<String>::new(), vec![(3, at(2))]));
        hearing.listed(&event("evt_4", 961), Some(&entry("evt_4", 962, Some(963))), at(964));
        assert_eq!(silent(&hearing), []);
    }

    #[test]
    fn what_is_said_of_the_endpoint_lasts_until_it_is_enabled_and_whoever_leaves_says_nothing() {
        let hearing = Hearing::new("stripe", ALL, BEGAN);
        let said = |status, second| hearing.note_endpoint(status, at(second));
        said(Some(EndpointStatus::Disabled), 5);
        said(Some(EndpointStatus::Disabled), 9);
        let unheard = hearing.heard().0;
        assert!(unheard[0].what.contains("disabled") && unheard[0].since == at(5), "{unheard:?}");
        said(Some(EndpointStatus::Gone), 12);
        assert_eq!(hearing.heard().0[0].since, at(12));
        said(Some(EndpointStatus::Enabled), 20);
        assert_eq!(hearing.heard().0, []);
        hearing.note_gap(Some(("for 31 days".to_owned(), at(25))), at(25));
        assert!(hearing.heard().0[0].what.ends_with("looked at instead: for 31 days"));
        hearing.note_gap(None, at(26));
        assert_eq!(hearing.heard().0, []);
        said(Some(EndpointStatus::Gone), 30);
        hearing.leave();
        assert_eq!(hearing.heard(), (Vec::new(), Some(Timestamp(i64::MAX))));
    }

    #[test]
    fn what_was_said_of_the_endpoint_is_forgotten_once_nothing_is_said_of_it_twice() {
        let hearing = Hearing::new("stripe", ALL, BEGAN);
        let is_down = |status, second| {
            hearing.note_endpoint(status, at(second));
            !hearing.heard().0.is_empty()
        };
        let down = Some(EndpointStatus::Disabled);
        assert!(is_down(down, 1) && is_down(None, 2) && is_down(down, 3) && is_down(None, 4), "once is nothing");
        assert!(!is_down(None, 5), "twice in a row");
        assert!(is_down(down, 6));
    }

    #[test]
    fn who_has_not_looked_at_all_that_is_expected_does_not_know_that_nothing_is_wrong() {
        let expected = |webhooks, endpoint| Hearing::new("stripe", Expected { webhooks, endpoint }, BEGAN);
        for hearing in [expected(false, false), expected(true, false), expected(true, true)] {
            let Expected { webhooks, endpoint } = hearing.expected;
            let unknown = || hearing.heard().1;
            assert_eq!(unknown(), Some(Timestamp(i64::MAX)));
            hearing.note_gap(None, at(2));
            assert_eq!(unknown(), webhooks.then_some(at(2)));
            hearing.listed(&event("evt_1", 1), Some(&entry("evt_1", 2, Some(3))), at(4));
            hearing.note_gap(None, at(4));
            assert_eq!(unknown(), endpoint.then_some(at(2)));
            hearing.note_endpoint(None, at(5));
            assert_eq!(unknown(), endpoint.then_some(at(2)), "it says nothing");
            hearing.note_endpoint(Some(EndpointStatus::Enabled), at(6));
            assert_eq!(unknown(), None);
            hearing.leave();
            assert_eq!(unknown(), Some(Timestamp(i64::MAX)), "another process sweeps");
        }
    }
}
