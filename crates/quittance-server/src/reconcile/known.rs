//! What was done about a record before, and what follows from it for a repair that would be planned now. Decides nothing of
//! values, and writes nothing.

use super::journal::{Kept, Repairs, run};
use super::plan::value_of;
use super::resume::is_not_again;
use super::{FLIPS_MAX, FLIPS_MS};
use quittance_core::pair::repair::Withheld;
use quittance_core::time::Timestamp;
use quittance_store::records::{RepairCause, RepairPlan, RepairState};
use quittance_store::store::StoreError;

/// Why a repair is not planned, by what was done about its record before. What somebody took back, and what may have been made and
/// is not to be twice, is made again only where the record `is_named`. `changing` is the column that every write of the record changes.
///
/// # Errors
///
/// [`StoreError`] when earlier repairs cannot be read.
pub(super) fn known(
    kept: &mut Repairs<'_>,
    plan: &RepairPlan,
    (is_named, changing): (bool, Option<&str>),
    now: Timestamp,
) -> Result<Option<Withheld>, StoreError> {
    let before = kept.of_record(plan)?;
    if let Some(why) = decided(plan, &before, changing) {
        return Ok(Some(why));
    }
    if is_flip_flop(plan, &before, now) {
        return Ok(Some(Withheld::FlipFlop));
    }
    if !is_named && is_perhaps_written(plan, &before) {
        return Ok(Some(Withheld::PerhapsWritten));
    }
    let is_taken_back = !is_named && is_taken_back(kept, plan, &before)?;
    Ok(is_taken_back.then_some(Withheld::TakenBack))
}

/// What a person has been asked about the same repair, and said. What came to nothing decided nothing.
fn decided(plan: &RepairPlan, before: &[Kept], changing: Option<&str>) -> Option<Withheld> {
    let plan = but_for(plan, changing);
    let is_same = |earlier: &&Kept| {
        let earlier = but_for(&earlier.plan, changing);
        earlier.set == plan.set && earlier.expected == plan.expected
    };
    let is_decision = |earlier: &&Kept| {
        is_made(earlier.state) || matches!(earlier.state, RepairState::AwaitingApproval | RepairState::Rejected)
    };
    match before.iter().filter(is_decision).find(is_same)?.state {
        RepairState::AwaitingApproval => Some(Withheld::Waits),
        RepairState::Rejected => Some(Withheld::Rejected),
        _ => None,
    }
}

/// A plan that does not say when the record was written last: that it was written is no difference where it says the same.
pub(super) fn but_for(plan: &RepairPlan, changing: Option<&str>) -> RepairPlan {
    let mut plan = plan.clone();
    plan.expected.retain(|(name, _)| changing.is_none_or(|changing| changing != name));
    plan
}

/// Whether the newest repairs of the record all gave it the same values, not long ago, and it has others again. Where the
/// believed side itself went to and fro, there are others between them.
fn is_flip_flop(plan: &RepairPlan, before: &[Kept], now: Timestamp) -> bool {
    let is_made = |earlier: &&Kept| matches!(earlier.state, RepairState::Repaired | RepairState::Altered);
    let newest: Vec<&Kept> = before.iter().filter(is_made).take(FLIPS_MAX).collect();
    let is_same = |earlier: &&Kept| earlier.plan.set == plan.set && now.ms_since(earlier.changed_at) < FLIPS_MS;
    newest.len() == FLIPS_MAX && newest.iter().all(is_same)
}

/// Whether a value that would be written in the place of another was sent so before, may have been carried out, and is not to be
/// twice: nothing was written to its column since.
fn is_perhaps_written(plan: &RepairPlan, before: &[Kept]) -> bool {
    plan.set.iter().any(|(column, value)| {
        let gives = |earlier: &&Kept| value_of(&earlier.plan.set, column).is_some();
        let newest = before.iter().filter(gives).find(|earlier| is_made(earlier.state) || is_not_again(earlier));
        newest.is_some_and(|newest| {
            is_not_again(newest)
                && value_of(&newest.plan.set, column) == Some(value)
                && value_of(&newest.plan.expected, column) == value_of(&plan.expected, column)
        })
    })
}

/// Whether a value that would be written was written before, and somebody took that back: nothing was written to its column
/// since. An undo that was taken back itself says nothing.
fn is_taken_back(kept: &mut Repairs<'_>, plan: &RepairPlan, before: &[Kept]) -> Result<bool, StoreError> {
    for (column, value) in &plan.set {
        let gives = |earlier: &Kept| earlier.plan.set.iter().any(|(name, _)| name == column);
        let Some(newest) = before.iter().find(|earlier| is_made(earlier.state) && gives(earlier)) else { continue };
        let Some(undoes) = kept.with(|store| run(store, newest.run))?.and_then(|run| run.undoes) else { continue };
        let was_given = |earlier: &&Kept| {
            earlier.run == undoes && earlier.plan.set.iter().any(|(name, given)| name == column && given == value)
        };
        if !before.iter().any(|earlier| was_given(&earlier)) {
            continue;
        }
        let undone = kept.with(|store| run(store, undoes))?;
        if undone.is_some_and(|run| run.cause != RepairCause::Undo) {
            return Ok(true);
        }
    }
    Ok(false)
}

