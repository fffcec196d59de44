//! What whoever runs the engine asks it: what nobody works on, what is urgent, what is configured for nobody.

use super::Engine;
use quittance_core::dispute::Dispute;
use quittance_core::time::Timestamp;
use quittance_store::records::Entity;
use quittance_store::store::{Scan, StoreError};
use quittance_store::tables::{DISPUTES, EFFECTS, TENANTS};
use quittance_store::value::Value;

impl Engine {
    /// Gateways that are configured no more and have effects left: nobody works on those until they are configured again.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub fn orphaned_gateways(&mut self) -> Result<Vec<String>, StoreError> {
        let (index, lane) = (EFFECTS.due_index(), EFFECTS.position("gateway"));
        let mut orphaned = Vec::new();
        let mut after = None;
        loop {
            let scan = Scan { index: Some(index), after: after.take(), ..Scan::forward(&EFFECTS, Vec::new(), 1) };
            let Some(Value::Text(name)) = self.store.scan(&scan)?.pop().map(|mut row| row.swap_remove(lane)) else {
                return Ok(orphaned);
            };
            after = Some(vec![name.as_str().into()]);
            if !self.gateways.0.contains_key(&name) {
                orphaned.push(name);
            }
        }
    }

    /// Disputes that wait for evidence, the next deadline first, so many at most. Those whose deadline has passed are not
    /// among them.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub fn deadlines(&mut self, now: Timestamp, disputes_max: usize) -> Result<Vec<Dispute>, StoreError> {
        let (index, after) = (Some(&DISPUTES.indexes[3]), Some(vec![now.0.into()]));
        let scan = Scan { index, after, ..Scan::forward(&DISPUTES, Vec::new(), disputes_max) };
        let rows = self.store.scan(&scan)?;
        Ok(rows.iter().filter_map(|row| Dispute::from_row(row).ok()).collect())
    }

    /// Names under which limits are configured and no tenant exists: a slip, or a tenant that is still to be created.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub fn strange_tenants(&mut self) -> Result<Vec<String>, StoreError> {
        let mut strange = Vec::new();
        for name in self.brakes.tenants.keys() {
            let scan = Scan::forward(&TENANTS, vec![name.as_str().into()], 1);
            if self.store.scan(&Scan { index: Some(&TENANTS.indexes[0]), ..scan })?.is_empty() {
                strange.push(name.clone());
            }
        }
        Ok(strange)
    }
}
