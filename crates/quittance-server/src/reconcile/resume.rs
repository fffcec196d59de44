//! Finding out what became of repairs whose process ended before it could say so. Nothing is written: what was not done is
//! for the next comparison to decide anew.

use super::apply::{WriteError, Writers, batches, beside, id, write};
use super::journal::{Kept, Repairs, Settled};
use super::plan::side_of;
use crate::systems::SystemError;
use crate::systems::write::{LOCKED, Stand, Write};
use quittance_core::record::value::Value;
use quittance_store::records::RepairState;
use std::time::Duration;

/// What is kept of a repair that was found to be so: who wrote it cannot be told from what the record holds.
const SEEN: &str = "found so after the process that began it had ended";

/// What is kept of one whose record holds something else by now.
pub(super) const PERHAPS: &str = "perhaps after it had been written";

/// The same of one that is not decided anew before a person names its record: what sending it twice does is not known.
const NOT_AGAIN: &str = "perhaps after it had been written, and not sent again by itself";

/// Portions that are looked at before somebody has to ask again.
const PORTIONS_MAX: usize = 10_000;

/// Settles what earlier processes of the pair had planned; gives it with what became of it, and why that is not known of
/// others. A repair of a process that is alive may be among it: what that process knows counts more than what was seen here.
///
/// # Errors
///
/// [`WriteError`] when it cannot be kept: what is left stays planned.
pub fn resume(
    repairs: &mut Repairs<'_>,
    writers: &mut Writers<'_>,
) -> Result<(Vec<Kept>, Option<WriteError>), WriteError> {
    let (mut settled, mut rested) = (Vec::new(), Duration::ZERO);
    for _ in 0..PORTIONS_MAX {
        let left_over = repairs.left_over()?;
        if left_over.is_empty() {
            break;
        }
        match look(repairs, left_over, writers, (&mut settled, &mut rested)) {
            Ok(None) => {}
            Ok(unknown) => return Ok((settled, unknown)),
            Err(error @ WriteError::System { .. }) => return Ok((settled, Some(error))),
            Err(error) => return Err(error),
        }
    }
    Ok((settled, None))
}

/// Whether a repair that was not made may have been, all the same, before somebody else changed the record.
pub(super) fn is_perhaps_written(repair: &Kept) -> bool {
    repair.detail.as_deref().is_some_and(|detail| detail.starts_with(PERHAPS))
}

/// What the detail of a repair begins with that may have been made.
pub(super) const fn perhaps(may_decide_anew: bool) -> &'static str {
    if may_decide_anew { PERHAPS } else { NOT_AGAIN }
}

/// Whether it is for a person to say that what this repair was to write is sent again.
pub(super) fn is_not_again(repair: &Kept) -> bool {
    repair.detail.as_deref().is_some_and(|detail| detail.starts_with(NOT_AGAIN))
}

/// Looks at a portion, and settles what is found out. Says why something was not: somebody holds the record, who may commit yet.
/// `rested` is how long was waited already for what nobody sends any more and may be on its way.
fn look(
    repairs: &mut Repairs<'_>,
    mut left_over: Vec<Kept>,
    writers: &mut Writers<'_>,
    (settled, rested): (&mut Vec<Kept>, &mut Duration),
) -> Result<Option<WriteError>, WriteError> {
    let all: Vec<usize> = (0..left_over.len()).collect();
    let mut unknown = None;
    for batch in batches(&left_over, &all) {
        let first = &left_over[batch[0]].plan;
        let (system, object, side) = (first.system.clone(), first.object.clone(), side_of(first));
        let fails = |source| WriteError::System { system: system.clone(), source };
        let writes: Vec<Write> =
            batch.iter().map(|at| write(&side, &left_over[*at].plan, id(&left_over[*at]))).collect();
        let mut writer = (writers.open)(first).map_err(fails)?;
        let (lingers, may_decide_anew) = (writer.lingers(), writer.may_decide_anew(&object));
        let mut look = || writer.stand_still(&object, &side, &writes);
        let mut stands = look().map_err(|source| repairs.failed(&system, source))?;
        let rest = lingers.saturating_sub(*rested);
        if !rest.is_zero() && stands.contains(&Some(Stand::AsExpected)) {
            repairs.rest(rest)?;
            *rested += rest;
            stands = look().map_err(|source| repairs.failed(&system, source))?;
        }
        let (mut outcomes, mut held) = (Vec::new(), 0);
        for (at, stand) in batch.iter().zip(stands) {
            let Some(stand) = stand else {
                held += 1;
                continue;
            };
            let one = &mut left_over[*at];
            (one.state, one.detail) = outcome(one, stand, may_decide_anew);
            let (from, detail) = (RepairState::Planned, one.detail.clone());
            outcomes.push(Settled { run: one.run, no: one.no, from, to: one.state, detail });
            if one.state == RepairState::Repaired
                && let Some((run, no)) = repairs.undone_by(one)?
            {
                let (from, to) = (RepairState::Repaired, RepairState::Undone);
                outcomes.push(Settled { run, no, from, to, detail: None });
            }
        }
        repairs.settle(&outcomes, writers.by, (writers.now)())?;
        settled.extend(batch.iter().map(|at| &left_over[*at]).filter(|one| one.state != RepairState::Planned).cloned());
        if held > 0 {
            unknown.get_or_insert_with(|| fails(still_held(&system, &object, held)));
        }
    }
    Ok(unknown)
}

