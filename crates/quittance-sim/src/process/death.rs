//! How a process dies, and what of it comes back.

use super::Process;
use crate::matrix::summary::found;
use crate::plan::Point;
use crate::store::look;
use crate::world::{Event, World};
use quittance_core::time::Timestamp;
use quittance_engine::room::Permits;
use quittance_engine::submission::{Outcome, Submission};
use quittance_store::records::Switch;

impl World {
    /// The process is gone, with everything that is not stored.
    pub(crate) fn bury(&mut self, when: &str) {
        let point = look(&self.disk).died_at.take();
        if let Some(point) = point {
            self.coverage.count("crash", point.name());
        }
        let name = point.map_or("by a failure of the store", Point::name);
        self.tell(name.as_bytes(), || format!("the process dies {when}: {name}"));
        self.network.flights.clear();
        self.network.aimed.clear();
        look(&self.disk).steps.bury();
        if look(&self.disk).steps.is_kept() {
            self.found.push(found(&self.database));
        }
        self.forget_waiting();
        self.stalled_until = 0;
        let ghost = self.process.take();
        let names = self.names();
        self.auditor.after_crash(&mut self.database.reader(), &names);
        let (away_ms, does_boot) = std::mem::replace(&mut self.next_absence, (2_000, false));
        if does_boot {
            self.clock.reboot();
            self.is_off = true;
            // A machine that starts asks for the time: how wrong its clock was before, nobody might have written down.
            self.clock.ahead_ms = 0;
            self.struck("reboot");
        }
        if let Some(ghost) = ghost.filter(|_| self.dice.chance(25)) {
            self.haunt(ghost);
        }
        self.after(away_ms, Event::Start);
    }

    /// A process that is thought dead comes back after another one has opened the store, and writes what it had in hand.
    fn haunt(&mut self, mut ghost: Process) {
        drop(crate::store::SimStore::open(&self.database, &self.disk));
        let commits = look(&self.disk).commits;
        let in_hand = std::mem::take(&mut ghost.inbox).into_iter().map(|entry| entry.submission);
        let submissions = in_hand.chain([Submission::SetSwitch(Box::new(ghostly_switch(self.clock.wall())))]).collect();
        let step = ghost.engine.step(self.clock.wall(), submissions, &mut Permits::default());
        self.struck("old_writer_refused");
        let is_refused = |outcome: &Outcome| matches!(outcome, Outcome::Failed(_));
        let wrote = step.is_ok_and(|step| !step.outcomes.iter().all(is_refused));
        if wrote || look(&self.disk).commits != commits {
            self.auditor.fail("old_writer", "a process wrote after the next one had opened the store".to_owned());
        }
    }
}

/// Something that would be written at once.
fn ghostly_switch(changed_at: Timestamp) -> Switch {
    Switch { name: "nobody".into(), is_paused: true, reason: None, by: "ghost".into(), changed_at }
}
