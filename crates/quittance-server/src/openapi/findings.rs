//! What is answered about comparisons: pairs, runs, proofs, and what was found.

use super::schema::{answered, flag, id, integer, list, object_word, or_null, page_of, reference, text, time, word};
use crate::api::findings::KINDS;
use quittance_core::id::{DiscrepancyId, RunId};
use quittance_store::records::{FindingState, RepairState};
use serde_json::{Value, json};

pub(super) fn resources() -> Vec<(&'static str, Value)> {
    let either = json!({ "anyOf": [reference("Discrepancy"), reference("PairDiscrepancy")] });
    let shown = json!({ "anyOf": [reference("Discrepancy"), reference("PairDiscrepancyDetail")] });
    vec![
        ("Pair", pair()),
        ("Run", run()),
        ("Proof", proof()),
        ("PairDiscrepancy", finding()),
        ("PairDiscrepancyDetail", detail()),
        ("AnyDiscrepancy", shown),
        ("DiscrepancyPage", page_of(either)),
    ]
}

fn anything(about: &str) -> Value {
    json!({ "description": about })
}

fn map(about: &str) -> Value {
    json!({ "type": "object", "description": about })
}

fn side() -> Value {
    answered("One side.", [("system", text("The system.")), ("object", text("The table, list or file in it."))])
}

fn pair() -> Value {
    let columns = || list(text("A column."));
    let rule = answered("A rule of matching.", [("left", columns()), ("right", columns())]);
    let field = answered(
        "What is compared.",
        [
            ("left", text("On the left.")),
            ("right", text("On the right.")),
            ("authority", text("Which side is believed.")),
        ],
    );
    answered(
        "Two systems that should agree.",
        [
            ("name", text("Its name in the configuration.")),
            ("object", object_word("pair")),
            ("left", side()),
            ("right", side()),
            ("match", list(rule)),
            ("fields", list(field)),
            ("apply", word(["report", "approve", "auto"], "What becomes of repairs.")),
            ("answers_truth", flag("Whether it answers what is true.")),
            ("last_run", json!({ "anyOf": [reference("Run"), { "type": "null" }] })),
            ("discrepancies", map("How many are open, by status; 10,000 of each are counted.")),
            ("repairs_waiting", integer("Repairs that wait for a person; 10,000 are counted.")),
        ],
    )
}

fn run() -> Value {
    let comparison = answered(
        "What was compared.",
        [
            ("method", text("How records were digested.")),
            ("left_records", integer("Records of the left.")),
            ("right_records", integer("Records of the right.")),
            ("equal", integer("Records that say the same on both sides.")),
            ("open", integer("What was found: confirmed, or suspect.")),
            ("left_as_of", or_null(time("Up to when the left was read, by its own clock."))),
            ("right_as_of", or_null(time("Up to when the right was read."))),
        ],
    );
    let repairs = answered(
        "What was to be repaired.",
        [
            ("planned", integer("How many repairs.")),
            (
                "states",
                json!({
                    "type": ["object", "null"], "description": "How many are in each state; null in lists.",
                    "propertyNames": { "enum": RepairState::ALL.map(RepairState::name) },
                    "additionalProperties": { "type": "integer" },
                }),
            ),
        ],
    );
    answered(
        "A comparison of a pair, and what was repaired; an undo has no comparison.",
        [
            ("id", id(RunId::PREFIX, "Its id.")),
            ("object", object_word("run")),
            ("pair", text("The pair.")),
            ("cause", text("Why: `compare`, `reconcile`, `undo`.")),
            ("by", or_null(text("Who had it repaired."))),
            ("undoes", or_null(id(RunId::PREFIX, "The run that it takes back."))),
            ("started_at", time("When it began.")),
            ("ended_at", or_null(time("When the comparison was complete."))),
            ("comparison", or_null(comparison)),
            ("repairs", or_null(repairs)),
        ],
    )
}

fn proof() -> Value {
    let digest = |about: &str| {
        answered(about, [("records", integer("How many.")), ("digest", text("Sum of their hashes, in hexadecimal."))])
    };
    let rechecked = answered(
        "What checking again came to.",
        [("holds", flag("Whether it does.")), ("what", or_null(text("What does not come out.")))],
    );
    answered(
        "That everything that is not listed as open was equal.",
        [
            ("run", id(RunId::PREFIX, "The comparison.")),
            ("object", object_word("proof")),
            ("pair", text("The pair.")),
            ("statement", text("What is proven, in one sentence.")),
            ("method", text("How records were digested.")),
            ("left", digest("All of the left.")),
            ("right", digest("All of the right.")),
            ("equal", digest("What was equal; it is in both.")),
            ("open", integer("What was not.")),
            ("ended_at", time("When the comparison was complete.")),
            ("rechecked", or_null(rechecked)),
        ],
    )
}

fn finding() -> Value {
    let difference = answered(
        "What both sides say of a field; of all of the record where one side has none.",
        [
            ("field", or_null(text("The field, by the name of the left."))),
            ("left", anything("What the left says.")),
            ("right", anything("What the right says.")),
            ("left_records", anything("Which records of the left.")),
            ("right_records", anything("Which of the right.")),
            ("event_seen", anything("The event that told of it, where one did.")),
        ],
    );
    answered(
        "What comparisons of a pair found.",
        [
            ("id", id(DiscrepancyId::PREFIX, "Its id, also when it comes back.")),
            ("object", object_word("discrepancy")),
            ("source", object_word("pair")),
            ("kind", word(KINDS, "What does not agree.")),
            ("status", word(FindingState::ALL.map(FindingState::name), "How it stands.")),
            ("pair", text("The pair.")),
            ("key", text("The key of the record.")),
            ("differences", list(difference)),
            ("left_time", or_null(time("When the left was last changed."))),
            ("right_time", or_null(time("When the right was last changed."))),
            ("first_seen_at", time("When a run saw it first.")),
            ("opened_at", time("When a run saw it first since it was resolved last.")),
            ("last_seen_at", time("When a run saw it last.")),
            ("closed_at", or_null(time("When a run did not find it any more."))),
            ("run", id(RunId::PREFIX, "The run that saw it last.")),
            ("repair", or_null(text("The repair that was made of it last."))),
            ("ignored_by", or_null(text("Who said that it is good as it is."))),
            ("ignored_reason", or_null(text("Why."))),
        ],
    )
}

fn detail() -> Value {
    let repair = answered(
        "A repair of the record.",
        [
            ("id", text("Its run and number.")),
            ("run", id(RunId::PREFIX, "Its run.")),
            ("state", word(RepairState::ALL.map(RepairState::name), "What became of it.")),
            ("side", word(["left", "right"], "The side that was written.")),
            ("set", map("What it gave the record, by column.")),
            ("expected", map("What the record had to hold still.")),
            ("takes_away", flag("Whether it takes something away from a customer.")),
            ("by", or_null(text("Who had it made."))),
            ("changed_at", time("When that was.")),
            ("detail", or_null(text("What the system said."))),
        ],
    );
    let decision = answered(
        "What somebody decided.",
        [
            ("action", text("What.")),
            ("by", text("Who.")),
            ("at", time("When.")),
            ("reason", text("Why.")),
            ("run", or_null(id(RunId::PREFIX, "The run of repairs that follows from it."))),
        ],
    );
    let mut detail = finding();
    for (name, schema) in [("repairs", list(repair)), ("decisions", list(decision))] {
        detail["properties"][name] = schema;
        if let Some(required) = detail["required"].as_array_mut() {
            required.push(json!(name));
        }
    }
    detail
}
