//! What people and programs read of repairs: a line for each value, and below it what all of it comes to.

mod imported;

pub(super) use imported::imported;

use crate::output::Document;
use quittance_core::id::RunId;
use quittance_core::pair::detect::shape::BentField;
use quittance_core::pair::repair::{Stopped, Withheld};
use quittance_core::record::value::Value as Canonical;
use quittance_server::config::Pair;
use quittance_server::diff::Outcome;
use quittance_server::reconcile::session::{Repaired, Undone, bent_json, bent_notes};
use quittance_server::reconcile::{Counts, Kept, Plan};
use quittance_store::records::{RepairPlan, RepairRun, RepairState};
use serde_json::{Value, json};

/// Lines that are shown to people; programs get all of them.
const LINES_MAX: usize = 50;

const COLUMNS: [&str; 8] = ["no", "key", "side", "column", "from", "to", "state", "detail"];

/// What `reconcile` came to.
struct Told<'t> {
    /// The run, where it is kept.
    run_id: Option<RunId>,
    /// The comparison.
    outcome: &'t Outcome,
    /// What was decided.
    plan: &'t Plan,
    /// Fields that look other than before.
    bent: &'t [BentField],
    /// What became of it, where it was carried out.
    repairs: &'t [Kept],
    /// Repairs of an earlier process of which it was found out what became of them.
    finished: &'t [Kept],
    /// Differences of which nothing is left.
    settled: u64,
}

/// The document of a run of repairs.
pub(super) fn document(repaired: &Repaired, is_applied: bool, pair: &Pair) -> Document {
    let Repaired { run, outcome, plan, bent, repairs, begun, .. } = repaired;
    let settled = repaired.settled();
    Told { run_id: *run, outcome, plan, bent, repairs, finished: &begun.finished, settled }.document(is_applied, pair)
}

impl Told<'_> {
    /// The document.
    fn document(&self, is_applied: bool, pair: &Pair) -> Document {
        let run = self.run_id.map(|run| run.to_string());
        let counts = counts(self.repairs);
        let (repairs, rows) = if self.repairs.is_empty() {
            let proposed = self.plan.proposals.iter().enumerate();
            lines(proposed.map(|(no, proposal)| (no as i64, proposal.state, &proposal.plan, None)))
        } else {
            lines(self.repairs.iter().map(|one| (one.no, one.state, &one.plan, one.detail.as_deref())))
        };
        let (finished, _) =
            lines(self.finished.iter().map(|one| (one.no, one.state, &one.plan, one.detail.as_deref())));
        let (repaired, waiting) = (counts.of(&[RepairState::Repaired]), counts.of(&[RepairState::AwaitingApproval]));
        let already = counts.of(&[RepairState::Already]);
        let open = (self.outcome.reported.len() as u64).saturating_sub(self.settled);
        let name = &self.outcome.pair.name;
        let statement = format!("{} records of `{name}` equal, {repaired} repaired, {open} open", self.outcome.equal);
        let (many, compared) = (self.plan.proposals.len(), self.plan.compared);
        let stopped = self.plan.stopped.map(|why| stopped(why, many, compared, pair));
        let undo = (repaired > 0).then(|| format!("quittance undo {} --apply", run.as_deref().unwrap_or_default()));
        let json = json!({
            "pair": name,
            "run_id": run,
            "is_applied": is_applied,
            "equal": self.outcome.equal,
            "planned": self.plan.proposals.len(),
            "repaired": repaired,
            "already": already,
            "refused": counts.refused(),
            "failed": counts.failed(),
            "awaiting_approval": waiting,
            "withheld": self.withheld(),
            "shape": bent_json(&self.outcome.pair, self.bent),
            "suspect": self.outcome.counts().suspect,
            "finished": finished,
            "stopped": stopped,
            "repairs": repairs,
            "statement": statement,
            "undo": undo,
        });
        let mut notes = Vec::new();
        if rows.len() > LINES_MAX {
            notes
                .push(format!("… and {} more lines; --json and --format csv have all of them", rows.len() - LINES_MAX));
        }
        notes.extend(begun_before(self.finished));
        notes.extend(self.left_to_a_person());
        notes.extend(bent_notes(&self.outcome.pair, self.bent));
        notes.push(match is_applied {
            true => format!(
                "{statement}; {} refused, {} failed, {waiting} wait for approval",
                counts.refused(),
                counts.failed()
            ),
            false => format!(
                "{} equal, {} would be repaired, {} left to a person; nothing was written: --apply writes it",
                self.outcome.equal,
                self.plan.proposals.len(),
                self.plan.withheld.len()
            ),
        });
        notes.extend(stopped);
        if waiting > 0 {
            notes.push(format!("approve them with: quittance approve {} --apply", run.as_deref().unwrap_or_default()));
        }
        notes.extend(undo.map(|undo| format!("take it back with: {undo}")));
        whole(json, rows, notes)
    }

    /// What is left to a person, one by one.
    fn withheld(&self) -> Vec<Value> {
        let told = |line: &quittance_server::reconcile::Line| {
            let base = line.base.as_ref().map(value);
            json!({"key": line.key, "kind": line.kind, "field": line.field, "why": line.why.as_str(), "base": base})
        };
        self.plan.withheld.iter().map(told).collect()
    }

    /// How much is left to a person, by reason.
    fn left_to_a_person(&self) -> Vec<String> {
        let mut reasons = std::collections::BTreeMap::<Withheld, (u64, &str)>::new();
        for line in &self.plan.withheld {
            reasons.entry(line.why).or_insert((0, &line.key)).0 += 1;
        }
        let told = |(why, (many, key)): (Withheld, (u64, &str))| {
            format!("{many} left to a person, as `{key}`: {}", sentence(why))
        };
        reasons.into_iter().map(told).collect()
    }
}

