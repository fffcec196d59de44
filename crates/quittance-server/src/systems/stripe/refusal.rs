//! What Stripe refuses, and whose mistake it is. Does not own what is done about it.

use super::Credential;
use crate::systems::SystemError;
use quittance_connectors::stripe::listing::{Kind, Refusal};

/// A refusal of what was asked at a place (`POST /v1/customers/cus_1`) as a mistake of the key's, of the configuration's, or of the other side.
pub(super) fn refused(
    system: &str,
    kind: &Kind,
    place: &str,
    refusal: &Refusal,
    credential: Credential<'_>,
) -> SystemError {
    let setting = credential.setting;
    let path = place.split_once(' ').map_or(place, |(_, path)| path);
    let said = said(refusal, credential);
    let said = if said.is_empty() { String::new() } else { format!(": {said}") };
    match refusal.status {
        401 => {
            let what = format!("system `{system}` does not accept its {setting}{said}");
            SystemError::configuration(what, "see that the key is right, not expired, and of the right mode")
                .unauthorised()
        }
        403 => {
            let remedy = match refusal.permission() {
                Some(permission) => format!("give the restricted key the permission `{permission}`"),
                None => format!("give the restricted key the permission to read objects of kind `{}`", kind.name),
            };
            let what = format!("system `{system}` does not allow {place} to its {setting}{said}");
            SystemError::configuration(what, remedy).unauthorised()
        }
        404 => SystemError::configuration(format!("system `{system}` has no {path}{said}"), "compare another object"),
        status => SystemError::outside(format!("system `{system}` refuses {place} with {status}{said}"), ""),
    }
}

/// What Stripe says, without the key: a peer may repeat it; Stripe shows its ends only.
pub(super) fn said(refusal: &Refusal, credential: Credential<'_>) -> String {
    refusal.message.replace(credential.secret.expose(), "…")
}
