//! Writing a list of corrections: read, found, kept, written all together or not at all, and kept again.

use super::{Begun, Session, SessionError, new_run};
use crate::clock;
use crate::config::{ConfigErrors, System as Configured};
use crate::reconcile::Kept;
use crate::reconcile::import::{Asked, Form, ImportError, Prepared, prepare, read, settle_together, write_together};
use crate::systems::write::{LOCKED, WriteOptions, Written};
use crate::systems::{SystemError, open};
use quittance_core::pair::Which;
use quittance_store::records::{RepairCause, RepairPlan, RepairRun, RepairState};
use std::path::Path;

/// What is asked for.
pub struct ImportRequest<'r> {
    /// The list.
    pub file: &'r Path,
    /// How it is to be read.
    pub form: Form,
    /// The side that is corrected; none for the one that may be written.
    pub which: Option<Which>,
    /// The columns that find a record; empty for those that tell records apart, or those of the first rule of matching.
    pub key: &'r [String],
    /// Whether it is written; without it, it is only shown.
    pub is_applied: bool,
    /// Whether what takes something away from a customer is written, too.
    pub may_take_away: bool,
    /// Permits so many repairs, in the place of both limits of the configuration.
    pub repairs_max: Option<u64>,
}

/// What a list came to.
pub struct Imported {
    /// The side.
    pub which: Which,
    /// What is to be written, and what cannot be.
    pub prepared: Prepared,
    /// How many take something away, which nobody has permitted.
    pub forbidden: u64,
    /// The run, where something was tried.
    pub run: Option<RepairRun>,
    /// What became of it.
    pub repairs: Vec<Kept>,
    /// Whether all of it was written.
    pub is_made: bool,
    /// What had been begun before.
    pub begun: Begun,
    /// What ended the writing, or the keeping of what came of it: it is found out the next time.
    pub failed: Option<SessionError>,
    is_refused: bool,
}

/// How a list ended, or would.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImportVerdict {
    /// All of it holds, or would.
    Good,
    /// A row of it is bad, or the system refuses one.
    Bad,
    /// Somebody has to permit it.
    Braked,
    /// Somebody else changed records meanwhile, or before.
    Left,
}

impl Imported {
    /// How it ended.
    #[must_use]
    pub fn verdict(&self) -> ImportVerdict {
        let is_done =
            |one: &Kept| matches!(one.state, RepairState::Repaired | RepairState::Already | RepairState::Abandoned);
        let is_past_good = self.begun.unknown.is_none() && self.begun.finished.iter().all(is_done);
        match () {
            () if self.prepared.bad.many > 0 || self.is_refused => ImportVerdict::Bad,
            () if self.prepared.stopped.is_some() || self.forbidden > 0 => ImportVerdict::Braked,
            () if self.run.is_some() && !self.is_made || !is_past_good => ImportVerdict::Left,
            () => ImportVerdict::Good,
        }
    }
}

