//! What is told of a run: the JSON document, and the rows that are kept.

use super::again::encoded;
use super::events::{EventLog, EventSeen};
use super::outcome::{Method, Outcome, Reported};
use quittance_core::id::RunId;
use quittance_core::pair::Pair;
use quittance_core::pair::compare::{Kind, Seen, differences};
use quittance_core::pair::detect::silence::Confirmed;
use quittance_core::pair::groups::{Group, variance_basis_points};
use quittance_core::pair::lag::{BUCKETS_S, Lag, Spread};
use quittance_core::pair::row::{Record, decode_fields, decode_identity, shown};
use quittance_core::pair::settle::Standing;
use quittance_core::record::key::decode_key;
use quittance_core::record::value::Value as Canonical;
use quittance_core::time::Timestamp;
use quittance_store::records::{Drift, Run};
use quittance_store::store::StoreError;
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;

/// Longest value that is told, in bytes.
const SHOWN_BYTES_MAX: usize = 4_096;

/// A run, told: one document, and what is kept of it.
pub struct Told {
    /// The document.
    pub json: Value,
    /// What is kept of the run.
    pub run: Run,
    /// What is kept of what is open.
    pub drifts: Vec<Drift>,
    /// What was heard of those that are confirmed.
    pub confirmed: Vec<Confirmed>,
}

/// When a run was.
#[derive(Clone, Copy, Debug)]
pub struct When {
    /// Its id.
    pub id: RunId,
    /// When it began.
    pub started_at: Timestamp,
    /// When it was complete.
    pub ended_at: Timestamp,
}

/// Tells a run, beside the one before it of the same pair.
///
/// # Errors
///
/// [`StoreError`] when the events that were received cannot be read.
pub fn tell(
    outcome: &Outcome,
    when: When,
    previous: Option<&(Run, Vec<Drift>)>,
    events: &mut EventLog,
) -> Result<Told, StoreError> {
    let mut before: BTreeMap<(String, String), &Drift> = previous
        .iter()
        .flat_map(|(_, drifts)| drifts)
        .filter(|drift| drift.standing == standing_word(Standing::Confirmed))
        .map(|drift| ((drift.kind.clone(), drift.key.clone()), drift))
        .collect();
    let (mut lines, mut suspects, mut drifts, mut confirmed) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for (seq, reported) in outcome.reported.iter().enumerate() {
        let key = key(reported);
        let text = key.to_string();
        let kind = reported.finding.kind.as_str();
        let known = before.remove(&(kind.to_owned(), text.clone()));
        let first_seen_at = known.map_or(when.started_at, |drift| drift.first_seen_at);
        let seen = events.seen(&object(reported))?;
        let mut told = told(&outcome.pair, reported, &key, &seen, first_seen_at, known.is_some());
        if is_deleted(outcome, reported) {
            told.iter_mut().for_each(|line| line["right"] = json!({"deleted": true}));
        }
        drifts.push(Drift {
            run: when.id,
            seq: seq as i64,
            kind: kind.to_owned(),
            key: text,
            standing: standing_word(reported.standing).to_owned(),
            first_seen_at,
            left_hashes: reported.first_left.clone(),
            right_hashes: reported.first_right.clone(),
            told: Value::Array(told.clone()).to_string(),
            content: content(reported),
        });
        if reported.standing == Standing::Confirmed {
            lines.extend(told);
            confirmed.push(Confirmed { event_at: seen.received_at(), first_seen_at });
        } else {
            suspects.extend(told);
        }
    }
    let run = Run {
        id: when.id,
        pair: outcome.pair.name.clone(),
        started_at: when.started_at,
        ended_at: when.ended_at,
        method: outcome.method.to_string(),
        left_as_of: outcome.left_reading.as_of,
        right_as_of: outcome.right_reading.as_of,
        drifts: drifts.len() as i64,
        drifts_digest: super::history::digest(&drifts),
        proof: outcome.proof.clone(),
    };
    let gone: Vec<Value> = before.values().map(|drift| gone(drift)).collect();
    let compared_with = previous.map(|(run, _)| run.id.to_string());
    let mut json = document(outcome, &run, lines, suspects);
    json.insert("previous_run_id".to_owned(), json!(compared_with));
    json.insert("gone".to_owned(), Value::Array(gone));
    Ok(Told { json: Value::Object(json), run, drifts, confirmed })
}

fn document(outcome: &Outcome, run: &Run, lines: Vec<Value>, suspects: Vec<Value>) -> Map<String, Value> {
    let counts = outcome.counts();
    let Value::Object(map) = json!({
        "pair": outcome.pair.name,
        "run_id": run.id.to_string(),
        "left_records": outcome.left_records,
        "right_records": outcome.right_records,
        "equal": outcome.equal,
        "different": counts.different,
        "left_only": counts.left_only,
        "right_only": counts.right_only,
        "ambiguous": counts.ambiguous,
        "suspect": counts.suspect,
        "variance_percent": percent(outcome.variance_basis_points()),
        "proof": proof(outcome, run),
        "differences": lines,
        "suspects": suspects,
        "counts": counted(outcome),
        // Of what only sums were compared of, nobody saw the times.
        "lag": if matches!(outcome.method, Method::Checksums(_)) { Value::Null } else { lag(&outcome.lag) },
        "left_requests": outcome.left_reading.requests,
        "right_requests": outcome.right_reading.requests,
    }) else {
        return Map::new();
    };
    map
}