/// What became of a repair whose record stands so.
fn outcome(one: &Kept, stand: Stand, may_decide_anew: bool) -> (RepairState, Option<String>) {
    let expected = &one.plan.expected;
    let moved = |now: &[Value<'static>]| {
        (RepairState::Moved, Some(format!("{}: {}", perhaps(may_decide_anew), beside(expected, now))))
    };
    match stand {
        Stand::AsExpected if !may_decide_anew => {
            moved(&expected.iter().map(|(_, value)| value.clone()).collect::<Vec<_>>())
        }
        Stand::Already => (RepairState::Repaired, Some(SEEN.to_owned())),
        Stand::AsExpected => (RepairState::Abandoned, None),
        Stand::Moved { now } => moved(&now),
        Stand::Gone => (RepairState::Gone, None),
    }
}

/// What is said of records that somebody holds.
fn still_held(system: &str, object: &str, held: usize) -> SystemError {
    let what = format!("{held} records of `{object}` of the system `{system}` are {LOCKED}, which may commit yet");
    SystemError::outside(what, "run it again when that has ended, which finds out")
}

#[cfg(test)]
mod tests {
    use super::super::apply::carry_out;
    use super::*;
    use crate::systems::sqlite::SqliteWriter;
    use crate::systems::write::{WriteOptions, Writer, Written};
    use quittance_core::id::RunId;
    use quittance_core::pair::Side;
    use quittance_core::time::Timestamp;
    use quittance_store::memory::MemoryDatabase;
    use quittance_store::records::{RepairCause, RepairPlan, RepairRun};
    use rusqlite::Connection;
    use std::path::{Path, PathBuf};

    fn plan() -> RepairPlan {
        let column = |name: &str, value: &'static str| vec![(name.to_owned(), Value::text(value))];
        RepairPlan {
            system: "app".into(),
            object: "a".into(),
            side: "left".into(),
            key: "1".into(),
            identity: vec![("id".into(), Value::integer(1))],
            expected: column("v", "old"),
            set: column("v", "new"),
            takes_away: false,
            place: None,
        }
    }

    fn begun(repairs: &mut Repairs<'_>) -> RunId {
        let (id, at, cause) = (RunId::from_bytes([7; 16]), Timestamp(1), RepairCause::Reconcile);
        let (pair, by) = ("accounts".to_owned(), "one".to_owned());
        let run = RepairRun { id, pair, cause, undoes: None, by, started_at: at, repairs: 1, source: None };
        repairs.begin(&run, &[(RepairState::Planned, plan())]).expect("it is kept");
        id
    }

    /// A system without locks: what its dead writer sent is carried out just after the first look.
    struct Late {
        inner: SqliteWriter,
        path: PathBuf,
    }

    impl Writer for Late {
        fn stand(&mut self, object: &str, side: &Side, writes: &[Write]) -> Result<Vec<Stand>, SystemError> {
            let stands = self.inner.stand(object, side, writes);
            let other = Connection::open(&self.path).expect("a database");
            other.execute_batch("UPDATE a SET v = 'new' WHERE id = 1").expect("it is written");
            stands
        }

        fn lingers(&self) -> Duration {
            Duration::from_millis(1)
        }

        fn write(&mut self, _: &str, _: &Side, _: &[Write]) -> Result<Vec<Written>, SystemError> {
            panic!("nothing is written when it is looked what became of it")
        }
    }

