//! The records of one transaction: each is changed, or it is said why not, and none keeps another from being changed.
//! What is run, and which locks it takes, is in [`attempts`].

mod attempts;

use super::{Failure, Job, Row, rows};
use crate::systems::postgres::failure::Verdict;
use crate::systems::postgres::session::Session;
use crate::systems::write::{LOCKED, Standing, Written, standing};
use quittance_connectors::sql::postgres::write::{Texts, Update};
use std::collections::BTreeMap;

/// Most bytes of values of one statement, unless one record has more.
const STATEMENT_BYTES_MAX: usize = 64 * 1024 * 1024;

const KEPT: &str = "a trigger, a rule or a policy keeps it from being changed";
const SEVERAL: &str = "several records have this identity";
const UNSAYABLE: &str =
    "a value cannot be written: it is absent, holds a NUL character, or is bytes where JSON is stored";

/// What came of a record so far.
#[derive(Clone, Debug)]
pub(super) enum Outcome {
    /// Nothing.
    Open,
    /// It was changed; what it holds is known after the end of the transaction.
    Applied,
    /// This, for good.
    Said(Written),
}

impl Outcome {
    /// Whether it was refused because somebody else holds it.
    pub(super) fn is_held(&self) -> bool {
        matches!(self, Self::Said(Written::Refused { why }) if why == LOCKED)
    }
}

/// Records within a transaction.
pub(super) struct Batch<'a> {
    pub(super) session: &'a mut Session,
    pub(super) job: &'a Job<'a>,
    pub(super) outcomes: Vec<Outcome>,
}

/// Records that a statement did not change, and why where the database said so.
type Undecided = Vec<(usize, Option<String>)>;