const fn is_made(state: RepairState) -> bool {
    matches!(state, RepairState::Repaired | RepairState::Already | RepairState::Altered | RepairState::Undone)
}

#[cfg(test)]
mod tests {
    use super::super::journal::Settled;
    use super::super::resume::perhaps;
    use super::*;
    use quittance_core::id::RunId;
    use quittance_core::record::value::Value;
    use quittance_store::memory::MemoryDatabase;
    use quittance_store::records::RepairRun;

    const NOW: Timestamp = Timestamp(1_700_000_000_000_000);

    /// A repair that gives an account its status.
    fn plan(from: &'static str, to: &'static str) -> RepairPlan {
        let columns = |status: &'static str| vec![("status".to_owned(), Value::text(status))];
        RepairPlan {
            system: "app".into(),
            object: "accounts".into(),
            side: "left".into(),
            key: "sub_1".into(),
            identity: vec![("id".into(), Value::integer(1))],
            expected: columns(from),
            set: columns(to),
            takes_away: false,
            place: None,
        }
    }

    /// Keeps a run of one repair; with what it takes back, and what became of it.
    fn keep(repairs: &mut Repairs<'_>, (id, undoes): (u8, Option<u8>), plan: &RepairPlan, state: RepairState) {
        let run = |id: u8| RunId::from_bytes([id; 16]);
        let cause = undoes.map_or(RepairCause::Reconcile, |_| RepairCause::Undo);
        let (pair, by) = (repairs.pair.clone(), "operator".to_owned());
        let (undoes, started_at) = (undoes.map(run), NOW);
        let of = RepairRun { id: run(id), pair, cause, undoes, by, started_at, repairs: 1, source: None };
        let from = match state {
            RepairState::AwaitingApproval | RepairState::Rejected => RepairState::AwaitingApproval,
            _ => RepairState::Planned,
        };
        repairs.begin(&of, &[(from, plan.clone())]).expect("kept");
        let mut settled = vec![Settled { run: of.id, no: 0, from, to: state, detail: None }];
        if let (Some(run), RepairState::Repaired) = (undoes, state) {
            let (from, to) = (RepairState::Repaired, RepairState::Undone);
            settled.push(Settled { run, no: 0, from, to, detail: None });
        }
        settled.retain(|one| one.from != one.to);
        repairs.settle(&settled, "operator", NOW).expect("kept");
    }

