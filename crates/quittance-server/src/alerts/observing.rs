//! What is wrong at this moment, as it is kept.

use quittance_core::alert::{self, Alarm, Alert, Kind};
use quittance_core::time::Timestamp;
use quittance_store::records::Entity;
use quittance_store::store::{Change, Loaded, Read, Store, StoreError, Work};
use quittance_store::tables::ALERTS;
use quittance_store::value::Key;

/// Keeps what was judged about a subject: of the judged kinds those in `firing` fire, and the others are over. A kind that
/// fires is judged, whether it is named or not; of several alarms of one kind the most severe counts. What was not judged
/// stays as it is, so whoever could not look says nothing.
///
/// To be called each time something was judged, whatever came of it: nothing is told twice because it was said twice.
///
/// # Errors
///
/// [`StoreError`]; nothing is kept then. [`StoreError::Conflict`] where another process kept the first of these at the same
/// moment: what it said stands until the next call.
pub fn observe(
    store: &mut dyn Store,
    subject: &str,
    judged: &[Kind],
    firing: &[Alarm],
    now: Timestamp,
) -> Result<(), StoreError> {
    let mut kinds: Vec<Kind> = judged.iter().copied().chain(firing.iter().map(|alarm| alarm.kind)).collect();
    kinds.sort_unstable();
    kinds.dedup();
    if kinds.is_empty() {
        return Ok(());
    }
    let subject = alert::subject_of(subject);
    store.transact("keeping alerts", &mut Observing { subject, kinds, firing, now })
}

struct Observing<'a> {
    subject: String,
    kinds: Vec<Kind>,
    firing: &'a [Alarm],
    now: Timestamp,
}

impl Observing<'_> {
    fn key(&self, kind: Kind) -> Key {
        vec![self.subject.as_str().into(), kind.name().into()]
    }
}

impl Work for Observing<'_> {
    fn reads(&mut self, _: &Loaded) -> Vec<Read> {
        self.kinds.iter().map(|&kind| Read::Row { table: &ALERTS, key: self.key(kind) }).collect()
    }

    fn decide(&mut self, loaded: &Loaded) -> Result<Vec<Change>, String> {
        let mut changes = Vec::new();
        for &kind in &self.kinds {
            let row = loaded.row(&ALERTS, &self.key(kind)).flatten();
            let before = row.map(Alert::from_row).transpose().map_err(|error| error.to_string())?;
            let alarms = self.firing.iter().filter(|alarm| alarm.kind == kind);
            let firing = alarms.max_by_key(|alarm| alarm.severity);
            let Some(after) = alert::observe(&self.subject, kind, before.as_ref(), firing, self.now) else { continue };
            let (table, row) = (&ALERTS, after.to_row());
            // One that is new is inserted: it cannot have been locked, and somebody else may be first.
            changes.push(match before {
                Some(_) => Change::Upsert { table, row },
                None => Change::Insert { table, row },
            });
        }
        Ok(changes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::rows;
    use quittance_core::alert::{Severity, Standing};
    use quittance_store::memory::MemoryDatabase;
    use quittance_store::store::{Reader, Scan};

    fn alarm(kind: Kind, severity: Severity, what: &str) -> Alarm {
        let (subject, since) = ("somebody else".to_owned(), Timestamp(1));
        Alarm { kind, subject, severity, what: what.into(), count: 3, amounts: Vec::new(), since, link: None }
    }

    fn kept(store: &mut dyn Reader) -> Vec<(String, Kind, Standing, String)> {
        let alerts: Vec<Alert> = rows::page(store, &Scan::forward(&ALERTS, Vec::new(), 10)).expect("memory");
        alerts.into_iter().map(|alert| (alert.subject, alert.kind, alert.standing, alert.what)).collect()
    }

    #[test]
    fn what_was_judged_fires_or_is_over_and_what_was_not_stays() {
        let mut store = MemoryDatabase::new().writer();
        let drift = alarm(Kind::Drift, Severity::Warning, "388 differ");
        let worse = alarm(Kind::Drift, Severity::Critical, "388 differ, 2 of them paid");
        let shape = alarm(Kind::Shape, Severity::Warning, "a column is gone");
        let mut look = |judged: &[Kind], firing: &[Alarm], at| {
            observe(&mut store, "subscriptions", judged, firing, Timestamp(at)).expect("memory");
            kept(&mut store)
        };
        let row = |kind, standing, what: &str| ("subscriptions".to_owned(), kind, standing, what.to_owned());
        assert_eq!(look(&[Kind::Drift], &[], 5), [], "what is well is not kept");
        let (firing, open) = (&[drift.clone(), worse.clone(), shape], Standing::Open);
        let both = [row(Kind::Drift, open, &worse.what), row(Kind::Shape, open, "a column is gone")];
        assert_eq!(look(&[Kind::Drift], firing, 6), both);
        let both = [row(Kind::Drift, open, &drift.what), row(Kind::Shape, open, "a column is gone")];
        assert_eq!(look(&[Kind::Drift], &[drift], 7), both);
        assert_eq!(look(&[], &[], 8), both);
        let [drift, shape] = both;
        assert_eq!(look(&[Kind::Drift], &[], 9), [(drift.0, drift.1, Standing::Over, drift.3), shape]);
    }
}