    #[test]
    fn what_may_be_carried_out_yet_is_not_called_abandoned() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("app.db");
        let rows = "CREATE TABLE a (id INTEGER PRIMARY KEY, v TEXT); INSERT INTO a VALUES (1, 'old')";
        Connection::open(&path).expect("a database").execute_batch(rows).expect("rows");
        let mut store = MemoryDatabase::new().writer();
        let mut repairs = Repairs::new(&mut store, "accounts");
        begun(&mut repairs);
        let mut open = |_: &RepairPlan| {
            let inner = SqliteWriter::open("app", &path, Duration::ZERO, WriteOptions::default())?;
            Ok(Box::new(Late { inner, path: path.clone() }) as Box<dyn Writer>)
        };
        let mut writers = Writers { open: &mut open, now: &|| Timestamp(2), by: "two" };
        let (settled, unknown) = resume(&mut repairs, &mut writers).expect("it is kept");
        assert!(unknown.is_none());
        assert_eq!(settled.iter().map(|one| one.state).collect::<Vec<_>>(), [RepairState::Repaired]);
    }

    /// A system of which nobody knows what else a write does, and that never answers.
    struct Mute(SqliteWriter);

    impl Writer for Mute {
        fn stand(&mut self, object: &str, side: &Side, writes: &[Write]) -> Result<Vec<Stand>, SystemError> {
            self.0.stand(object, side, writes)
        }

        fn may_decide_anew(&self, _: &str) -> bool {
            false
        }

        fn writes_at_once(&self) -> usize {
            1
        }

        fn write(&mut self, _: &str, _: &Side, _: &[Write]) -> Result<Vec<Written>, SystemError> {
            Err(SystemError::outside("it does not answer", ""))
        }
    }

    #[test]
    fn what_may_not_be_sent_twice_waits_for_a_person_and_what_was_not_sent_does_not() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("app.db");
        let rows = "CREATE TABLE a (id INTEGER PRIMARY KEY, v TEXT); INSERT INTO a VALUES (1, 'old'), (2, 'old')";
        Connection::open(&path).expect("a database").execute_batch(rows).expect("rows");
        let mut store = MemoryDatabase::new().writer();
        let mut repairs = Repairs::new(&mut store, "accounts");
        let (id, at, cause) = (RunId::from_bytes([7; 16]), Timestamp(1), RepairCause::Reconcile);
        let (pair, by) = ("accounts".to_owned(), "one".to_owned());
        let run = RepairRun { id, pair, cause, undoes: None, by, started_at: at, repairs: 2, source: None };
        let other = RepairPlan { key: "2".into(), identity: vec![("id".into(), Value::integer(2))], ..plan() };
        let plans = [plan(), other].map(|plan| (RepairState::Planned, plan));
        let mut kept = repairs.begin(&run, &plans).expect("it is kept");
        let mut open = |_: &RepairPlan| {
            let inner = SqliteWriter::open("app", &path, Duration::ZERO, WriteOptions::default())?;
            Ok(Box::new(Mute(inner)) as Box<dyn Writer>)
        };
        let mut writers = Writers { open: &mut open, now: &|| Timestamp(2), by: "one" };
        let failed = carry_out(&mut repairs, &mut kept, None, &mut writers);
        assert!(matches!(failed, Err(WriteError::System { .. })), "{failed:?}");
        let states = |repairs: &mut Repairs<'_>| {
            let kept = repairs.of_run(id).expect("readable");
            kept.iter().map(|one| (one.state, one.detail.clone())).collect::<Vec<_>>()
        };
        // Only the first was sent.
        let abandoned = (RepairState::Abandoned, None);
        assert_eq!(states(&mut repairs), [(RepairState::Planned, None), abandoned.clone()]);
        let (settled, unknown) = resume(&mut repairs, &mut writers).expect("it is kept");
        assert!(unknown.is_none() && settled.iter().all(|one| is_not_again(one) && is_perhaps_written(one)));
        let detail = "perhaps after it had been written, and not sent again by itself: v = old".to_owned();
        assert_eq!(states(&mut repairs), [(RepairState::Moved, Some(detail)), abandoned]);
    }

    fn look_again(repairs: &mut Repairs<'_>, path: &Path) -> (Vec<RepairState>, Option<WriteError>) {
        let mut open = |_: &RepairPlan| {
            let writer = SqliteWriter::open("app", path, Duration::ZERO, WriteOptions::default())?;
            Ok(Box::new(writer) as Box<dyn Writer>)
        };
        let mut writers = Writers { open: &mut open, now: &|| Timestamp(2), by: "two" };
        let (settled, unknown) = resume(repairs, &mut writers).expect("it is kept");
        (settled.iter().map(|one| one.state).collect(), unknown)
    }

    #[test]
    fn what_may_be_committed_yet_stays_planned_until_it_is() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("app.db");
        let other = Connection::open(&path).expect("a database");
        let rows = "CREATE TABLE a (id INTEGER PRIMARY KEY, v TEXT); INSERT INTO a VALUES (1, 'old')";
        // Readers see what was committed last while somebody writes.
        other.execute_batch(&format!("PRAGMA journal_mode = WAL; {rows}")).expect("rows");
        let mut store = MemoryDatabase::new().writer();
        let mut repairs = Repairs::new(&mut store, "accounts");
        let id = begun(&mut repairs);
        // Who began it wrote, and comes to the commit only after somebody else has looked.
        other.execute_batch("BEGIN IMMEDIATE; UPDATE a SET v = 'new' WHERE id = 1").expect("it is written");
        let (settled, unknown) = look_again(&mut repairs, &path);
        assert!(settled.is_empty() && matches!(unknown, Some(WriteError::System { .. })), "{settled:?}, {unknown:?}");
        assert_eq!(repairs.of_run(id).expect("readable")[0].state, RepairState::Planned);
        other.execute_batch("COMMIT").expect("it is committed");
        let (settled, unknown) = look_again(&mut repairs, &path);
        assert!(settled == [RepairState::Repaired] && unknown.is_none(), "{settled:?}, {unknown:?}");
    }
}
