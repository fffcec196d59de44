//! The body of an endpoint: where events are sent, and which.

use crate::json::{Alphabet, Fields, Json, Need, Text};
use crate::outgoing::refusal_of;
use crate::problem::Problem;
use crate::render::{event_type, kind_of_type};
use crate::runtime::Handle;
use quittance_core::event::{Kind, Kinds};
use quittance_core::tenant::Mode;

/// An address.
const URL: Text = Text { bytes_max: 2_048, alphabet: Alphabet::Token };
/// What people call it.
const DESCRIPTION: Text = Text { bytes_max: 255, alphabet: Alphabet::Line };
/// The word for all types.
const ALL: &str = "*";

/// What a request says of an endpoint.
pub(super) struct EndpointBody {
    pub(super) url: Option<String>,
    pub(super) description: Option<String>,
    pub(super) kinds: Option<Kinds>,
}

/// Reads the body of a request of a tenant of this mode.
pub(super) fn read(handle: &Handle, body: &Json, mode: Mode, need: Need) -> Result<EndpointBody, Problem> {
    let mut fields = Fields::of(body).map_err(Problem::invalid_body)?;
    let allow_private = handle.config().webhooks.allow_private_addresses;
    let url = fields.parsed("url", need, |text| check_url(text, mode, allow_private).map(|()| text.to_owned()));
    let description = fields.text("description", Need::Optional, DESCRIPTION);
    let types = fields.list("types", Kind::ALL.len(), read_type);
    fields.finish().map_err(Problem::invalid_body)?;
    let kinds = types.map(|types| match types.iter().copied().collect::<Option<_>>() {
        Some(kinds) => Kinds::These(kinds),
        None => Kinds::All,
    });
    Ok(EndpointBody { url, description, kinds })
}

/// A type of events; none stands for all.
fn read_type(text: &str) -> Result<Option<Kind>, String> {
    match kind_of_type(text) {
        _ if text == ALL => Ok(None),
        Some(kind) => Ok(Some(kind)),
        None => {
            let example = event_type(Kind::ALL[0]);
            Err(format!("is no type of events; send {ALL:?} for all, or types like {example:?} (see GET /schemas)"))
        }
    }
}

fn check_url(text: &str, mode: Mode, allow_private: bool) -> Result<(), String> {
    if let Some(complaint) = URL.complaint(text) {
        return Err(complaint);
    }
    let url = reqwest::Url::parse(text).map_err(|_| "is no address like https://example.com/webhooks".to_owned())?;
    match url.scheme() {
        "https" => {}
        "http" if mode == Mode::Test => {}
        "http" => return Err("must begin with https://: events of a live tenant are sent over TLS alone".to_owned()),
        _ => return Err("must begin with https:// (a test tenant's may begin with http://)".to_owned()),
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("must not hold a user's name or password; deliveries are signed".to_owned());
    }
    if url.fragment().is_some() {
        return Err("must not hold a fragment (what follows #): it is never sent".to_owned());
    }
    refusal_of(&url, allow_private).map_or(Ok(()), |_| {
        Err("leads to an address that is not public; see [webhooks] of the configuration".to_owned())
    })
}
