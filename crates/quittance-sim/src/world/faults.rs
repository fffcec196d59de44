//! Faults as they begin and end. What they do to a message is the network's.

use super::{Event, World};
use crate::plan::{Point, Trouble};
use crate::store::look;
use quittance_engine::recovery::begin_recovery;

impl World {
    pub(super) fn begin_fault(&mut self, at: usize) {
        let fault = self.plan.faults[at].what.clone();
        self.tell(&[2], || format!("fault: {fault:?}"));
        match fault {
            Trouble::Strike { gateway, on, blow, count } => {
                self.ways[gateway as usize].strikes.push((on, blow, count));
            }
            Trouble::Cut { gateway, for_ms, is_refused } => {
                self.ways[gateway as usize].cut = Some((self.clock.now_ms + for_ms, is_refused));
            }
            Trouble::LoseAnswers { count } => self.clients.lose_answers += count,
            Trouble::Crash { point: Point::Anytime, away_ms, does_boot, .. } => {
                self.next_absence = (away_ms, does_boot);
                if self.process.is_some() {
                    look(&self.disk).died_at = Some(Point::Anytime);
                    self.bury("at no particular moment");
                }
            }
            Trouble::Crash { point, pass, away_ms, does_boot } => {
                self.next_absence = (away_ms, does_boot);
                look(&self.disk).crashes.push((point, pass.max(1)));
            }
            Trouble::Store { failure, count } => look(&self.disk).failures.push((failure, count)),
            // A clock that is set while its machine is off: nobody can tell.
            Trouble::SetClock { .. } if self.is_off => {}
            Trouble::SetClock { by_ms } => self.set_clock(by_ms),
            Trouble::Stall { for_ms } => {
                self.struck("stall");
                self.stalled_until = self.clock.now_ms + for_ms;
            }
            Trouble::AtStep { step, fault } => look(&self.disk).steps.aim(step, fault),
            Trouble::Backup => self.backup = Some((self.database.backup(), self.clock.wall())),
            Trouble::Restore => self.restore(),
            Trouble::Webhooks { gateway, blow, count } => self.ways[gateway as usize].webhooks.push((blow, count)),
        }
    }

    /// Everything since the backup is forgotten, and whoever starts next is told.
    fn restore(&mut self) {
        let Some((database, taken_at)) = self.backup.take() else { return };
        if self.process.is_some() {
            self.bury("with its data");
        }
        self.struck("restored");
        self.database = database;
        look(&self.disk).forget_due();
        self.auditor.restored();
        let begun = begin_recovery(&mut self.database.writer(), taken_at);
        begun.expect("a database in memory can be written to");
    }

    fn set_clock(&mut self, by_ms: i64) {
        self.clock.ahead_ms += by_ms;
        self.struck(if by_ms < 0 { "clock_back" } else { "clock_ahead" });
        // What is due by the new clock may be due sooner than was thought.
        self.turn_in(0);
    }

    /// Faults end, and everything is left to itself.
    pub(super) fn calm_down(&mut self) {
        self.tell(&[3], || "faults end".to_owned());
        for way in &mut self.ways {
            way.strikes.clear();
            way.webhooks.clear();
            way.cut = None;
        }
        {
            let mut disk = look(&self.disk);
            disk.crashes.clear();
            disk.failures.clear();
        }
        self.clients.lose_answers = 0;
        if self.clock.ahead_ms != 0 {
            self.set_clock(-self.clock.ahead_ms);
        }
        self.is_calm = true;
        self.resume_all();
        self.after(1_000, Event::Start);
        self.after(3_600_000, Event::Check);
    }

    /// Operators let everything go on.
    pub(crate) fn resume_all(&mut self) {
        for gateway in 0..self.gateways.len() {
            self.pause(gateway, false);
        }
    }

    /// Whether faults have ended.
    pub(crate) const fn is_calm(&self) -> bool {
        self.is_calm
    }
}
