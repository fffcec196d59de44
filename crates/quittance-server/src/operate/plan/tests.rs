//! What operators' commands come to, before anything is carried out.

use super::{Operation, Plan, PlanError, plan};
use quittance_core::time::Timestamp;
use quittance_engine::submission::Submission;
use quittance_store::memory::MemoryDatabase;
use quittance_store::records::{Entity, Switch};
use quittance_store::store::{Change, Loaded, Read, Store, Work};
use quittance_store::tables::SWITCHES;
use std::collections::BTreeSet;

/// Writes a switch.
struct Put(Switch);

impl Work for Put {
    fn reads(&mut self, _: &Loaded) -> Vec<Read> {
        Vec::new()
    }

    fn decide(&mut self, _: &Loaded) -> Result<Vec<Change>, String> {
        Ok(vec![Change::Upsert { table: &SWITCHES, row: self.0.to_row() }])
    }
}

/// A restore counts as recovered from where the recovery began after it. An operator's machine whose clock is ahead must not
/// make the next restore one of those.
#[test]
fn a_recovery_that_an_operator_ends_keeps_when_it_began() {
    let database = MemoryDatabase::new();
    let (reason, by, changed_at) = (None, "restore".to_owned(), Timestamp::from_seconds(1_800_000_000));
    let begun = Switch { name: Switch::recovery_of("stripe"), is_paused: true, reason, by, changed_at };
    database.writer().transact("test", &mut Put(begun)).expect("the store works");
    let end = |gateway: &str| {
        let operation = Operation::EndRecovery { gateway: gateway.to_owned(), reason: "looked".to_owned() };
        plan(&mut database.reader(), &operation, &BTreeSet::new(), Timestamp::from_seconds(2_000_000_000))
    };
    let Ok(Plan { submissions, .. }) = end("stripe") else { panic!("it recovers") };
    let [Submission::SetSwitch(ended)] = &submissions[..] else { panic!("{submissions:?}") };
    assert!(!ended.is_paused && ended.recovers() == Some("stripe"), "{ended:?}");
    assert_eq!(
        (ended.changed_at, ended.by.as_str(), ended.reason.as_deref()),
        (changed_at, "operator", Some("looked"))
    );
    assert!(matches!(end("other"), Err(PlanError::Refused(_))));
}
