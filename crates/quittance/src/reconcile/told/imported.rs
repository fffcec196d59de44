//! What people and programs read of a list of corrections.

use super::{LINES_MAX, counts, lines, stopped, whole};
use crate::output::{Document, plain};
use quittance_core::pair::Which;
use quittance_server::reconcile::Counts;
use quittance_server::reconcile::session::{Imported, Session};
use quittance_store::records::RepairState;
use serde_json::{Value, json};

/// Keys that are named in a sentence.
const NAMED_MAX: usize = 5;

/// What `import` came to.
struct Told<'t> {
    imported: &'t Imported,
    is_applied: bool,
}

/// The document of a list of corrections.
pub(in crate::reconcile) fn imported(imported: &Imported, is_applied: bool, session: &Session<'_>) -> Document {
    Told { imported, is_applied }.document(session)
}

impl Told<'_> {
    /// The document.
    fn document(&self, session: &Session<'_>) -> Document {
        let Imported { which, prepared, run, repairs: kept, begun, .. } = self.imported;
        let pair = session.pair;
        let place = if *which == Which::Left { &pair.left } else { &pair.right };
        let run = run.as_ref().map(|run| run.id.to_string());
        let counts = counts(kept);
        let repaired = counts.of(&[RepairState::Repaired]);
        let (repairs, rows) = match kept.is_empty() {
            true => {
                let would = prepared.plans.iter().enumerate();
                lines(would.map(|(no, plan)| (no as i64, RepairState::Planned, plan, None)))
            }
            false => lines(kept.iter().map(|one| (one.no, one.state, &one.plan, one.detail.as_deref()))),
        };
        let (finished, _) =
            lines(begun.finished.iter().map(|one| (one.no, one.state, &one.plan, one.detail.as_deref())));
        let bad: Vec<Value> = prepared
            .bad
            .named
            .iter()
            .map(|bad| json!({"line": bad.line, "key": bad.key, "column": bad.column, "what": bad.what}))
            .collect();
        let compared = prepared.records.unwrap_or_default();
        let stopped = prepared.stopped.map(|why| stopped(why, prepared.plans.len(), compared, pair));
        let undo = run.as_ref().filter(|_| repaired > 0).map(|run| format!("quittance undo {run} --apply"));
        let sha256: String = prepared.source.sha256.iter().map(|byte| format!("{byte:02x}")).collect();
        let json = json!({
            "pair": session.name,
            "side": which.as_str(),
            "system": place.system,
            "object": place.object,
            "file": {"name": prepared.source.name, "sha256": sha256, "rows": prepared.rows},
            "key": prepared.key,
            "run_id": run,
            "is_applied": self.is_applied,
            "planned": prepared.plans.len(),
            "repaired": repaired,
            "already": prepared.already + counts.of(&[RepairState::Already]),
            "refused": counts.refused(),
            "failed": counts.failed(),
            "awaiting_approval": 0,
            "take_aways": prepared.plans.iter().filter(|plan| plan.takes_away).count(),
            "bad_rows": prepared.bad.many,
            "bad": bad,
            "stopped": stopped,
            "finished": finished,
            "repairs": repairs,
            "undo": undo,
        });
        let mut notes = Vec::new();
        if rows.len() > LINES_MAX {
            notes
                .push(format!("… and {} more lines; --json and --format csv have all of them", rows.len() - LINES_MAX));
        }
        notes.extend(self.bad_rows());
        notes.extend(super::begun_before(&begun.finished));
        notes.extend(self.take_aways());
        notes.extend(stopped);
        notes.push(self.statement(&counts));
        notes.extend(undo.map(|undo| format!("take it back with: {undo}")));
        whole(json, rows, notes)
    }

    fn statement(&self, counts: &Counts) -> String {
        let prepared = &self.imported.prepared;
        let (many, already) = (prepared.plans.len(), prepared.already);
        let records = if many == 1 { "record" } else { "records" };
        match &self.imported.run {
            _ if prepared.bad.many > 0 => {
                format!("{} of {} rows cannot be written, so nothing was", prepared.bad.many, prepared.rows)
            }
            _ if many == 0 => format!("nothing to do: {already} records hold all of it already"),
            None if self.is_applied => format!("nothing was written of {many} {records}; {already} hold it already"),
            None => format!(
                "{many} {records} would be changed in one transaction, {already} hold it already; nothing was written: \
                 --apply writes it"
            ),
            Some(run) if self.imported.is_made => {
                let (repaired, already) = (counts.of(&[RepairState::Repaired]), counts.of(&[RepairState::Already]));
                format!(
                    "{repaired} {records} changed in one transaction, {} held it already, as {}",
                    prepared.already + already,
                    run.id
                )
            }
            Some(run) if counts.of(&[RepairState::Planned]) > 0 => {
                format!("whether the {many} {records} of {} were changed is not known", run.id)
            }
            Some(_) => format!(
                "nothing was written: {} refused, {} changed by somebody else meanwhile, and the list is written whole or not \
                 at all",
                counts.refused(),
                counts.failed()
            ),
        }
    }

    /// Bad rows as sentences.
    fn bad_rows(&self) -> Vec<String> {
        let bad = &self.imported.prepared.bad;
        let told = |one: &quittance_server::reconcile::import::Bad| {
            let place = [one.key.as_ref(), one.column.as_ref()].into_iter().flatten();
            let place: Vec<String> = place.map(|text| format!("`{}`", plain(text))).collect();
            let place = if place.is_empty() { String::new() } else { format!(", {}", place.join(" ")) };
            format!("line {}{place}: {}", one.line, one.what)
        };
        let mut told: Vec<String> = bad.named.iter().take(LINES_MAX).map(told).collect();
        if bad.many > told.len() as u64 {
            told.push(format!("… and {} more", bad.many - told.len() as u64));
        }
        told
    }

    /// What takes something away, apart from the rest.
    fn take_aways(&self) -> Option<String> {
        let taking: Vec<&str> =
            self.imported.prepared.plans.iter().filter(|plan| plan.takes_away).map(|plan| plan.key.as_str()).collect();
        if taking.is_empty() {
            return None;
        }
        let named = taking.iter().take(NAMED_MAX).map(|key| format!("`{key}`")).collect::<Vec<_>>().join(", ");
        let more = if taking.len() > NAMED_MAX { ", …" } else { "" };
        let then = if self.imported.forbidden > 0 { "; if that is right, permit it: --allow-take-aways" } else { "" };
        Some(format!("{} take something away from a customer: {named}{more}{then}", taking.len()))
    }
}
