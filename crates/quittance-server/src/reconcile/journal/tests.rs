//! What became of repairs, by whom it is said, and in which order.

use super::super::apply::{Writers, carry_out};
use super::*;
use crate::systems::SystemError;
use crate::systems::write::{Stand, Write, Writer, Written};
use quittance_core::pair::Side;
use quittance_store::memory::MemoryDatabase;
use quittance_store::records::RepairCause;

#[test]
fn who_wrote_knows_more_than_who_looked() {
    use RepairState::{Abandoned, Altered, Moved, Planned, Refused, Repaired, Undone};
    for (first, second, stays) in [
        (Abandoned, Repaired, Repaired),
        (Refused, Repaired, Repaired),
        (Moved, Altered, Altered),
        (Repaired, Moved, Repaired),
        (Repaired, Abandoned, Repaired),
        (Undone, Repaired, Undone),
    ] {
        let mut store = MemoryDatabase::new().writer();
        let mut repairs = Repairs::new(&mut store, "accounts");
        let (id, at) = (RunId::from_bytes([7; 16]), Timestamp(1));
        let cause = RepairCause::Reconcile;
        let (pair, by) = ("accounts".to_owned(), "operator".to_owned());
        let run = RepairRun { id, pair, cause, undoes: None, by, started_at: at, repairs: 1, source: None };
        let plan = RepairPlan {
            system: "app".into(),
            object: "accounts".into(),
            side: "left".into(),
            key: "1".into(),
            identity: Vec::new(),
            expected: Vec::new(),
            set: Vec::new(),
            takes_away: false,
            place: None,
        };
        repairs.begin(&run, &[(Planned, plan)]).expect("it is kept");
        let settled = |to| Settled { run: id, no: 0, from: Planned, to, detail: None };
        // Both found it planned; the second comes later.
        repairs.settle(&[settled(first)], "one", at).expect("it is kept");
        let is_kept = repairs.settle(&[settled(second)], "two", at).expect("it is kept");
        assert_eq!(repairs.of_run(id).expect("readable")[0].state, stays, "{first:?}, then {second:?}");
        assert_eq!(is_kept, [stays == second]);
    }
}

const PAIR: &str = "accounts";

fn a_run(no: u8) -> RepairRun {
    let (pair, by) = (PAIR.to_owned(), "operator".to_owned());
    let (id, cause) = (RunId::from_bytes([no; 16]), RepairCause::Reconcile);
    RepairRun { id, pair, cause, undoes: None, by, started_at: Timestamp(1), repairs: 2, source: None }
}

fn of_record(key: &str) -> RepairPlan {
    let (system, object, side) = ("app".to_owned(), "accounts".to_owned(), "left".to_owned());
    let (identity, expected, set) = (Vec::new(), Vec::new(), Vec::new());
    RepairPlan { system, object, side, key: key.into(), identity, expected, set, takes_away: false, place: None }
}

/// Takes the lease of the pair for somebody, as the one after `epoch`.
fn take_over(store: &mut dyn Store, owner: &str, epoch: i64) -> Guard {
    let taken = update(store, PAIR, |state| {
        (state.lease_owner, state.lease_epoch) = (Some(owner.to_owned()), epoch);
    });
    taken.expect("it is taken");
    Guard::of(owner, epoch)
}

fn under<'s>(store: &'s mut dyn Store, guard: &Guard) -> Repairs<'s> {
    Repairs { place: Place::Open(store), pair: PAIR.to_owned(), guard: Some(guard.clone()) }
}

#[test]
fn what_was_written_is_kept_after_the_lease_was_lost_and_nothing_is_begun_or_decided() {
    use RepairState::{Abandoned, AwaitingApproval, Moved, Planned, Rejected, Repaired};
    let mut store = MemoryDatabase::new().writer();
    let (run, at) = (a_run(7), Timestamp(1));
    let settled = |no, from, to| Settled { run: run.id, no, from, to, detail: None };
    let first = take_over(&mut store, "one", 1);
    let plans = [(Planned, of_record("1")), (Planned, of_record("2")), (AwaitingApproval, of_record("3"))];
    under(&mut store, &first).begin(&run, &plans).expect("it is kept");
    // Another has the lease, and found the first as it was before: the commit came after that.
    let second = take_over(&mut store, "two", 2);
    let looked = under(&mut store, &second).settle(&[settled(0, Planned, Abandoned)], "two", at);
    assert_eq!(looked.expect("it is kept"), [true]);
    let mut lost = under(&mut store, &first);
    let written = [settled(0, Planned, Repaired), settled(1, Planned, Moved)];
    assert_eq!(lost.settle(&written, "one", at).expect("what was written is kept"), [true, true]);
    // Taken back by an undo whose lease was lost, which is written too.
    assert_eq!(lost.settle(&[settled(0, Repaired, RepairState::Undone)], "one", at).expect("it is kept"), [true]);
    for decided in [Planned, Rejected, Moved] {
        let refused = lost.settle(&[settled(2, AwaitingApproval, decided)], "one", at);
        assert!(refused.is_err_and(|error| error.to_string().contains("lost to two")), "{decided:?}");
    }
    assert!(lost.begin(&a_run(8), &plans).is_err_and(|error| error.to_string().contains("lost to two")));
    assert!(matches!(lost.may_go_on(), Err(WriteError::Stopped(Why::Lost(_)))));
    let states: Vec<_> = lost.of_run(run.id).expect("readable").iter().map(|one| one.state).collect();
    assert_eq!(states, [RepairState::Undone, Moved, AwaitingApproval]);
    let decided = under(&mut store, &second).settle(&[settled(2, AwaitingApproval, Rejected)], "two", at);
    assert_eq!(decided.expect("it is kept"), [true]);
}

/// Writes a record at a time, and somebody pauses the pair meanwhile.
struct OneByOne(std::sync::Arc<super::super::halt::Halt>);

impl Writer for OneByOne {
    fn stand(&mut self, _: &str, _: &Side, _: &[Write]) -> Result<Vec<Stand>, SystemError> {
        Ok(Vec::new())
    }

    fn writes_at_once(&self) -> usize {
        1
    }

    fn write(&mut self, _: &str, _: &Side, writes: &[Write]) -> Result<Vec<Written>, SystemError> {
        self.0.stop(Why::Paused("for lunch".into()));
        Ok(vec![Written::Done; writes.len()])
    }
}

#[test]
fn a_pause_is_noticed_between_the_portions_of_a_batch() {
    let mut store = MemoryDatabase::new().writer();
    let guard = take_over(&mut store, "one", 1);
    let halt = std::sync::Arc::clone(&guard.halt);
    let mut repairs = under(&mut store, &guard);
    let plans = ["1", "2", "3"].map(|key| (RepairState::Planned, of_record(key)));
    let mut kept = repairs.begin(&a_run(7), &plans).expect("it is kept");
    let mut open = |_: &RepairPlan| Ok(Box::new(OneByOne(std::sync::Arc::clone(&halt))) as Box<dyn Writer>);
    let mut writers = Writers { open: &mut open, now: &|| Timestamp(2), by: "one" };
    let ended = carry_out(&mut repairs, &mut kept, None, &mut writers);
    assert!(matches!(ended, Err(WriteError::Stopped(Why::Paused(_)))), "{ended:?}");
    let states: Vec<_> = repairs.of_run(a_run(7).id).expect("readable").iter().map(|one| one.state).collect();
    assert_eq!(states, [RepairState::Repaired, RepairState::Planned, RepairState::Planned]);
}
