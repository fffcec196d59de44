//! What people read of a comparison: a line for each field that differs, and below it what all of it comes to.

use crate::output::Document;
use quittance_server::diff::Outcome;
use quittance_server::reconcile::session::{Compared, bent_notes};
use serde_json::Value;
use std::collections::BTreeMap;

/// Lines that are shown to people; programs get all of them.
const LINES_MAX: usize = 50;

const COLUMNS: [&str; 8] = ["key", "kind", "field", "left", "right", "left_time", "right_time", "event_seen"];

/// The document of a run.
pub(crate) fn document(compared: &Compared) -> Document {
    let Compared { outcome, told, bent, .. } = compared;
    let json = &told.json;
    let lines = json["differences"].as_array().map_or(&[][..], Vec::as_slice);
    let rows = lines.iter().map(|line| COLUMNS.iter().map(|column| cell(&line[column])).collect()).collect();
    let document = Document { json: json.clone(), columns: COLUMNS.to_vec(), rows, notes: Vec::new(), text: None };
    let mut notes = Vec::new();
    if lines.len() > LINES_MAX {
        notes.push(format!("… and {} more lines; --json and --format csv have all of them", lines.len() - LINES_MAX));
    }
    notes.extend(summary(json, outcome));
    notes.extend(bent_notes(&outcome.pair, bent));
    let mut shown: Vec<Vec<String>> = document.rows.clone();
    shown.truncate(LINES_MAX);
    let text = Document { rows: shown, notes, json: Value::Null, text: None, columns: COLUMNS.to_vec() };
    Document { text: Some(text.for_people(lines.is_empty())), ..document }
}

/// A value as people read it.
fn cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::Bool(false) => "none".to_owned(),
        Value::String(text) => text.clone(),
        Value::Object(map) if map.len() == 1 && map.contains_key("absent") => "(absent)".to_owned(),
        Value::Object(map) if map.len() == 1 && map.contains_key("deleted") => "(deleted)".to_owned(),
        Value::Object(map) if map.contains_key("received_at") => {
            format!("{} {}", cell(&map["type"]), cell(&map["received_at"]))
        }
        Value::Object(map) => {
            map.iter().map(|(name, value)| format!("{name}={}", cell(value))).collect::<Vec<_>>().join(" ")
        }
        Value::Array(values) => values.iter().map(cell).collect::<Vec<_>>().join(","),
        other => other.to_string(),
    }
}

fn summary(json: &Value, outcome: &Outcome) -> Vec<String> {
    let counts = outcome.counts();
    let mut notes = vec![format!(
        "{} left, {} right ({}): {} equal, {} different, {} only left, {} only right, {} ambiguous, {} suspect",
        outcome.left_records,
        outcome.right_records,
        variance(&json["variance_percent"]),
        outcome.equal,
        counts.different,
        counts.left_only,
        counts.right_only,
        counts.ambiguous,
        counts.suspect,
    )];
    notes.extend(by_values(json));
    for suspect in json["suspects"].as_array().into_iter().flatten() {
        let word = if suspect["standing"] == "settled" { "settled away" } else { "is moving" };
        notes.push(format!("suspect {} {}: {word}, not counted", cell(&suspect["key"]), cell(&suspect["field"])));
    }
    notes.extend(groups(json));
    let lag = &json["lag"];
    for (side, other) in [("left", "right"), ("right", "left")] {
        let spread = &lag[format!("{side}_older")];
        if spread["records"].as_u64().unwrap_or(0) > 0 {
            notes.push(format!(
                "{} records are older on the {side} than on the {other}, by {} at most",
                spread["records"],
                span(&spread["max_s"])
            ));
        }
    }
    if json["previous_run_id"].is_string() {
        let lines = json["differences"].as_array().map_or(&[][..], Vec::as_slice);
        let new: std::collections::BTreeSet<String> =
            lines.iter().filter(|line| line["is_new"] == true).map(|line| line["key"].to_string()).collect();
        let still: std::collections::BTreeSet<String> =
            lines.iter().filter(|line| line["is_new"] == false).map(|line| line["key"].to_string()).collect();
        let gone = json["gone"].as_array().map_or(0, Vec::len);
        notes.push(format!("since the last run: {} new, {gone} gone, {} still", new.len(), still.len()));
    }
    notes.push(format!("proof: {}", cell(&json["proof"]["statement"])));
    notes
}

/// The same disagreement of many records, counted: `status: active here, past_due there, 212 times`.
fn by_values(json: &Value) -> Vec<String> {
    let mut kinds = BTreeMap::<(String, String, String), u64>::new();
    for line in json["differences"].as_array().into_iter().flatten().filter(|line| line["kind"] == "different") {
        *kinds.entry((cell(&line["field"]), cell(&line["left"]), cell(&line["right"]))).or_default() += 1;
    }
    let mut kinds: Vec<_> = kinds.into_iter().filter(|(_, times)| *times > 1).collect();
    kinds.sort_by_key(|(_, times)| std::cmp::Reverse(*times));
    let told = |((field, left, right), times): ((String, String, String), u64)| {
        format!("{times} × {field}: {left} on the left, {right} on the right")
    };
    kinds.into_iter().take(10).map(told).collect()
}

fn groups(json: &Value) -> Vec<String> {
    let differing = json["counts"].as_array().into_iter().flatten().filter(|group| group["left"] != group["right"]);
    let told = |group: &Value| {
        let name = if group["group"].is_null() { "others".to_owned() } else { cell(&group["group"]) };
        format!(
            "count of {name}: {} left, {} right ({})",
            group["left"],
            group["right"],
            variance(&group["variance_percent"])
        )
    };
    differing.take(20).map(told).collect()
}

fn variance(percent: &Value) -> String {
    if percent.is_null() { "variance undefined".to_owned() } else { format!("variance {percent} %") }
}

fn span(seconds: &Value) -> String {
    match seconds.as_u64().unwrap_or(0) {
        seconds if seconds >= 172_800 => format!("{} days", seconds / 86_400),
        seconds if seconds >= 7_200 => format!("{} h", seconds / 3_600),
        seconds if seconds >= 120 => format!("{} min", seconds / 60),
        seconds => format!("{seconds} s"),
    }
}
