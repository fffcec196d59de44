//! What an API answers where it refuses, and whose mistake it is. Does not own what is done about it.

use crate::systems::SystemError;
use crate::systems::web::path;
use quittance_connectors::http::{Failure, printable};
use quittance_connectors::message::Request;

/// What is no JSON is asked again; what is another answer than was asked for is one.
pub(super) fn readable<T>(decoded: Result<T, Failure>) -> Result<Result<T, Failure>, String> {
    match decoded {
        Err(Failure::Unreadable(what)) => Err(format!("it answers with {what}")),
        other => Ok(other),
    }
}

/// What cannot be read, as a mistake of the credential's, of the configuration's, or of the other side.
/// What is `unsaid` stands in no error.
pub(super) fn unread(
    system: &str,
    request: &Request,
    failure: &Failure,
    (setting, unsaid): (&str, &[String]),
) -> SystemError {
    let path = path(request);
    match failure {
        Failure::Status { status: status @ (401 | 403), .. } => {
            let what = format!("system `{system}` does not allow GET {path} to its {setting} ({status})");
            let remedy = format!("see that `auth` and `{setting}` are right, and what it may read");
            SystemError::configuration(what, remedy).unauthorised()
        }
        Failure::Status { status: 404, .. } => {
            let what = format!("system `{system}` has no {path} (404)");
            SystemError::configuration(what, "see that base_url and `list` are right")
        }
        Failure::Status { status: status @ 300..=399, location } => {
            let place = location.as_deref().map_or("nowhere".to_owned(), |place| printable(place, unsaid));
            let what = format!("system `{system}` answers GET {path} with {status} and points to {place}");
            SystemError::configuration(what, "write that address as base_url; redirects are not followed")
        }
        Failure::Status { status, .. } => {
            SystemError::outside(format!("system `{system}` answers GET {path} with {status}"), "")
        }
        Failure::Shape(what) | Failure::Unreadable(what) => {
            let what = format!("GET {path} of system `{system}`: {what}");
            SystemError::configuration(what, "see that `records`, `record` and `next` are where it has them")
        }
    }
}
