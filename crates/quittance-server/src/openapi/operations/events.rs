//! What is told of changes: events, where they are sent, and what became of each.

use super::{ADMIN, Answer, Needs, Operation, get, post};
use crate::problem::catalogue::{self as code, Kind};
use crate::render::EVENT_MEDIA_TYPE;
use quittance_core::tenant::Scope;

const ENDPOINT: &str = "/v1/webhook_endpoints/{id}";

/// Every operation about them.
pub(super) fn all() -> impl Iterator<Item = Operation> {
    making_endpoints().into_iter().chain(endpoints()).chain(turns()).chain(events()).chain(schemas())
}

fn endpoint(status: u16, description: &'static str) -> Answer {
    Answer::json(status, "WebhookEndpoint", description)
}

fn making_endpoints() -> [Operation; 2] {
    let pending = || Answer::json(202, "PendingCommand", super::PENDING);
    [
        Operation {
            needs: Needs::Key(Scope::Admin),
            body: Some("NewWebhookEndpoint"),
            answers: vec![
                Answer::json(201, "WebhookEndpointWithSecret", "It is created; its secret is told here alone."),
                pending(),
            ],
            problems: vec![&code::TOO_MANY_ENDPOINTS],
            ..post("/v1/webhook_endpoints", "createWebhookEndpoint", "events", "Have events sent to an address")
        },
        Operation {
            needs: Needs::Key(Scope::Admin),
            body: Some("SecretRotation"),
            answers: vec![
                Answer::json(200, "WebhookEndpointWithSecret", "It signs with a new secret, told here alone."),
                pending(),
            ],
            ..post(
                "/v1/webhook_endpoints/{id}/rotate-secret",
                "rotateWebhookSecret",
                "events",
                "Give an endpoint a new secret",
            )
        },
    ]
}

fn endpoints() -> [Operation; 4] {
    [
        Operation {
            needs: ADMIN,
            answers: vec![Answer::json(200, "WebhookEndpointPage", "All of them, the oldest first.")],
            ..get("/v1/webhook_endpoints", "listWebhookEndpoints", "events", "List where events are sent")
        },
        Operation {
            needs: ADMIN,
            answers: vec![endpoint(200, "The endpoint.")],
            ..get(ENDPOINT, "getWebhookEndpoint", "events", "Show an endpoint")
        },
        Operation {
            needs: ADMIN,
            query: &["delivery_status", "limit", "cursor"],
            answers: vec![Answer::json(200, "DeliveryPage", "Newest event first.")],
            ..get(
                "/v1/webhook_endpoints/{id}/deliveries",
                "listEndpointDeliveries",
                "events",
                "List what was, or is, to be sent to an endpoint",
            )
        },
        Operation {
            method: "delete",
            needs: ADMIN,
            answers: vec![Answer { status: 204, description: "It is gone.", media_type: "", schema: "" }],
            problems: of_bodies(),
            ..get(ENDPOINT, "deleteWebhookEndpoint", "events", "Send nothing to an endpoint any more, for good")
        },
    ]
}

/// Problems of an operation that reads a body although it needs none.
fn of_bodies() -> Vec<&'static Kind> {
    let of_body = [&code::INVALID_BODY, &code::BODY_TOO_LARGE, &code::UNSUPPORTED_MEDIA_TYPE];
    of_body.into_iter().chain([&code::STOPPING, &code::STORAGE_FULL]).collect()
}

fn turns() -> [Operation; 3] {
    [
        Operation {
            needs: ADMIN,
            body: Some("WebhookEndpointChange"),
            answers: vec![endpoint(200, "What it is now.")],
            ..post(ENDPOINT, "updateWebhookEndpoint", "events", "Change an endpoint")
        },
        Operation {
            needs: ADMIN,
            body: Some("Nothing"),
            answers: vec![endpoint(200, "What it is now.")],
            ..post(
                "/v1/webhook_endpoints/{id}/enable",
                "enableWebhookEndpoint",
                "events",
                "Send to an endpoint again, what waits for it first",
            )
        },
        Operation {
            needs: ADMIN,
            body: Some("WhyDisabled"),
            answers: vec![endpoint(200, "What it is now.")],
            ..post(
                "/v1/webhook_endpoints/{id}/disable",
                "disableWebhookEndpoint",
                "events",
                "Let events wait for an endpoint",
            )
        },
    ]
}

fn events() -> [Operation; 4] {
    [
        Operation {
            query: &["event_type", "subject", "created_after", "created_before", "limit", "cursor"],
            answers: vec![Answer::json(200, "EventPage", "Newest first.")],
            ..get("/v1/events", "listEvents", "events", "List what was told")
        },
        Operation {
            answers: vec![Answer {
                status: 200,
                description: "Byte for byte as it is sent.",
                media_type: EVENT_MEDIA_TYPE,
                schema: "Event",
            }],
            ..get("/v1/events/{id}", "getEvent", "events", "Show an event")
        },
        Operation {
            needs: ADMIN,
            answers: vec![Answer::json(200, "DeliveryPage", "One for each endpoint that it was to be sent to.")],
            ..get("/v1/events/{id}/deliveries", "listEventDeliveries", "events", "Show what became of an event")
        },
        Operation {
            needs: ADMIN,
            body: Some("EventReplay"),
            answers: vec![Answer::json(200, "EventReplayed", "It is sent again.")],
            problems: vec![&code::ENDPOINT_DISABLED],
            ..post("/v1/events/{id}/replay", "sendEventAgain", "events", "Send an event to an endpoint again")
        },
    ]
}

fn schemas() -> [Operation; 2] {
    let of_load = || vec![&code::REQUEST_TIMEOUT, &code::OVERLOADED];
    [
        Operation {
            needs: Needs::Nothing,
            answers: vec![Answer::json(200, "Schemas", "Every schema, and every type of events.")],
            problems: of_load(),
            ..get("/schemas", "listSchemas", "events", "List the schemas of events")
        },
        Operation {
            needs: Needs::Nothing,
            answers: vec![Answer {
                status: 200,
                description: "JSON Schema 2020-12.",
                media_type: "application/schema+json",
                schema: "JsonSchema",
            }],
            problems: of_load(),
            ..get("/schemas/{name}", "getSchema", "events", "Show a schema of events")
        },
    ]
}
