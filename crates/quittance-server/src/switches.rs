//! Brakes as operators and clients see them: what can be paused, and what is.
//!
//! The engine owns what a pause means; here are the names, the limits, and the view.

use crate::api::rows;
use crate::render::time;
use quittance_store::records::Switch;
use quittance_store::store::{Reader, Scan, StoreError};
use quittance_store::tables::SWITCHES;
use serde::Serialize;

/// Longest reason, in bytes.
pub(crate) const REASON_BYTES_MAX: usize = 500;

/// Who set a switch without a credential: whoever may write to the data.
pub(crate) const OPERATOR: &str = "operator";

/// Switches that one view shows; one is kept for each gateway that was ever paused.
const LIST_MAX: usize = 10_000;

/// Everything that is paused.
#[derive(Serialize)]
pub(crate) struct PausedList {
    paused: Vec<PausedView>,
}

#[derive(Serialize)]
struct PausedView {
    gateway: String,
    since: String,
    reason: Option<String>,
    by: String,
}

/// The name of the switch of a gateway, or of the one before all of them.
pub(crate) fn name_of(gateway: Option<String>) -> String {
    gateway.unwrap_or_else(|| Switch::EVERYTHING.to_owned())
}

/// Whether a switch of this name may be set: everything, what is configured, and what was paused while it was.
pub(crate) fn is_known(reader: &mut dyn Reader, name: &str, is_configured: bool) -> Result<bool, StoreError> {
    let is_sure = is_configured || name == Switch::EVERYTHING;
    Ok(is_sure || rows::get::<Switch>(reader, vec![name.into()])?.is_some())
}

/// What is paused now, by name.
pub(crate) fn list(reader: &mut dyn Reader) -> Result<PausedList, StoreError> {
    let view = |switch: Switch| PausedView {
        // What recovers from a restore is shown under its own name: the reason says that it does.
        gateway: switch.recovers().map(str::to_owned).unwrap_or(switch.name),
        since: time(switch.changed_at),
        reason: switch.reason,
        by: switch.by,
    };
    Ok(PausedList { paused: paused(reader)?.into_iter().map(view).collect() })
}

/// The switches that hold something back, by name.
pub(crate) fn paused(reader: &mut dyn Reader) -> Result<Vec<Switch>, StoreError> {
    let mut switches: Vec<Switch> = rows::page(reader, &Scan::forward(&SWITCHES, Vec::new(), LIST_MAX))?;
    switches.retain(|switch| switch.is_paused);
    Ok(switches)
}
