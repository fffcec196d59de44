//! Statements of a transaction that may be refused, and the locks they take. Does not own what a refusal means to a record.

use super::{Batch, KEPT};
use crate::systems::postgres::failure::{Verdict, why};
use crate::systems::postgres::writer::{Failure, refused};
use crate::systems::write::LOCKED;
use quittance_connectors::sql::postgres::session::WAIT_NO_MORE;
use quittance_connectors::sql::postgres::write::{Texts, Update, held};
use std::collections::{BTreeMap, BTreeSet};

/// Why a statement changed nothing.
pub(super) struct Refusal {
    pub(super) verdict: Verdict,
    /// Whether a value could not be read, or was none of its type.
    pub(super) is_of_a_value: bool,
    pub(super) why: String,
}

impl Batch<'_> {
    /// Locks records, and refuses those that cannot be.
    pub(super) fn lock(
        &mut self,
        update: &Update<'_>,
        texts: &BTreeMap<usize, Texts>,
        members: &[usize],
    ) -> Result<Vec<usize>, Failure> {
        if members.is_empty() {
            return Ok(Vec::new());
        }
        let rows: Vec<&Texts> = members.iter().map(|at| &texts[at]).collect();
        let (locked, why) = match self.within_savepoint(&update.lock(&rows, false), members)? {
            Ok(locked) => (locked.into_iter().collect(), KEPT.to_owned()),
            Err(refusal) if refusal.verdict == Verdict::Locked => {
                (self.free(update, texts, members)?, LOCKED.to_owned())
            }
            Err(refusal) => (Vec::new(), refusal.why),
        };
        for at in members.iter().filter(|at| !locked.contains(at)) {
            self.refuse(*at, &why);
        }
        Ok(locked)
    }

    /// Locks all records that are told apart, as far as nobody holds them, and says which somebody does.
    pub(in crate::systems::postgres::writer) fn held(&mut self, update: &Update<'_>) -> Result<Vec<usize>, Failure> {
        let all: Vec<usize> = (0..self.job.writes.len()).collect();
        let alone = self.told_apart(&all)?;
        let texts: BTreeMap<usize, Texts> = alone.into_iter().filter_map(|at| Some((at, self.texts(at)?.0))).collect();
        let members: Vec<usize> = texts.keys().copied().collect();
        if members.is_empty() {
            return Ok(Vec::new());
        }
        let rows: Vec<&Texts> = texts.values().collect();
        match self.within_savepoint(&update.lock(&rows, false), &members)? {
            Ok(_) => Ok(Vec::new()),
            Err(refusal) if refusal.verdict == Verdict::Locked => {
                let free = self.free(update, &texts, &members)?;
                Ok(members.into_iter().filter(|at| !free.contains(at)).collect())
            }
            Err(refusal) => Err(Failure::System(self.session.place().held(&refusal.why))),
        }
    }

    /// Locks those that nobody else holds.
    pub(super) fn free(
        &mut self,
        update: &Update<'_>,
        texts: &BTreeMap<usize, Texts>,
        members: &[usize],
    ) -> Result<Vec<usize>, Failure> {
        let rows: Vec<&Texts> = members.iter().map(|at| &texts[at]).collect();
        match self.within_savepoint(&update.lock(&rows, true), members)? {
            Ok(free) => Ok(free.into_iter().collect()),
            // Not one record is held then, but all of the table.
            Err(refusal) => Err(Failure::System(self.session.place().held(&refusal.why))),
        }
    }

    /// Refuses to try one record after the other where somebody holds all of the table.
    pub(super) fn check_table(&mut self, why: &str) -> Result<(), Failure> {
        let held = self.session.rows(&held(self.job.table.oid))?;
        let is_held = held.first().and_then(|row| row.first()?.as_deref()) == Some("t");
        if is_held { Err(Failure::System(self.session.place().held(why))) } else { Ok(()) }
    }

    /// Runs a statement that names records by their place among `members`, and takes back what it did where it is
    /// refused.
    pub(super) fn within_savepoint(
        &mut self,
        statement: &str,
        members: &[usize],
    ) -> Result<Result<BTreeSet<usize>, Refusal>, Failure> {
        let attempt = self.session.attempt(&format!("SAVEPOINT w; {statement}; RELEASE SAVEPOINT w"))?;
        let answered = match attempt {
            Ok(answered) => answered,
            Err(refusal) => {
                let verdict = Verdict::of(&refusal);
                if matches!(verdict, Verdict::Conflict | Verdict::Stop) {
                    return Err(refused(self.session, &refusal));
                }
                self.session.rows("ROLLBACK TO SAVEPOINT w; RELEASE SAVEPOINT w")?;
                if verdict == Verdict::Locked {
                    self.session.rows(WAIT_NO_MORE)?;
                }
                let is_of_a_value = refusal.code().code().starts_with("22");
                return Ok(Err(Refusal { verdict, is_of_a_value, why: why(&refusal) }));
            }
        };
        let place = |row: &Vec<Option<String>>| row.first()?.as_ref()?.parse::<usize>().ok()?.checked_sub(1);
        let named = |row| members.get(place(row)?).copied();
        let found = answered.iter().map(named).collect::<Option<BTreeSet<usize>>>();
        let found = found.ok_or_else(|| self.session.place().nonsense("records that were not asked for"))?;
        if found.len() < answered.len() {
            // Two records of one identity, which nobody could see before: nothing of it may stay.
            let what = "it has several records of one identity";
            return Err(Failure::System(self.session.place().nonsense(what)));
        }
        Ok(Ok(found))
    }
}