/// Hundredths of a percent as a number with two decimals, as it is printed; null where there is nothing to compare with.
fn percent(basis_points: Option<i64>) -> Value {
    let Some(points) = basis_points else { return Value::Null };
    let text = format!("{}{}.{:02}", if points < 0 { "-" } else { "" }, points.abs() / 100, points.abs() % 100);
    serde_json::from_str(&text).unwrap_or(Value::Null)
}

/// What a run proves, in one sentence.
pub(crate) fn statement(run: &Run, equal: u64, open: u64) -> String {
    let as_of = time_text(run.right_as_of.or(run.left_as_of).unwrap_or(run.started_at));
    format!("{equal} records of `{}` up to {as_of} equal, 0 repaired, {open} open", run.pair)
}

fn proof(outcome: &Outcome, run: &Run) -> Value {
    let open = outcome.reported.len();
    let digest = |digest: quittance_core::pair::digest::Digest| format!("{}:{:032x}", digest.count, digest.sum);
    json!({
        "statement": statement(run, outcome.equal, open as u64),
        "method": run.method,
        "left_digest": digest(outcome.proof.left),
        "right_digest": digest(outcome.proof.right),
        "equal_digest": digest(outcome.proof.equal),
        "left_as_of": run.left_as_of.map(time_text),
        "right_as_of": run.right_as_of.map(time_text),
    })
}

/// Counts by group, where something to count by is configured.
fn counted(outcome: &Outcome) -> Vec<Value> {
    let is_asked = !outcome.pair.left.groups.is_empty();
    outcome.groups.iter().filter(|_| is_asked).map(group).collect()
}

fn group(group: &Group) -> Value {
    json!({
        "group": group.values.as_ref().map(|values| values.iter().map(json_of).collect::<Vec<_>>()),
        "left": group.left,
        "right": group.right,
        "variance_percent": percent(variance_basis_points(group.left, group.right)),
    })
}

fn lag(lag: &Lag) -> Value {
    let spread = |spread: &Spread| {
        let ends = BUCKETS_S.iter().map(|end| json!(end)).chain([Value::Null]);
        let buckets: Vec<Value> =
            ends.zip(spread.buckets).map(|(end, records)| json!({"up_to_s": end, "records": records})).collect();
        json!({"records": spread.count(), "max_s": spread.max_us / 1_000_000, "buckets": buckets})
    };
    json!({
        "left_older": spread(&lag.left_older),
        "right_older": spread(&lag.right_older),
        "same": lag.same,
        "unknown": lag.unknown,
    })
}

/// The lines of one disagreement: one for each field that differs.
fn told(
    pair: &Pair,
    reported: &Reported,
    key: &Value,
    seen: &EventSeen,
    first_seen_at: Timestamp,
    is_known: bool,
) -> Vec<Value> {
    let finding = &reported.finding;
    let time = |seen: &[Seen]| seen.first().and_then(|seen| Record::new(&seen.record).modified()).map(time_text);
    let identity = |seen: &[Seen]| -> Vec<String> {
        seen.iter().map(|seen| shown(decode_identity(Record::new(&seen.record)).iter())).collect()
    };
    let line = |field: Option<&str>, left: Value, right: Value| {
        json!({
            "key": key,
            "kind": finding.kind.as_str(),
            "field": field,
            "left": left,
            "right": right,
            "left_time": time(&finding.left),
            "right_time": time(&finding.right),
            "event_seen": seen.to_json(),
            "left_records": identity(&finding.left),
            "right_records": identity(&finding.right),
            "standing": standing_word(reported.standing),
            "first_seen_at": time_text(first_seen_at),
            "is_new": !is_known,
        })
    };
    let all = |seen: &[Seen]| seen.first().map_or(Value::Null, |seen| fields(pair, Record::new(&seen.record)));
    match (finding.kind, finding.left.first(), finding.right.first()) {
        (Kind::Different, Some(left), Some(right)) => {
            // Values that cannot be compared have ended the run: every field was looked at before this was found.
            differences(pair, Record::new(&left.record), Record::new(&right.record))
                .filter_map(Result::ok)
                .map(|difference| {
                    let name = &pair.fields[difference.field].name;
                    line(Some(name), json_of(&difference.left), json_of(&difference.right))
                })
                .collect()
        }
        (Kind::Ambiguous, ..) => {
            let who = |seen: &[Seen], count: u64| json!({"records": count, "first": identity(seen)});
            vec![line(None, who(&finding.left, finding.left_count), who(&finding.right, finding.right_count))]
        }
        _ => vec![line(None, all(&finding.left), all(&finding.right))],
    }
}

