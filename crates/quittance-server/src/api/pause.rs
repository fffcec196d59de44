//! `POST /v1/pause` and `POST /v1/resume`: the brake of the whole installation, for credentials of scope `admin`.
//!
//! What is paused already stays as it is, so these need no idempotency key.

use super::intake::KeylessIntake;
use super::waiting::or_problem;
use crate::json::{Alphabet, Fields, Json, Need, Text};
use crate::problem::{Problem, catalogue};
use crate::render;
use crate::runtime::{Handle, SubmitError};
use crate::switches;
use axum::extract::{Request, State};
use axum::response::Response;
use quittance_core::tenant::Scope;
use quittance_engine::submission::{Outcome, Submission};
use quittance_store::records::Switch;

/// A gateway's name.
const GATEWAY: Text = Text { bytes_max: 255, alphabet: Alphabet::Line };
/// Why, for people.
const REASON: Text = Text { bytes_max: switches::REASON_BYTES_MAX, alphabet: Alphabet::Line };

/// `POST /v1/pause`
pub(super) async fn pause(State(handle): State<Handle>, request: Request) -> Response {
    let switched = async {
        let switch = read(&handle, request).await?;
        set(&handle, Switch { is_paused: true, ..switch }).await
    };
    or_problem(switched.await)
}

/// `POST /v1/resume`
pub(super) async fn resume(State(handle): State<Handle>, request: Request) -> Response {
    let switched = async {
        let switch = read(&handle, request).await?;
        set(&handle, Switch { is_paused: false, ..switch }).await
    };
    or_problem(switched.await)
}

/// The switch that a request names, released.
async fn read(handle: &Handle, request: Request) -> Result<Switch, Problem> {
    let intake = KeylessIntake::read(handle, request, Scope::Admin).await?;
    let (gateway, reason) = read_body(&intake.body)?;
    let by = intake.caller.credential.to_string();
    Ok(Switch { name: switches::name_of(gateway), is_paused: false, reason, by, changed_at: handle.now() })
}

fn read_body(body: &Json) -> Result<(Option<String>, Option<String>), Problem> {
    let mut fields = Fields::of(body).map_err(Problem::invalid_body)?;
    let asked = (fields.text("gateway", Need::Optional, GATEWAY), fields.text("reason", Need::Optional, REASON));
    fields.finish().map_err(Problem::invalid_body)?;
    Ok(asked)
}

async fn set(handle: &Handle, switch: Switch) -> Result<Response, Problem> {
    let (name, is_configured) = (switch.name.clone(), handle.config().gateways.contains_key(&switch.name));
    if !handle.read(move |reader| switches::is_known(reader, &name, is_configured)).await? {
        let detail = "names a gateway that is not configured";
        return Err(Problem::at(&catalogue::GATEWAY_NOT_FOUND, "/gateway", detail));
    }
    match handle.submit(Submission::SetSwitch(Box::new(switch))).await {
        Ok(Outcome::Done) => Ok(render::ok(&handle.read(switches::list).await?)),
        Ok(Outcome::Failed(failure)) => Err(Problem::from(failure)),
        Ok(other) => Err(Problem::internal(&format!("a switch ended as {other:?}"))),
        Err(SubmitError::Overloaded { retry_after_s }) => {
            Err(Problem::new(&catalogue::OVERLOADED, "the engine is behind").retry_after(retry_after_s))
        }
        Err(SubmitError::Closed) => Err(Problem::new(&catalogue::STOPPING, "no more is taken").retry_after(5)),
    }
}