    #[test]
    fn what_was_taken_back_is_not_made_again_until_something_else_was_or_somebody_names_it() {
        let mut store = MemoryDatabase::new().writer();
        let mut repairs = Repairs::new(&mut store, "accounts");
        let (there, back) = (plan("active", "past_due"), plan("past_due", "active"));
        let why = |repairs: &mut Repairs<'_>, plan: &RepairPlan, is_named| {
            known(repairs, plan, (is_named, Some("updated_at")), NOW).expect("read")
        };
        keep(&mut repairs, (1, None), &there, RepairState::Repaired);
        assert_eq!(why(&mut repairs, &there, false), None);
        keep(&mut repairs, (2, Some(1)), &back, RepairState::Repaired);
        assert_eq!(why(&mut repairs, &there, false), Some(Withheld::TakenBack));
        assert_eq!(why(&mut repairs, &there, true), None, "somebody names the record");
        assert_eq!(why(&mut repairs, &plan("active", "cancelled"), false), None, "it is given something else");
        let wider = [("plan".to_owned(), Value::text("team"))].into_iter().chain(there.set.clone()).collect();
        let wider = RepairPlan { set: wider, ..there.clone() };
        assert_eq!(why(&mut repairs, &wider, false), Some(Withheld::TakenBack), "with another column beside it");
        // What came to nothing changes nothing.
        keep(&mut repairs, (3, None), &there, RepairState::Moved);
        assert_eq!(why(&mut repairs, &there, false), Some(Withheld::TakenBack));
        // Who takes the undo back wants it as it was repaired, and said nothing of what it was before.
        keep(&mut repairs, (4, Some(2)), &there, RepairState::Repaired);
        assert_eq!((why(&mut repairs, &there, false), why(&mut repairs, &back, false)), (None, None));
        keep(&mut repairs, (5, Some(4)), &back, RepairState::Repaired);
        keep(&mut repairs, (6, None), &plan("active", "cancelled"), RepairState::Repaired);
        assert_eq!(why(&mut repairs, &there, false), None, "it was given something else since");
    }

    /// Keeps a run of one repair, which may have been carried out and is not to be twice.
    fn keep_perhaps(repairs: &mut Repairs<'_>, id: u8, plan: &RepairPlan) {
        let (run, cause) = (RunId::from_bytes([id; 16]), RepairCause::Reconcile);
        let (pair, by) = (repairs.pair.clone(), "operator".to_owned());
        let of = RepairRun { id: run, pair, cause, undoes: None, by, started_at: NOW, repairs: 1, source: None };
        repairs.begin(&of, &[(RepairState::Planned, plan.clone())]).expect("kept");
        let detail = Some(format!("{}: status = active", perhaps(false)));
        let settled = Settled { run, no: 0, from: RepairState::Planned, to: RepairState::Moved, detail };
        repairs.settle(&[settled], "operator", NOW).expect("kept");
    }

    #[test]
    fn what_may_have_been_made_and_is_not_to_be_twice_is_made_when_somebody_names_it() {
        let mut store = MemoryDatabase::new().writer();
        let mut repairs = Repairs::new(&mut store, "accounts");
        let sent = plan("active", "past_due");
        let why = |repairs: &mut Repairs<'_>, plan: &RepairPlan, is_named| {
            known(repairs, plan, (is_named, Some("updated_at")), NOW).expect("read")
        };
        keep_perhaps(&mut repairs, 1, &at(&sent, 1));
        for at in [at(&sent, 1), at(&sent, 2)] {
            assert_eq!(why(&mut repairs, &at, false), Some(Withheld::PerhapsWritten), "whenever it was written last");
        }
        assert_eq!(why(&mut repairs, &sent, true), None, "somebody names the record");
        let column = |name: &str, value: &'static str| (name.to_owned(), Value::text(value));
        let mut wider = sent.clone();
        wider.expected.push(column("plan", "basic"));
        wider.set.push(column("plan", "team"));
        assert_eq!(why(&mut repairs, &wider, false), Some(Withheld::PerhapsWritten), "with another column beside it");
        assert_eq!(why(&mut repairs, &plan("active", "cancelled"), false), None, "it is given something else");
        assert_eq!(why(&mut repairs, &plan("trialing", "past_due"), false), None, "it holds something else");
        // What came to nothing changes nothing; what is made does.
        keep(&mut repairs, (2, None), &sent, RepairState::Abandoned);
        assert_eq!(why(&mut repairs, &sent, false), Some(Withheld::PerhapsWritten));
        keep(&mut repairs, (3, None), &sent, RepairState::Repaired);
        assert_eq!(why(&mut repairs, &sent, false), None);
    }

    /// The same at another time of the last change.
    fn at(plan: &RepairPlan, changed_at: i64) -> RepairPlan {
        let time = ("updated_at".to_owned(), Value::integer(changed_at));
        RepairPlan { expected: plan.expected.iter().cloned().chain([time]).collect(), ..plan.clone() }
    }

    #[test]
    fn what_a_person_was_asked_is_known_however_often_the_record_is_written() {
        let mut store = MemoryDatabase::new().writer();
        let mut repairs = Repairs::new(&mut store, "accounts");
        let asked = plan("active", "cancelled");
        let why = |repairs: &mut Repairs<'_>, plan: &RepairPlan| {
            known(repairs, plan, (false, Some("updated_at")), NOW).expect("read")
        };
        keep(&mut repairs, (1, None), &at(&asked, 1), RepairState::AwaitingApproval);
        assert_eq!(why(&mut repairs, &at(&asked, 2)), Some(Withheld::Waits));
        assert_eq!(why(&mut repairs, &at(&plan("active", "past_due"), 2)), None, "another is another");
        assert_eq!(why(&mut repairs, &at(&plan("past_due", "cancelled"), 2)), None, "over something else");
        // Another one is planned: the first is not asked about any more.
        keep(&mut repairs, (2, None), &at(&plan("active", "past_due"), 2), RepairState::AwaitingApproval);
        let second = repairs.of_run(RunId::from_bytes([2; 16])).expect("read");
        repairs.supersede(&second, "operator", NOW).expect("kept");
        let first = repairs.of_run(RunId::from_bytes([1; 16])).expect("read").remove(0);
        let detail = format!("superseded by run {}", second[0].run);
        assert_eq!((first.state, first.detail), (RepairState::Moved, Some(detail)));
        assert_eq!(repairs.of_run(second[0].run).expect("read")[0].state, RepairState::AwaitingApproval);
        assert_eq!(why(&mut repairs, &at(&asked, 3)), None, "it came to nothing");
        // What was rejected stays so, whatever became of the record in between.
        keep(&mut repairs, (3, None), &at(&asked, 3), RepairState::Rejected);
        keep(&mut repairs, (4, None), &at(&plan("active", "past_due"), 4), RepairState::Repaired);
        assert_eq!(why(&mut repairs, &at(&asked, 5)), Some(Withheld::Rejected));
        keep(&mut repairs, (5, None), &at(&asked, 5), RepairState::Repaired);
        assert_eq!(why(&mut repairs, &at(&asked, 6)), None, "it was made since");
    }
}
