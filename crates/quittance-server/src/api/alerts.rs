//! `GET /v1/alerts`: what is wrong, how its channels fare, and what nobody wants to hear of. The installation's, so that
//! credentials of scope `admin` alone see it.

use super::query::Parameters;
use super::waiting::or_problem;
use crate::alerts::{ChannelView, alert_view, channel_views, silence_view};
use crate::auth::authenticate;
use crate::problem::Problem;
use crate::render;
use crate::runtime::Handle;
use axum::extract::State;
use axum::response::Response;
use http::{HeaderMap, Uri};
use quittance_core::alert::Standing;
use quittance_core::tenant::Scope;
use serde::Serialize;
use serde_json::Value;

#[derive(Serialize)]
struct Alerts {
    data: Vec<Value>,
    channels: Vec<ChannelView>,
    silences: Vec<Value>,
}

/// `GET /v1/alerts`
pub(super) async fn list(State(handle): State<Handle>, uri: Uri, headers: HeaderMap) -> Response {
    or_problem(try_list(&handle, &uri, &headers).await)
}

async fn try_list(handle: &Handle, uri: &Uri, headers: &HeaderMap) -> Result<Response, Problem> {
    authenticate(handle, headers, Scope::Admin).await?;
    let parameters = Parameters::of(uri, &["status"])?;
    let standing = parameters.parsed("status", "one of open, closed", |word| match word {
        "open" => Some(Standing::Open),
        "closed" => Some(Standing::Over),
        _ => None,
    })?;
    let (book, now) = (handle.alerts().await?, handle.now());
    let shown = book.alerts.iter().filter(|alert| standing.is_none_or(|standing| alert.standing == standing));
    let in_force = book.silences.iter().filter(|silence| silence.is_in_force(now));
    Ok(render::ok(&Alerts {
        data: shown.map(|alert| alert_view(alert, &book, now)).collect(),
        channels: channel_views(handle.config(), &book),
        silences: in_force.map(|silence| silence_view(silence, now)).collect(),
    }))
}
