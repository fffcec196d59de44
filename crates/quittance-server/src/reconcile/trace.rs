//! The story of a run: what it compared and found open, what was planned, written, approved and taken back, by whom and when,
//! out of the chain of its pair. Only reads.

use super::journal::run;
use crate::api::rows;
use crate::data::Data;
use quittance_core::id::RunId;
use quittance_core::record::value::Value;
use quittance_engine::trace::{Line, Story, Trace};
use quittance_store::records::{
    Entity, RepairEntry, RepairNews, RepairPlan, RepairState, Run, decode_news, decode_plan,
};
use quittance_store::store::{Direction, Reader, Scan, StoreError};
use quittance_store::tables::REPAIR_JOURNAL;
use std::collections::BTreeMap;

/// Entries that are read at once.
const PAGE: usize = 200;

/// Lines of one story; a run may have more repairs, and each can be asked for by itself.
pub const LINES_MAX: usize = 5_000;

/// Tells what became of a run (`run_…`), or of one of its repairs (`run_…/3`). None where that is no such id, or nothing is
/// known of it.
///
/// # Errors
///
/// [`StoreError`] when the runs cannot be read, or hold what cannot be decoded; a directory without any is no error.
pub fn trace(data: &Data, id: &str) -> Result<Option<Trace>, StoreError> {
    if parse(id).is_none() {
        return Ok(None);
    }
    match data.runs().open_reader() {
        Err(StoreError::Missing { .. }) => Ok(None),
        opened => trace_of(opened?.as_mut(), id),
    }
}

/// Whether an id is one of a run, or of a repair.
pub(crate) fn is_run(id: &str) -> bool {
    parse(id).is_some()
}

/// The same by a reader of where runs are kept.
///
/// # Errors
///
/// As [`trace`].
pub(crate) fn trace_of(reader: &mut dyn Reader, id: &str) -> Result<Option<Trace>, StoreError> {
    let Some((run, no)) = parse(id) else { return Ok(None) };
    let compared = compared(reader, run)?;
    let mut story = Telling { run, no, lines: Vec::new(), keys: BTreeMap::new(), is_cut: false };
    story.lines.extend(compared.iter().filter(|_| no.is_none()).flat_map(lines_of));
    let repaired = self::run(reader, run)?;
    if let Some(repaired) = &repaired {
        story.follow(reader, &repaired.pair)?;
    }
    let Some(pair) = repaired.map(|run| run.pair).or(compared.map(|run| run.pair)) else { return Ok(None) };
    // That the run was taken back is no story of a repair that it never had.
    if story.lines.iter().all(|line| line.event == "undo_began") {
        return Ok(None);
    }
    let status = story.lines.last().map_or("", |line| line.event).to_owned();
    let (is_cut, lines) = (story.is_cut, story.lines);
    let story = Story { subject: format!("{id} of the pair {pair}"), payment: None, command: None, status, lines };
    Ok(Some(Trace { id: id.to_owned(), recognised_as: "run", stories: vec![story], is_cut }))
}

fn parse(id: &str) -> Option<(RunId, Option<i64>)> {
    let (run, no) = id.split_once('/').map_or((id, None), |(run, no)| (run, Some(no)));
    Some((run.parse().ok()?, no.map(str::parse).transpose().ok()?))
}

fn compared(reader: &mut dyn Reader, id: RunId) -> Result<Option<Run>, StoreError> {
    let row = reader.get_many(Run::table(), &[vec![id.bytes().into()]])?.pop().flatten();
    row.map(|row| rows::entity(&row)).transpose()
}

fn lines_of(run: &Run) -> Vec<Line> {
    let line = |at, event, details| Line { at, actor: "pair", event, details };
    let details = vec![("method", run.method.clone()), ("open", run.drifts.to_string())];
    vec![
        line(run.started_at, "comparison_began", vec![("pair", run.pair.clone())]),
        line(run.ended_at, "compared", details),
    ]
}

/// A story while it is told.
struct Telling {
    run: RunId,
    no: Option<i64>,
    lines: Vec<Line>,
    /// What each repair is about.
    keys: BTreeMap<i64, String>,
    is_cut: bool,
}