fn stopped(stopped: Stopped, many: usize, compared: u64, pair: &Pair) -> String {
    let brake = pair.repairs.brake;
    let limit = match stopped {
        Stopped::Repairs => format!("{} is the most (repairs_max)", brake.repairs_max),
        Stopped::Share => {
            let most = u128::from(compared) * u128::from(brake.share_max_ppm) / 1_000_000;
            format!("{most} of {compared} records is the most (repairs_share_max)")
        }
    };
    format!(
        "the brake: {many} repairs, and {limit}; nothing was written. If they are right, allow them: --repairs-max {many}"
    )
}

/// What became of what an earlier process had begun.
fn begun_before(finished: &[Kept]) -> Option<String> {
    let counts = counts(finished);
    let states = counts.0.iter().map(|(state, many)| format!("{many} {}", state.name())).collect::<Vec<_>>();
    (!states.is_empty()).then(|| format!("begun before, and found out now: {}", states.join(", ")))
}

/// What a reason means.
const fn sentence(why: Withheld) -> &'static str {
    match why {
        Withheld::Manual => "the field has no authority, or `manual`",
        Withheld::Unordered => "nobody can say which side is newer",
        Withheld::NoBase => "what both sides last agreed on is not known",
        Withheld::Conflict => "both sides changed it since they agreed, and differently",
        Withheld::NoIdentity => "nothing tells the records apart that would be written",
        Withheld::Transformed => "the column that would be written is compared as something else than it holds",
        Withheld::NoWord => "the map has no word for it",
        Withheld::SeveralWords => "several words of the right mean it: say write_right",
        Withheld::OtherType => "the value that was given is of another type",
        Withheld::Absent => "the side that is believed does not mention it",
        Withheld::Shape => "the field looks other than before: if it is right, --accept-shape FIELD --apply writes it",
        Withheld::Missing => "one side has no such record",
        Withheld::Ambiguous => "several records claim the key",
        Withheld::AnotherIsLive => "it would take something away from a customer who has another one that is live",
        Withheld::CustomerUnknown => {
            "it takes something away, and what else the customer has cannot be looked up (an index on the column?)"
        }
        Withheld::Waits => "the same repair waits for approval: `quittance runs --waiting` has its run",
        Withheld::Rejected => "a person decided against the same repair",
        Withheld::TakenBack => "it was made before and taken back: `--only KEY --apply` makes it again",
        Withheld::PerhapsWritten => {
            "it was sent before, and may have been carried out: see there, and `--only KEY --apply` sends it again"
        }
        Withheld::FlipFlop => "it was repaired to the same values before and has changed back: find out who does that",
    }
}

