//! `quittance replay PAIR`: the repairs of a pair, made again from their journal, as they were after any entry.

use crate::arguments::Global;
use crate::failure::{Exit, Failure};
use crate::output::Document;
use quittance_core::id::RunId;
use quittance_core::record::value::Value as Canonical;
use quittance_server::reconcile::{Replayed, replay};
use quittance_store::records::{RecordSaid, RepairBooks, RepairRun, RepairSaid};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::process::ExitCode;

/// Lines that are shown to people; programs get all of them.
const LINES_MAX: usize = 50;

const COLUMNS: [&str; 7] = ["entry", "run_id", "no", "key", "object", "state", "at"];

/// Replays the journal of a pair from its first entry, up to one of them or all; what entries before `from` said last is left
/// out of what is shown.
pub(crate) fn replay_pair(
    pair: &str,
    (from, to): (Option<i64>, Option<i64>),
    global: &Global,
) -> anyhow::Result<ExitCode> {
    let replayed = replay(&global.data()?, pair, to)?;
    let last = replayed.books.seq;
    if last == 0 && replayed.many == 0 {
        let remedy = "`quittance runs` lists the pairs of which something was; --data names where that is kept";
        return Err(Failure::new(Exit::Usage, format!("nothing was ever repaired of a pair `{pair}`"), remedy).into());
    }
    if let Some(beyond) = from.into_iter().chain(to).find(|entry| *entry > last && replayed.many == 0) {
        let what = format!("the journal of `{pair}` has no entry {beyond}");
        return Err(Failure::new(Exit::Usage, what, format!("its last is {last}")).into());
    }
    document(&replayed, from.unwrap_or(1), to).print(global.format())?;
    Ok(if replayed.many == 0 { Exit::Good } else { Exit::Finding }.into())
}

fn document(replayed: &Replayed, from: i64, to: Option<i64>) -> Document {
    let books = &replayed.books;
    let digest = books.digest();
    let runs: Vec<Value> = books.runs.values().filter(|(_, seq)| *seq >= from).map(run).collect();
    let repairs: Vec<_> = books.repairs.iter().filter(|(_, said)| said.seq >= from).collect();
    let records = books.records.values().filter(|said| said.by.is_some_and(|(_, _, seq)| seq >= from));
    let json = json!({
        "pair": books.pair,
        "from": from,
        "to": books.seq,
        "head": hex(&books.hash),
        "digest": hex(&digest),
        "kept_digest": replayed.kept.as_ref().map(hex),
        "is_equal": replayed.kept.map(|kept| kept == digest && replayed.many == 0),
        "differs": replayed.differs,
        "differences": replayed.many,
        "runs": runs,
        "repairs": repairs.iter().map(|(id, said)| repair(books, **id, said)).collect::<Vec<_>>(),
        "records": records.map(record).collect::<Vec<_>>(),
    });
    let rows = repairs.iter().map(|((run, no), said)| {
        let of = books.records.get(&said.record);
        vec![
            said.seq.to_string(),
            run.to_string(),
            no.to_string(),
            of.map_or_else(String::new, |of| of.key.clone()),
            of.map_or_else(String::new, |of| format!("{} {}", of.system, of.object)),
            said.state.name().to_owned(),
            Canonical::Timestamp(said.changed_at).to_string(),
        ]
    });
    let rows: Vec<Vec<String>> = rows.collect();
    let mut notes = Vec::new();
    if rows.len() > LINES_MAX {
        notes.push(format!("… and {} more lines; --json and --format csv have all of them", rows.len() - LINES_MAX));
    }
    notes.extend(replayed.differs.iter().take(LINES_MAX).cloned());
    notes.push(format!(
        "{} entries replayed: {} runs, {}; digest {}",
        books.seq,
        books.runs.len(),
        states(books),
        hex(&digest)
    ));
    notes.push(match (replayed.many, to) {
        (0, None) => "what is kept is the same".to_owned(),
        (0, Some(to)) => format!("as it was after entry {to}; without --to it is compared with what is kept"),
        (many, _) => format!("{many} do not hold: {} was changed, or is damaged", books.pair),
    });
    let mut shown = rows.clone();
    shown.truncate(LINES_MAX);
    let is_empty = shown.is_empty();
    let text = Document { rows: shown, notes, json: Value::Null, text: None, columns: COLUMNS.to_vec() };
    let text = Some(text.for_people(is_empty));
    Document { json, columns: COLUMNS.to_vec(), rows, notes: Vec::new(), text }
}

fn states(books: &RepairBooks) -> String {
    let mut states = BTreeMap::<_, u64>::new();
    books.repairs.values().for_each(|said| *states.entry(said.state).or_default() += 1);
    if states.is_empty() {
        return "no repairs".to_owned();
    }
    states.iter().map(|(state, many)| format!("{many} {}", state.name())).collect::<Vec<_>>().join(", ")
}

fn run((run, entry): &(RepairRun, i64)) -> Value {
    json!({
        "run_id": run.id.to_string(),
        "cause": run.cause.name(),
        "undoes": run.undoes.map(|run| run.to_string()),
        "by": run.by,
        "started_at": Canonical::Timestamp(run.started_at).to_string(),
        "repairs": run.repairs,
        "file": run.source.as_ref().map(super::runs::file),
        "entry": entry,
    })
}

fn repair(books: &RepairBooks, (run, no): (RunId, i64), said: &RepairSaid) -> Value {
    json!({
        "run_id": run.to_string(),
        "no": no,
        "key": books.records.get(&said.record).map(|of| &of.key),
        "state": said.state.name(),
        "changed_at": Canonical::Timestamp(said.changed_at).to_string(),
        "entry": said.seq,
    })
}

/// What a record was given, column by column.
fn record(said: &RecordSaid) -> Value {
    let values = |values: &mut dyn Iterator<Item = (&String, &Canonical<'static>)>| {
        values.map(|(name, value)| (name.clone(), shown(value))).collect::<Map<_, _>>()
    };
    let by = said.by.as_ref();
    json!({
        "system": said.system,
        "object": said.object,
        "key": said.key,
        "identity": values(&mut said.identity.iter().map(|(name, value)| (name, value))),
        "holds": values(&mut said.holds.iter()),
        "run_id": by.map(|(run, ..)| run.to_string()),
        "no": by.map(|(_, no, _)| no),
        "entry": by.map(|(.., entry)| entry),
    })
}

/// A value as JSON: what is nothing as null, all else as text.
fn shown(value: &Canonical<'_>) -> Value {
    if value.is_nothing() { Value::Null } else { json!(value.to_string()) }
}

fn hex(bytes: &[u8; 32]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