impl Batch<'_> {
    /// Changes records that expect and set the same columns.
    pub(super) fn group(&mut self, update: &Update<'_>, members: &[usize]) -> Result<(), Failure> {
        let mut texts = BTreeMap::new();
        let (mut ready, mut undecided) = (Vec::new(), Vec::new());
        for at in self.told_apart(members)? {
            match self.texts(at) {
                None => self.say(at, Written::Gone),
                Some((_, Readiness::Unsayable)) => undecided.push((at, Some(UNSAYABLE.to_owned()))),
                Some((text, readiness)) => {
                    texts.insert(at, text);
                    match readiness {
                        Readiness::Ready => ready.push(at),
                        _ => undecided.push((at, None)),
                    }
                }
            }
        }
        undecided.extend(self.apply(update, &texts, ready, true)?);
        let held = self.settle(undecided)?;
        let locked = self.lock(update, &texts, &held)?;
        let held = self.settle(locked.into_iter().map(|at| (at, None)).collect())?;
        // They hold what is expected in canonical form, though not by the database's own equality, and nobody else can
        // change them any more.
        for (at, why) in self.apply(update, &texts, held, false)? {
            self.refuse(at, why.as_deref().unwrap_or(KEPT));
        }
        Ok(())
    }

    /// Those whose identity no other record has. Where a unique index sees to it, nobody has to look.
    fn told_apart(&mut self, members: &[usize]) -> Result<Vec<usize>, Failure> {
        let side = self.job.side;
        let names: Vec<&str> = side.identity.iter().map(|at| side.columns[*at].name.as_str()).collect();
        if self.job.table.is_unique_by(&names) {
            return Ok(members.to_vec());
        }
        let rows = rows(self.session, self.job, members)?;
        let mut alone = Vec::new();
        for at in members {
            if self.rows_of(*at, &rows).len() > 1 {
                self.refuse(*at, SEVERAL);
            } else {
                alone.push(*at);
            }
        }
        Ok(alone)
    }

    /// What a statement says of a record; none where no record can have its identity.
    fn texts(&self, at: usize) -> Option<(Texts, Readiness)> {
        let (job, write) = (self.job, &self.job.writes[at]);
        let kind = |column: usize| job.table.column(&job.side.columns[column].name).map(|(_, column)| column.kind);
        let mut texts = Texts::default();
        for (value, column) in write.identity.iter().zip(&job.side.identity) {
            texts.keys.push(kind(*column)?.expected_text(value)??);
        }
        let mut readiness = Readiness::Ready;
        for (column, value) in &write.expected {
            let text = kind(*column)?.expected_text(value);
            if text.is_none() {
                readiness = Readiness::Incomparable;
            }
            texts.expected.push(text.flatten());
        }
        for (column, value) in &write.set {
            match kind(*column)?.assigned_text(value) {
                Some(text) => texts.set.push(text),
                None => return Some((texts, Readiness::Unsayable)),
            }
        }
        Some((texts, readiness))
    }

    /// Changes as many as the database lets, by as few statements as it lets.
    fn apply(
        &mut self,
        update: &Update<'_>,
        texts: &BTreeMap<usize, Texts>,
        members: Vec<usize>,
        is_checked: bool,
    ) -> Result<Undecided, Failure> {
        let mut undecided = Vec::new();
        let mut parts = vec![members];
        while let Some(part) = parts.pop() {
            let rows: Vec<&Texts> = part.iter().map(|at| &texts[at]).collect();
            if part.is_empty() {
                continue;
            }
            if part.len() > 1 && rows.iter().map(|row| row.bytes()).sum::<usize>() > STATEMENT_BYTES_MAX {
                parts.extend(halves(&part));
                continue;
            }
            let refusal = match self.within_savepoint(&update.update(&rows, is_checked), &part)? {
                Ok(changed) => {
                    for at in part {
                        if changed.contains(&at) {
                            self.outcomes[at] = Outcome::Applied;
                        } else {
                            undecided.push((at, None));
                        }
                    }
                    continue;
                }
                Err(refusal) => refusal,
            };
            if refusal.verdict == Verdict::Locked {
                let free = self.free(update, texts, &part)?;
                if free.len() < part.len() {
                    let held = part.into_iter().filter(|at| !free.contains(at));
                    undecided.extend(held.map(|at| (at, Some(LOCKED.to_owned()))));
                    parts.push(free);
                    continue;
                }
                self.check_table(&refusal.why)?;
            }
            match part.as_slice() {
                // Perhaps it could not be compared, which is not needed to write it.
                [at] if is_checked && refusal.is_of_a_value => undecided.push((*at, None)),
                [at] => undecided.push((*at, Some(refusal.why))),
                _ => parts.extend(halves(&part)),
            }
        }
        Ok(undecided)
    }

    /// Says what came of records that were not changed. Those that hold what is expected, and that nothing was said
    /// against, are left.
    fn settle(&mut self, undecided: Undecided) -> Result<Vec<usize>, Failure> {
        if undecided.is_empty() {
            return Ok(Vec::new());
        }
        let members: Vec<usize> = undecided.iter().map(|(at, _)| *at).collect();
        let rows = rows(self.session, self.job, &members)?;
        let mut held = Vec::new();
        for (at, why) in undecided {
            let row = match self.rows_of(at, &rows) {
                [] => {
                    self.say(at, Written::Gone);
                    continue;
                }
                [row] => row,
                _ => {
                    self.refuse(at, SEVERAL);
                    continue;
                }
            };
            match (standing(&self.job.writes[at], row, &self.job.narrow), why) {
                (Standing::Done, _) => self.say(at, Written::Already),
                (Standing::Moved(now), _) => self.say(at, Written::Moved { now }),
                (Standing::AsExpected, Some(why)) => self.refuse(at, &why),
                (Standing::AsExpected, None) => held.push(at),
            }
        }
        Ok(held)
    }

    fn rows_of<'r>(&self, at: usize, rows: &'r BTreeMap<Vec<u8>, Vec<Row>>) -> &'r [Row] {
        self.job.keys[at].as_ref().and_then(|key| rows.get(key)).map_or(&[], Vec::as_slice)
    }

    fn say(&mut self, at: usize, written: Written) {
        self.outcomes[at] = Outcome::Said(written);
    }

    fn refuse(&mut self, at: usize, why: &str) {
        self.say(at, Written::Refused { why: why.to_owned() });
    }
}

/// Whether a record can be written by a statement that checks what it holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Readiness {
    Ready,
    /// Its column cannot hold what is expected, as far as the database's own equality goes.
    Incomparable,
    /// A value cannot be said.
    Unsayable,
}

fn halves(part: &[usize]) -> [Vec<usize>; 2] {
    let (first, second) = part.split_at(part.len() / 2);
    // The first is done first: it is taken from the end.
    [second.to_vec(), first.to_vec()]
}
