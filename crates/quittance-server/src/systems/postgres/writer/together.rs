//! Records that are changed all together or not at all: one transaction of many statements.

use super::batch::Outcome;
use super::{Failure, Job, PostgresWriter, TRIES_MAX};
use crate::systems::SystemError;
use crate::systems::write::{Together, WRITES_MAX, Write, Written, vetoed};
use quittance_core::pair::Side;

impl PostgresWriter {
    pub(super) fn together(&mut self, object: &str, side: &Side, writes: &[Write]) -> Result<Together, SystemError> {
        if writes.is_empty() {
            return Ok(Together { is_made: true, each: Vec::new() });
        }
        let jobs: Vec<Job<'_>> =
            writes.chunks(WRITES_MAX).map(|part| self.job(object, side, part)).collect::<Result<_, _>>()?;
        let outcome = match self.tried(&jobs) {
            // What became of it is found out by doing it again: it holds what it was to hold, or what it held. Where that
            // fails, it is known no better.
            Err(Failure::Unknown(error)) => match self.tried(&jobs) {
                Ok((again, is_held)) => found_out(again, is_held).ok_or(Failure::Unknown(error)),
                Err(_) => Err(Failure::Unknown(error)),
            },
            outcome => outcome,
        };
        outcome.map(|(together, _)| together).map_err(|failure| {
            // What is left of it is taken back; where that fails, the end of the connection did.
            let _ = self.session.refresh();
            match failure {
                Failure::System(error) | Failure::Conflict(error) => error,
                Failure::Unknown(error) => self.unknown(error),
            }
        })
    }

    /// Tries until nobody is in the way. Says too whether somebody held a record.
    fn tried(&mut self, jobs: &[Job<'_>]) -> Result<(Together, bool), Failure> {
        let mut tries = 1;
        loop {
            match self.whole(jobs) {
                Err(Failure::Conflict(_)) if tries < TRIES_MAX => tries += 1,
                outcome => return outcome,
            }
            self.session.refresh()?;
        }
    }

    /// One transaction, from its beginning to its commit, or to its being taken back.
    fn whole(&mut self, jobs: &[Job<'_>]) -> Result<(Together, bool), Failure> {
        self.begin()?;
        let mut outcomes = Vec::with_capacity(jobs.len());
        for job in jobs {
            outcomes.push(self.applied(job)?);
        }
        let is_held = outcomes.iter().flatten().any(Outcome::is_held);
        let each = self.each(jobs, &outcomes)?;
        if !Together::is_whole(&each) {
            self.session.refresh()?;
            return Ok((Together { is_made: false, each }, is_held));
        }
        vetoed(self.session.system(), self.veto.as_ref())?;
        match self.session.commit() {
            Ok(Ok(())) => Ok((Together { is_made: true, each }, is_held)),
            Ok(Err(refusal)) => Err(super::refused(&self.session, &refusal)),
            Err(error) => Err(Failure::Unknown(error)),
        }
    }

    /// What the records hold, within the transaction.
    fn each(&mut self, jobs: &[Job<'_>], outcomes: &[Vec<Outcome>]) -> Result<Vec<Written>, SystemError> {
        let mut each = Vec::new();
        for (job, outcomes) in jobs.iter().zip(outcomes) {
            each.extend(self.read_back(job, outcomes)?);
        }
        Ok(each)
    }
}

/// What came of a lost transaction, by what came of doing it again; none where it is not known yet.
fn found_out(again: Together, is_held: bool) -> Option<(Together, bool)> {
    // Perhaps it is the lost transaction that holds them, and it may come to its end yet. And where one was changed since,
    // only another that still holds what it held shows that the lost one never came.
    let never_came = again.each.contains(&Written::Done);
    if is_held || !again.is_made && !never_came {
        return None;
    }
    let done = |written| if written == Written::Already { Written::Done } else { written };
    let each = again.each.into_iter().map(|written| if again.is_made { done(written) } else { written });
    Some((Together { is_made: again.is_made, each: each.collect() }, false))
}