fn fields(pair: &Pair, record: Record<'_>) -> Value {
    let values = decode_fields(record);
    Value::Object(
        pair.fields.iter().zip(values).map(|(field, value)| (field.name.clone(), json_of(&value.said))).collect(),
    )
}

fn gone(drift: &Drift) -> Value {
    let key: Value = serde_json::from_str(&drift.key).unwrap_or(Value::Null);
    json!({"key": key, "kind": drift.kind, "first_seen_at": time_text(drift.first_seen_at)})
}

/// The key of a disagreement, as people write it.
#[must_use]
pub fn key_of(reported: &Reported) -> String {
    match key(reported) {
        Value::String(text) => text,
        other => other.to_string(),
    }
}

/// A key as people write it, of what is kept of it.
pub(super) fn people_key(kept: &str) -> String {
    match serde_json::from_str(kept) {
        Ok(Value::String(text)) => text,
        _ => kept.to_owned(),
    }
}

/// Digest of the records of both sides, as they are compared: the same from run to run while neither changes.
fn content(reported: &Reported) -> [u8; 32] {
    let mut hasher = Sha256::new();
    for side in [&reported.finding.left, &reported.finding.right] {
        hasher.update((side.len() as u64).to_be_bytes());
        for seen in side {
            let record = Record::new(&seen.record);
            for part in [record.identity(), record.fields()] {
                hasher.update((part.len() as u64).to_be_bytes());
                hasher.update(part);
            }
        }
    }
    hasher.finalize().into()
}

/// The key under the rule they met by. What met nobody is named by its key under the first rule, and what has none by its
/// identity.
fn key(reported: &Reported) -> Value {
    let finding = &reported.finding;
    let alone = match finding.kind {
        Kind::LeftOnly => finding.left.first(),
        Kind::RightOnly => finding.right.first(),
        Kind::Different | Kind::Ambiguous => None,
    };
    let of_alone = alone.map(|seen| Record::new(&seen.record));
    let key = of_alone.and_then(|record| record.key(0)).or(finding.key.as_deref());
    let values: Vec<Canonical<'_>> = match (key, of_alone) {
        (Some(key), _) => decode_key(key),
        (None, Some(record)) => decode_identity(record),
        (None, None) => Vec::new(),
    };
    match values.as_slice() {
        [value] => json_of(value),
        values => Value::Array(values.iter().map(json_of).collect()),
    }
}

/// Whether what is missed on the right was deleted there: its key is then the identity of what was.
fn is_deleted(outcome: &Outcome, reported: &Reported) -> bool {
    let finding = &reported.finding;
    let key = finding.key.as_deref().filter(|_| finding.kind == Kind::LeftOnly && finding.rule == 0);
    key.is_some_and(|key| outcome.deleted.contains(&encoded(&decode_key(key))))
}

/// The object that events would be about: the right's own id, or the key under which it is missed there.
fn object(reported: &Reported) -> String {
    let finding = &reported.finding;
    match (finding.right.first(), &finding.key) {
        (Some(seen), _) => shown(decode_identity(Record::new(&seen.record)).iter()),
        (None, Some(key)) => shown(decode_key(key).iter()),
        (None, None) => String::new(),
    }
}

/// The word for a standing.
#[must_use]
pub const fn standing_word(standing: Standing) -> &'static str {
    match standing {
        Standing::Confirmed => "confirmed",
        Standing::Moving => "moving",
        Standing::Settled => "settled",
    }
}

/// A value as it is told: what is longer than anybody reads is shortened.
fn json_of(value: &Canonical<'_>) -> Value {
    match value {
        Canonical::Json(text) if text.len() > SHOWN_BYTES_MAX => json!(shortened(text.to_string())),
        value => match whole_json(value) {
            Value::String(text) => json!(shortened(text)),
            other => other,
        },
    }
}

/// A value as JSON: whole numbers that every reader keeps as numbers, other numbers as text, what is absent as an object.
pub(crate) fn whole_json(value: &Canonical<'_>) -> Value {
    const SAFE: i64 = quittance_core::money::AMOUNT_MAX;
    match value {
        Canonical::Null => Value::Null,
        Canonical::Absent => json!({"absent": true}),
        Canonical::Boolean(it) => json!(it),
        Canonical::Number(number) => match number.to_integer() {
            Some(integer) if (-SAFE..=SAFE).contains(&integer) => json!(integer),
            _ => json!(number.as_str()),
        },
        Canonical::Json(text) => serde_json::from_str(text).unwrap_or(Value::Null),
        other => json!(other.to_string()),
    }
}

/// A text that is not longer than anybody reads; what is compared is all of it.
fn shortened(text: String) -> String {
    if text.len() <= SHOWN_BYTES_MAX {
        return text;
    }
    let end = text.floor_char_boundary(SHOWN_BYTES_MAX);
    format!("{}… ({} bytes)", &text[..end], text.len())
}

fn time_text(at: Timestamp) -> String {
    Canonical::Timestamp(at).to_string()
}
