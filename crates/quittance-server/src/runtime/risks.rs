//! What the database may lose of what it acknowledges: asked at the start and every minute, and said whenever it changes.
//!
//! Said and shown, and nothing is refused for it: nobody can tell a scratch database from one that matters, and a setting that
//! is reloaded while the server runs would get past a check at its start. Does not own what counts as a risk.

use super::shared::Shared;
use crate::data::Data;
use crate::metrics;
use quittance_postgres::Risk;
use quittance_store::store::StoreError;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::oneshot;

/// How often it is asked.
const LOOK: Duration = Duration::from_secs(60);

/// Asks for ever.
pub(super) async fn run(shared: Arc<Shared>, data: Data) {
    loop {
        tokio::time::sleep(LOOK).await;
        match ask(data.clone()).await {
            Some(Ok(risks)) => note(&shared, risks),
            Some(Err(error)) => {
                tracing::debug!(%error, "the settings of the database could not be read; they are read again")
            }
            None => tracing::debug!("no thread can be started to read the settings of the database"),
        }
    }
}

/// Asks on a thread that nobody waits for when the server stops.
async fn ask(data: Data) -> Option<Result<Vec<Risk>, StoreError>> {
    let (answer, answered) = oneshot::channel();
    let asking = move || drop(answer.send(data.risks()));
    std::thread::Builder::new().name("risks".to_owned()).spawn(asking).ok()?;
    answered.await.ok()
}

/// Notes what there is now, and says what was not there before and what is gone.
pub(super) fn note(shared: &Shared, risks: Vec<Risk>) {
    let before = shared.set_risks(risks.clone());
    let is_in = |risk: &Risk, risks: &[Risk]| risks.iter().any(|other| other.code == risk.code);
    for risk in risks.iter().filter(|risk| !is_in(risk, &before)) {
        let Risk { code, what, remedy, is_grave } = risk;
        metrics::database_risk(code, true);
        match is_grave {
            true => tracing::error!(code, remedy, "the database may lose what it acknowledges: {what}"),
            false => tracing::warn!(code, remedy, "the database may lose what it acknowledges: {what}"),
        }
    }
    for risk in before.iter().filter(|risk| !is_in(risk, &risks)) {
        metrics::database_risk(risk.code, false);
        tracing::info!(code = risk.code, "the database does not risk this any more");
    }
}