impl Session<'_> {
    /// Looks at a list, and writes it where that is asked for and nothing is in the way, under the lease of the pair.
    ///
    /// # Errors
    ///
    /// [`SessionError`]; nothing was written then.
    pub fn import(&self, request: &ImportRequest<'_>) -> Result<Imported, SessionError> {
        if request.is_applied && self.guard.is_none() {
            let held = self.take()?;
            return self.under(&held, self.share_ppm).import(request);
        }
        let which = self.corrected(request.which)?;
        let place = if which == Which::Left { &self.pair.left } else { &self.pair.right };
        let wrong = |error| match error {
            ImportError::List { what, remedy } => SessionError::asked(what, remedy),
            ImportError::System(error) => SessionError::system(&place.system, error),
        };
        let list = read(request.file, &request.form).map_err(wrong)?;
        let begun = if request.is_applied { self.finish()? } else { Begun::default() };
        let asked = Asked { pair: self.pair, which, key: request.key, repairs_max: request.repairs_max };
        let prepared = {
            let secret = self.write_secret(&place.system);
            let primary = secret.and_then(|(system, secret)| open::primary(&place.system, system, secret.as_ref()));
            let mut primary = primary.map_err(|error| SessionError::system(&place.system, error))?;
            let open = || {
                let (system, secret) = self.write_secret(&place.system)?;
                open::writer(&place.system, system, secret.as_ref(), WriteOptions::of(place))
            };
            prepare(&asked, list, primary.as_mut(), open).map_err(wrong)?
        };
        let forbidden = if request.may_take_away { 0 } else { prepared.take_aways(self.pair) };
        let is_braked = prepared.stopped.is_some() || forbidden > 0;
        let (run, repairs) = (None, Vec::new());
        let mut imported = Imported {
            which,
            prepared,
            forbidden,
            run,
            repairs,
            is_made: false,
            begun,
            failed: None,
            is_refused: false,
        };
        if request.is_applied && !is_braked && !imported.prepared.plans.is_empty() {
            self.carry_out(&mut imported)?;
        }
        Ok(imported)
    }

    /// Keeps what is to be written, writes it, and keeps what came of it. Nobody else is kept from the runs while the system
    /// is written.
    fn carry_out(&self, imported: &mut Imported) -> Result<(), SessionError> {
        let started_at = clock::now();
        let prepared = &imported.prepared;
        let run = RepairRun {
            id: new_run(started_at),
            pair: self.name.to_owned(),
            cause: RepairCause::Import,
            undoes: None,
            by: self.by.to_owned(),
            started_at,
            repairs: prepared.plans.len() as i64,
            source: Some(prepared.source.clone()),
        };
        let plans: Vec<(RepairState, RepairPlan)> =
            prepared.plans.iter().map(|plan| (RepairState::Planned, plan.clone())).collect();
        let mut repairs = self.repairs();
        let kept = repairs.begin(&run, &plans);
        imported.repairs = kept.map_err(SessionError::store("the repairs cannot be kept"))?;
        imported.run = Some(run);
        let written = repairs.may_go_on().and_then(|()| write_together(&imported.repairs, &mut self.opening()));
        let together = match written {
            Ok(together) => together,
            Err(error) => {
                imported.failed = Some(error.into());
                return Ok(());
            }
        };
        imported.is_made = together.is_made;
        let is_refused = |one: &Written| match one {
            Written::Refused { why } => why != LOCKED,
            other => matches!(other, Written::Altered { .. }),
        };
        imported.is_refused = !together.is_made && together.each.iter().any(is_refused);
        const KEEPING: &str = "what came of the list cannot be kept; it is found out the next time";
        let settled = settle_together(&mut repairs, &mut imported.repairs, &together, self.by, clock::now());
        imported.failed = settled.err().map(SessionError::store(KEEPING));
        Ok(())
    }

    /// The side that is meant: the one that was named, or the only one that may be written.
    fn corrected(&self, named: Option<Which>) -> Result<Which, SessionError> {
        let may = |system: &str| self.config.systems.get(system).is_some_and(Configured::may_be_written);
        match (named, may(&self.pair.left.system), may(&self.pair.right.system)) {
            (Some(which), ..) => Ok(which),
            (None, true, false) => Ok(Which::Left),
            (None, false, true) => Ok(Which::Right),
            (None, is_left, _) => {
                let many = if is_left { "both sides" } else { "neither side" };
                let what = format!("{many} of the pair `{}` may be written", self.name);
                Err(SessionError::asked(what, "say which one is to be corrected: --side left or --side right"))
            }
        }
    }

    /// A system, and what it is written by.
    fn write_secret(&self, name: &str) -> Result<(&Configured, Option<crate::config::Secret>), SystemError> {
        let system = self.config.systems.get(name).ok_or_else(|| {
            SystemError::configuration(
                format!("there is no system `{name}`"),
                format!("describe it under [systems.{name}]"),
            )
        })?;
        let unset = |error: ConfigErrors| {
            SystemError::configuration(
                error.to_string(),
                "set the variable, or write the file, that write_url refers to",
            )
        };
        Ok((system, self.config.write_secret(system).map_err(unset)?))
    }
}
