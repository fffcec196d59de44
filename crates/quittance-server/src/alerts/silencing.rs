//! Silences, as operators make and lift them.

use crate::api::rows;
use quittance_core::alert::Silence;
use quittance_core::id::SilenceId;
use quittance_core::time::Timestamp;
use quittance_store::records::Entity;
use quittance_store::store::{Change, Loaded, Read, Store, StoreError, Work};
use quittance_store::tables::ALERT_SILENCES;

/// Keeps a silence.
///
/// # Errors
///
/// [`StoreError`]; nothing is silenced then.
pub fn silence(store: &mut dyn Store, silence: &Silence) -> Result<(), StoreError> {
    struct Keep<'a>(&'a Silence);
    impl Work for Keep<'_> {
        fn reads(&mut self, _: &Loaded) -> Vec<Read> {
            Vec::new()
        }

        fn decide(&mut self, _: &Loaded) -> Result<Vec<Change>, String> {
            Ok(vec![Change::Insert { table: &ALERT_SILENCES, row: self.0.to_row() }])
        }
    }
    store.transact("keeping a silence", &mut Keep(silence))
}

/// Lifts a silence: it ends now, if it has not ended. Gives it as it is then; none where there is no such silence.
///
/// # Errors
///
/// [`StoreError`]; it stays as it is then.
pub fn lift(store: &mut dyn Store, id: SilenceId, now: Timestamp) -> Result<Option<Silence>, StoreError> {
    struct Lift {
        id: SilenceId,
        now: Timestamp,
        lifted: Option<Silence>,
    }
    impl Work for Lift {
        fn reads(&mut self, _: &Loaded) -> Vec<Read> {
            vec![Read::Row { table: &ALERT_SILENCES, key: vec![self.id.bytes().into()] }]
        }

        fn decide(&mut self, loaded: &Loaded) -> Result<Vec<Change>, String> {
            let row = loaded.row(&ALERT_SILENCES, &vec![self.id.bytes().into()]).flatten();
            let silence = row.map(rows::entity::<Silence>).transpose().map_err(|error| error.to_string())?;
            self.lifted = silence.map(|silence| Silence { until: silence.until.min(self.now), ..silence });
            let changed = self.lifted.iter();
            Ok(changed.map(|silence| Change::Upsert { table: &ALERT_SILENCES, row: silence.to_row() }).collect())
        }
    }
    let mut work = Lift { id, now, lifted: None };
    store.transact("lifting a silence", &mut work)?;
    Ok(work.lifted)
}
