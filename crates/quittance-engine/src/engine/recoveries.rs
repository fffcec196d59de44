//! The end of recoveries: looked for whenever what is due is.

use super::Engine;
use crate::recovery;
use crate::room::Permits;
use crate::submission::Submission;
use quittance_core::time::Timestamp;
use quittance_store::store::StoreError;

impl Engine {
    /// Lets gateways go on whose sweeps since a restore are complete.
    pub(super) fn end_recoveries(&mut self, now: Timestamp) -> Result<(), StoreError> {
        let recovering: Vec<String> = self.paused.recovering().map(str::to_owned).collect();
        for name in recovering {
            let Some(gateway) = self.gateways.0.get(&name) else { continue };
            if let Some(switch) = recovery::ended(self.store.as_mut(), (&name, gateway), now)? {
                self.step(now, vec![Submission::SetSwitch(Box::new(switch))], &mut Permits::default())?;
                tracing::warn!(gateway = name, "the gateway was swept since the backup: sends go on");
            }
        }
        Ok(())
    }
}
