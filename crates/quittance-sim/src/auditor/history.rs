//! The journals, read from their beginning: what was proven stays, and no event moves anything twice.

use super::left::Left;
use crate::coverage::{Coverage, dispute_word};
use quittance_core::effect::{Source, State};
use quittance_core::id::EffectId;
use quittance_core::journal::Record;
use quittance_store::records::{JournalEntry, journal};
use std::collections::{BTreeMap, BTreeSet};

/// The rules that a history breaks. Counts every move on the way.
pub(super) fn faults(
    entries: &[JournalEntry],
    replayed: &BTreeSet<String>,
    coverage: &mut Coverage,
) -> Vec<(&'static str, String)> {
    let mut faults = Vec::new();
    let mut left = Left::default();
    let mut states: BTreeMap<EffectId, State> = BTreeMap::new();
    let mut moved_by: BTreeSet<(String, EffectId)> = BTreeSet::new();
    let mut groups: BTreeMap<EffectId, &'static str> = BTreeMap::new();
    for entry in entries {
        let Ok(record) = journal::decode(entry.kind, &entry.body) else {
            faults.push(("unreadable", format!("record {} of {} cannot be read", entry.seq, entry.book)));
            continue;
        };
        note(&record, &mut groups, coverage);
        faults.extend(left.follow(&record).map(|what| ("refund_left", what)));
        let Some((effect, state, source)) = step_of(&record) else { continue };
        let group = groups.get(&effect).copied().unwrap_or("evidence_move");
        let before = states.insert(effect, state).unwrap_or(State::Intended);
        coverage.count_move(group, before.name(), state.name());
        coverage.count("effect", state.name());
        if !may_follow(before, state) {
            let what = format!("{effect} was {}, and then {}", before.name(), state.name());
            faults.push(("regression", what));
        }
        if let Some(Source::Webhook(event)) = source
            && !replayed.contains(event)
            && !moved_by.insert((event.clone(), effect))
        {
            faults.push(("webhook_twice", format!("{event} moved {effect} twice")));
        }
    }
    faults
}

/// Notes what an effect is about, and counts the statuses that are seen.
fn note(record: &Record, groups: &mut BTreeMap<EffectId, &'static str>, coverage: &mut Coverage) {
    match record {
        Record::PaymentAccepted { effect, .. } => {
            groups.insert(*effect, "payment_move");
        }
        Record::RefundAccepted(accepted) => {
            groups.insert(accepted.effect, "refund_move");
        }
        Record::EffectAdvanced(advanced) => coverage.count("payment", advanced.status.name()),
        Record::RefundAdvanced(advanced) => coverage.count("refund", advanced.status.name()),
        Record::DisputeSeen(seen) => {
            if let Some(word) = dispute_word(&seen.status) {
                coverage.count("dispute", word);
            }
        }
        Record::Corrected(corrected) => coverage.count("correction", corrected.correction.name()),
        _ => {}
    }
}

/// Which effect a record moves, to which state.
fn step_of(record: &Record) -> Option<(EffectId, State, Option<&Source>)> {
    match record {
        Record::EffectAdvanced(advanced) => Some((advanced.effect, advanced.state, Some(&advanced.source))),
        Record::RefundAdvanced(advanced) => Some((advanced.effect, advanced.state, Some(&advanced.source))),
        Record::EvidenceAdvanced(advanced) => Some((advanced.effect, advanced.state, None)),
        Record::TicketIssued { effect, .. } => Some((*effect, State::Sending, None)),
        _ => None,
    }
}

/// What was proven stays: success for good, a failure until the gateway itself contradicts it or a person decides.
const fn may_follow(before: State, after: State) -> bool {
    match before {
        State::Succeeded => matches!(after, State::Succeeded),
        State::Failed | State::Canceled => matches!(after, State::Failed | State::Canceled | State::Review),
        State::Review => {
            matches!(after, State::Review | State::Succeeded | State::Failed | State::Intended | State::Canceled)
        }
        State::Intended | State::Sending | State::Unknown | State::Pending | State::NotExecuted => true,
    }
}