/// What `undo` came to, or would.
pub(super) fn undone(undone: &Undone) -> Document {
    let Undone { undone, run, plans, outcomes, left: kept, .. } = undone;
    let run = *run;
    let (repairs, rows) = match run {
        Some(_) => lines(outcomes.iter().map(|one| (one.no, one.state, &one.plan, one.detail.as_deref()))),
        None => lines(plans.iter().zip(0..).map(|(plan, no)| (no, RepairState::Planned, plan, None))),
    };
    let counts = counts(outcomes);
    let repaired = counts.of(&[RepairState::Repaired]);
    let left: Vec<Value> = kept
        .iter()
        .map(|(repair, why)| json!({"no": repair.no, "key": repair.plan.key, "why": why.as_str()}))
        .collect();
    let json = json!({
        "pair": undone.pair,
        "undoes": undone.id.to_string(),
        "run_id": run.map(|run| run.to_string()),
        "is_applied": run.is_some(),
        "planned": plans.len(),
        "repaired": repaired,
        "refused": counts.refused(),
        "failed": counts.failed(),
        "left_as_they_are": left,
        "repairs": repairs,
        "undo": run.map(|run| format!("quittance undo {run} --apply")),
    });
    let mut notes = vec![match run {
        Some(run) => format!(
            "{repaired} of {} taken back ({} refused, {} failed: somebody changed them since), as {run}",
            plans.len(),
            counts.refused(),
            counts.failed()
        ),
        None if plans.is_empty() => "nothing is to be taken back; nothing was written".to_owned(),
        None => format!("{} would be taken back; nothing was written: --apply writes it", plans.len()),
    }];
    if !kept.is_empty() {
        notes.push(format!("{} left as they are: they were not made, or were taken back already", kept.len()));
    }
    whole(json, rows, notes)
}

/// What was decided about repairs that waited.
pub(super) fn decided(run: &RepairRun, repairs: &[Kept]) -> Document {
    let counts = counts(repairs);
    let (lines, rows) = lines(repairs.iter().map(|one| (one.no, one.state, &one.plan, one.detail.as_deref())));
    let of = |state| counts.of(&[state]);
    let (repaired, rejected) = (of(RepairState::Repaired), of(RepairState::Rejected));
    let waiting = of(RepairState::AwaitingApproval);
    let json = json!({
        "pair": run.pair,
        "run_id": run.id.to_string(),
        "repaired": repaired,
        "rejected": rejected,
        "refused": counts.refused(),
        "failed": counts.failed(),
        "awaiting_approval": waiting,
        "repairs": lines,
        "undo": (repaired > 0).then(|| format!("quittance undo {} --apply", run.id)),
    });
    let mut notes = vec![format!(
        "{repaired} repaired, {rejected} rejected, {} refused, {} failed, {waiting} wait",
        counts.refused(),
        counts.failed()
    )];
    let waits = |one: &&Kept| one.state == RepairState::AwaitingApproval;
    match repairs.iter().filter(waits).find_map(|one| one.detail.as_deref()) {
        Some(why) => notes.push(format!("{waiting} were not approved: {why}")),
        None if waiting > 0 => {
            notes.push("nothing was written: --apply makes them, --reject --apply decides against them".to_owned());
        }
        None => {}
    }
    whole(json, rows, notes)
}

fn counts(repairs: &[Kept]) -> Counts {
    let mut counts = Counts::default();
    repairs.iter().for_each(|repair| counts.add(repair.state));
    counts
}

/// Each repair as a document, and a row for each value of it.
fn lines<'r>(
    repairs: impl Iterator<Item = (i64, RepairState, &'r RepairPlan, Option<&'r str>)>,
) -> (Vec<Value>, Vec<Vec<String>>) {
    let (mut documents, mut rows) = (Vec::new(), Vec::new());
    for (no, state, plan, detail) in repairs {
        let mut changes = Vec::new();
        for (column, to) in &plan.set {
            let from = plan.expected.iter().find(|(name, _)| name == column).map(|(_, value)| value);
            let from = from.map_or(Value::Null, value);
            changes.push(json!({"column": column, "from": from, "to": value(to)}));
            rows.push(vec![
                no.to_string(),
                plan.key.clone(),
                format!("{} {}", plan.system, plan.object),
                column.clone(),
                cell(&from),
                cell(&value(to)),
                state.name().to_owned(),
                detail.unwrap_or_default().to_owned(),
            ]);
        }
        documents.push(json!({
            "no": no,
            "key": plan.key,
            "side": plan.side,
            "system": plan.system,
            "object": plan.object,
            "changes": changes,
            "takes_away": plan.takes_away,
            "state": state.name(),
            "detail": detail,
        }));
    }
    (documents, rows)
}

/// A value as JSON: what is nothing as null, all else as text.
fn value(value: &Canonical<'_>) -> Value {
    if value.is_nothing() { Value::Null } else { json!(value.to_string()) }
}

fn cell(value: &Value) -> String {
    value.as_str().unwrap_or("NULL").to_owned()
}

fn whole(json: Value, rows: Vec<Vec<String>>, notes: Vec<String>) -> Document {
    let document = Document { json, columns: COLUMNS.to_vec(), rows, notes: Vec::new(), text: None };
    let mut shown = document.rows.clone();
    shown.truncate(LINES_MAX);
    let is_empty = shown.is_empty();
    let text = Document { rows: shown, notes, json: Value::Null, text: None, columns: COLUMNS.to_vec() };
    Document { text: Some(text.for_people(is_empty)), ..document }
}
