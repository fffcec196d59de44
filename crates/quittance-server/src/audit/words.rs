//! What records say, as an auditor reads it: who did what, when, and why.

use quittance_core::time::Timestamp;
use quittance_engine::trace;
use quittance_store::records::{RepairNews, RepairPlan, RepairState, decode_news, decode_plan, journal};
use serde_json::{Map, Value, json};

/// RFC 3339 in UTC, to the microsecond.
pub(super) fn time(at: Timestamp) -> String {
    jiff::Timestamp::from_microsecond(at.0).map_or_else(|_| format!("{} µs", at.0), |time| format!("{time:.6}"))
}

fn said(error: impl std::error::Error) -> String {
    format!("its bytes are no record: {error}")
}

/// A record of a customer's journal.
pub(super) fn of_journal(seq: i64, kind: i64, at: Timestamp, body: &[u8]) -> Result<Value, String> {
    let line = trace::record(seq, at, &journal::decode(kind, body).map_err(said)?);
    let details: Map<String, Value> =
        line.details.into_iter().map(|(name, text)| (name.to_owned(), text.into())).collect();
    Ok(json!({"at": time(at), "actor": line.actor, "event": line.event, "details": details}))
}

/// An entry of a pair's repairs.
pub(super) fn of_repairs(kind: i64, at: Timestamp, body: &[u8]) -> Result<Value, String> {
    let (actor, event, details) = match decode_news(kind, body).map_err(said)? {
        RepairNews::Began { run, cause, undoes, by, repairs, source } => {
            let file = source.map(|source| json!({"name": source.name, "sha256": super::seal::hex(&source.sha256)}));
            let undoes = undoes.map(|run| run.to_string());
            (
                by,
                "run_began",
                json!({"run": run.to_string(), "cause": cause, "undoes": undoes, "repairs": repairs, "file": file}),
            )
        }
        RepairNews::Planned { run, from, repairs } => {
            let plans = (from..)
                .zip(&repairs)
                .map(|(no, (state, plan))| Ok(planned(no, *state, &decode_plan(plan).map_err(said)?)));
            let plans = plans.collect::<Result<Vec<_>, String>>()?;
            ("quittance".to_owned(), "planned", json!({"run": run.to_string(), "repairs": plans}))
        }
        RepairNews::Settled { run, by, outcomes } => {
            let outcome = |(no, state, detail): (i64, RepairState, Option<String>)| json!({"repair": no, "state": state.name(), "detail": detail});
            let outcomes: Vec<Value> = outcomes.into_iter().map(outcome).collect();
            (by, "settled", json!({"run": run.to_string(), "repairs": outcomes}))
        }
    };
    Ok(json!({"at": time(at), "actor": actor, "event": event, "details": details}))
}

fn planned(no: i64, state: RepairState, plan: &RepairPlan) -> Value {
    type Values = [(String, quittance_core::record::value::Value<'static>)];
    let values = |values: &Values| {
        values.iter().map(|(name, value)| (name.clone(), value.to_string().into())).collect::<Map<String, Value>>()
    };
    json!({
        "repair": no, "state": state.name(), "system": plan.system, "object": plan.object, "key": plan.key,
        "expected": values(&plan.expected), "set": values(&plan.set), "takes_away": plan.takes_away,
    })
}
