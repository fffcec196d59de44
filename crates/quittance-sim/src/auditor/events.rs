//! What was told: each resource from its beginning to where it stands now, each status as often as it was reached.
//!
//! The bodies of a world's events say what the resource was then, in words ([`crate::process`]); they are compared with the
//! rows, never with the code that makes events.

use super::facts::{Rows, all};
use quittance_store::records::EventRow;
use quittance_store::store::Reader;
use std::collections::BTreeMap;

/// What is wrong with the events of a world.
pub(super) fn faults(reader: &mut dyn Reader, rows: &Rows) -> Result<Vec<String>, String> {
    let mut events: Vec<EventRow> = all(reader)?;
    events.sort_by_key(|event| (event.seq, event.id));
    let mut told: BTreeMap<String, Vec<EventRow>> = BTreeMap::new();
    for event in events {
        told.entry(event.subject.clone()).or_default().push(event);
    }
    let mut faults = Vec::new();
    for (subject, status) in standings(rows) {
        match told.remove(&subject) {
            Some(events) => faults.extend(fault(&subject, status, &events)),
            None => faults.push(format!("{subject} is {status}, and nothing was told of it")),
        }
    }
    let strangers = told.into_keys().filter(|subject| !subject.starts_with("cus_"));
    faults.extend(strangers.map(|subject| format!("{subject} was told of and is not there")));
    Ok(faults)
}

/// Where each resource stands now.
fn standings(rows: &Rows) -> impl Iterator<Item = (String, &str)> {
    let payments = rows.payments.iter().map(|payment| (payment.id.to_string(), payment.status.name()));
    let refunds = rows.refunds.iter().map(|refund| (refund.id.to_string(), refund.status.name()));
    let disputes = rows.disputes.iter().map(|dispute| (dispute.id.to_string(), dispute.status.name()));
    payments.chain(refunds).chain(disputes)
}

fn fault(subject: &str, status: &str, events: &[EventRow]) -> Option<String> {
    let kinds: Vec<&str> = events.iter().map(|event| event.kind.name()).collect();
    let stood: Vec<String> = events.iter().map(said).collect();
    if kinds.iter().skip(1).any(|kind| kind.ends_with(".created")) {
        return Some(format!("{subject} was told to be created more than once, or late: {kinds:?}"));
    }
    // By its number a receiver tells which of two is the newer.
    if let Some(pair) = events.windows(2).find(|pair| pair[0].seq == pair[1].seq) {
        return Some(format!("{subject} was told twice of record {}: {kinds:?}", pair[0].seq));
    }
    // One that is told under a status reached it then: neither was it told before, nor is it something else.
    for (at, kind) in kinds.iter().enumerate() {
        let word = kind.split_once('.').map_or("", |(_, word)| word);
        let is_reached = !matches!(word, "created" | "updated");
        let before = at.checked_sub(1).map(|before| stood[before].as_str());
        if is_reached && (stood[at] != word || before == Some(word)) {
            return Some(format!("{subject} was told under {kind} and was {} after {before:?}", stood[at]));
        }
        if !is_reached && before.is_some_and(|before| before != stood[at]) {
            return Some(format!("{subject} became {} and was told under {kind}", stood[at]));
        }
    }
    let last = stood.last().map(String::as_str);
    (last != Some(status)).then(|| format!("{subject} is {status}, and what was told last is {last:?}"))
}

/// The status that an event says: the third word of its body.
fn said(event: &EventRow) -> String {
    String::from_utf8_lossy(&event.body).split(' ').nth(2).unwrap_or_default().to_owned()
}
