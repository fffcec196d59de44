//! Owns: the list of webhook endpoints, of which the account has one or none. Does not own: what is delivered there
//! (`webhooks`), nor who says where it is and whether it is disabled (`control`).

use serde::Serialize;

use crate::answer::{Answer, ApiError};
use crate::dialect::list_query::ListQuery;
use crate::objects::{API_VERSION, Page};
use crate::webhooks::Webhooks;

/// The id of the one endpoint.
const ID: &str = "we_1SandboxEndpoint";

#[derive(Debug, Serialize)]
struct WebhookEndpoint {
    id: &'static str,
    object: &'static str,
    api_version: &'static str,
    application: Option<String>,
    created: i64,
    description: Option<String>,
    enabled_events: [&'static str; 1],
    livemode: bool,
    metadata: serde_json::Map<String, serde_json::Value>,
    status: &'static str,
    url: String,
}

/// `GET /v1/webhook_endpoints`. Whatever is behind the one there is, or before it, is nothing.
pub(crate) fn list(webhooks: &Webhooks, query: &ListQuery) -> Result<Answer, ApiError> {
    let cursors = [("starting_after", &query.starting_after), ("ending_before", &query.ending_before)];
    let named = cursors.into_iter().find_map(|(param, cursor)| Some((param, cursor.as_deref()?)));
    let endpoint = webhooks.endpoint();
    if let Some((param, id)) = named.filter(|(_, id)| *id != ID || endpoint.is_none()) {
        return Err(ApiError::missing("object", id, param));
    }
    let data = endpoint.filter(|_| named.is_none()).map(|(url, is_disabled)| WebhookEndpoint {
        id: ID,
        object: "webhook_endpoint",
        api_version: API_VERSION,
        application: None,
        created: 0,
        description: None,
        enabled_events: ["*"],
        livemode: false,
        metadata: serde_json::Map::new(),
        status: if is_disabled { "disabled" } else { "enabled" },
        url,
    });
    let url = "/v1/webhook_endpoints".to_owned();
    Ok(Answer::ok(&Page { object: "list", data: data.into_iter().collect::<Vec<_>>(), has_more: false, url }))
}