impl Telling {
    /// Reads the chain of a pair back to where the run began, and then tells what is about it.
    fn follow(&mut self, reader: &mut dyn Reader, pair: &str) -> Result<(), StoreError> {
        let mut scan =
            Scan { direction: Direction::Backward, ..Scan::forward(&REPAIR_JOURNAL, vec![pair.into()], PAGE) };
        let mut about = Vec::new();
        'back: loop {
            let page = rows::page::<RepairEntry>(reader, &scan)?;
            let is_last = page.len() < PAGE;
            scan.after = page.last().map(|entry| vec![entry.seq.into()]);
            for entry in page {
                let news = decode_news(entry.kind, &entry.body).map_err(|error| damaged(&entry, &error))?;
                let is_begin = matches!(&news, RepairNews::Began { run, .. } if *run == self.run);
                if self.is_about(&news) {
                    about.push((entry, news));
                }
                if is_begin {
                    break 'back;
                }
            }
            if is_last {
                break;
            }
        }
        for (entry, news) in about.into_iter().rev() {
            self.tell(&entry, news)?;
        }
        Ok(())
    }

    /// Whether an entry is about the run, or about one that takes it back.
    fn is_about(&self, news: &RepairNews) -> bool {
        match news {
            RepairNews::Began { run, undoes, .. } => *run == self.run || *undoes == Some(self.run),
            RepairNews::Planned { run, .. } | RepairNews::Settled { run, .. } => *run == self.run,
        }
    }

    fn tell(&mut self, entry: &RepairEntry, news: RepairNews) -> Result<(), StoreError> {
        match news {
            RepairNews::Began { run, cause, by, repairs, .. } if self.no.is_none() || run != self.run => {
                let event = if run == self.run { "run_began" } else { "undo_began" };
                let details = vec![
                    ("run", run.to_string()),
                    ("cause", cause),
                    ("by", by),
                    ("repairs", repairs.to_string()),
                    ("entry", entry.seq.to_string()),
                ];
                self.line(entry, event, details);
            }
            RepairNews::Began { .. } => {}
            RepairNews::Planned { from, repairs, .. } => {
                for (no, (state, plan)) in (from..).zip(repairs) {
                    let plan = decode_plan(&plan).map_err(|error| damaged(entry, &error))?;
                    self.planned(entry, no, state, &plan);
                }
            }
            RepairNews::Settled { by, outcomes, .. } => {
                let meant = self.no;
                for (no, state, detail) in outcomes.into_iter().filter(|(no, ..)| meant.is_none_or(|it| it == *no)) {
                    let mut details = self.named(no);
                    details.push(("by", by.clone()));
                    details.extend(detail.map(|detail| ("detail", detail)));
                    self.line(entry, state.name(), details);
                }
            }
        }
        Ok(())
    }

    fn planned(&mut self, entry: &RepairEntry, no: i64, state: RepairState, plan: &RepairPlan) {
        if self.no.is_some_and(|meant| meant != no) {
            return;
        }
        self.keys.insert(no, plan.key.clone());
        let mut details = self.named(no);
        let place = format!("{} of {}", plan.object, plan.system);
        let (from, to) = (values(&plan.expected, Some(&plan.set)), values(&plan.set, None));
        details.extend([("writes", place), ("from", from), ("to", to)]);
        self.line(entry, state.name(), details);
    }

    fn named(&self, no: i64) -> Vec<(&'static str, String)> {
        let key = self.keys.get(&no).cloned().unwrap_or_default();
        vec![("repair", no.to_string()), ("key", key)]
    }

    fn line(&mut self, entry: &RepairEntry, event: &'static str, details: Vec<(&'static str, String)>) {
        match self.lines.len() < LINES_MAX {
            true => self.lines.push(Line { at: entry.at, actor: "repair", event, details }),
            false => self.is_cut = true,
        }
    }
}

/// Values by their columns, of those columns that others have.
fn values(values: &[(String, Value<'static>)], only: Option<&[(String, Value<'static>)]>) -> String {
    let is_meant = |name: &str| only.is_none_or(|only| only.iter().any(|(other, _)| other == name));
    let shown = values.iter().filter(|(name, _)| is_meant(name)).map(|(name, value)| format!("{name} = {value}"));
    shown.collect::<Vec<_>>().join(", ")
}

fn damaged(entry: &RepairEntry, error: &dyn std::error::Error) -> StoreError {
    StoreError::Corrupt {
        place: format!("repair_journal, entry {} of {}", entry.seq, entry.pair),
        what: error.to_string(),
    }
}
