//! Events as they are told, and the endpoints that they are sent to: what is answered and what is sent.

use super::schema::{
    answered, answered_with, asked, bounded, flag, id, integer, line, list, object_word, or_null, text, time, token,
    with_pattern, word,
};
use crate::render::{event_type, schema_urn};
use quittance_core::event::{DeliveryState, Kind, Object};
use quittance_core::id::{CorrelationId, CustomerId, EndpointId, EventId};
use serde_json::{Value, json};

/// What is answered.
pub(super) fn resources() -> Vec<(&'static str, Value)> {
    let mut with_secret = endpoint();
    with_secret["properties"]["secret"] = text("What deliveries are signed with: `whsec_` and Base64. Told once.");
    if let Some(required) = with_secret["required"].as_array_mut() {
        required.push(json!("secret"));
    }
    vec![
        ("Event", event()),
        ("WebhookEndpoint", endpoint()),
        ("WebhookEndpointWithSecret", with_secret),
        ("Delivery", delivery()),
        ("Schemas", schemas()),
        ("JsonSchema", json!({ "type": "object", "description": "JSON Schema 2020-12." })),
        (
            "EventReplayed",
            answered(
                "An event that is sent again.",
                [
                    ("event", id(EventId::PREFIX, "What.")),
                    ("endpoint", id(EndpointId::PREFIX, "Where to.")),
                    ("replayed", flag("Always true.")),
                ],
            ),
        ),
    ]
}

/// The envelope of an event: a CloudEvent 1.0 in structured mode.
pub(crate) fn event() -> Value {
    let constant = |word: &str| json!({ "type": "string", "const": word });
    answered_with(
        "A change that clients see: a CloudEvent 1.0 in structured mode.",
        [
            ("specversion", constant("1.0")),
            ("id", id(EventId::PREFIX, "Its id; the same in every delivery of it.")),
            ("source", json!({ "type": "string", "format": "uri", "pattern": "^urn:quittance:tenant:ten_" })),
            ("type", event_types("What happened.")),
            ("subject", text("The id of the resource.")),
            ("time", time("When it happened.")),
            ("datacontenttype", constant("application/json")),
            ("dataschema", word(Object::ALL.map(schema_urn).iter().map(String::as_str), "What describes `data`.")),
            ("partitionkey", id(CustomerId::PREFIX, "Whose book it happened in; within one, `sequence` is the order.")),
            ("sequence", json!({ "type": "string", "pattern": "^[0-9]{16}\\.[0-9]{4}$" })),
            ("data", json!({ "type": "object", "description": "The resource as it was then." })),
        ],
        [("correlationid", id(CorrelationId::PREFIX, "Names everything that follows from the first command."))],
    )
}

fn event_types(about: &str) -> Value {
    word(Kind::ALL.map(event_type).iter().map(String::as_str), about)
}

/// One type, or all of them.
fn wanted_types() -> Value {
    let types: Vec<String> = std::iter::once("*".to_owned()).chain(Kind::ALL.map(event_type)).collect();
    json!({
        "type": "array", "minItems": 1, "maxItems": Kind::ALL.len(), "items": { "type": "string", "enum": types },
        "description": "Which events; `*` stands for all of them.",
    })
}

fn endpoint() -> Value {
    let disabled = answered(
        "Since when nothing is sent there.",
        [("at", time("When.")), ("by", text("A credential, or `quittance`.")), ("reason", text("Why, for people."))],
    );
    answered(
        "Where a tenant's events are sent.",
        [
            ("id", id(EndpointId::PREFIX, "Its id.")),
            ("object", object_word("webhook_endpoint")),
            ("url", text("The address.")),
            ("description", or_null(text("Yours."))),
            ("types", list(text("A type of events, or `*`."))),
            ("status", word(["enabled", "disabled"], "Whether events are sent there.")),
            ("disabled", or_null(disabled)),
            ("failing_since", or_null(time("Since when nothing was taken."))),
            ("old_secret_until", or_null(time("Until when the secret before this one signs, too."))),
            ("created_at", time("When it was created.")),
        ],
    )
}

fn delivery() -> Value {
    let attempt = answered(
        "One send.",
        [
            ("at", time("When.")),
            ("took_ms", integer("How long it took, milliseconds.")),
            ("response_status", or_null(integer("What was answered; null where nothing was."))),
            ("error", or_null(text("What went wrong, for people."))),
        ],
    );
    let replayed = answered(
        "A person had it sent again.",
        [("at", time("When.")), ("by", text("Who: the credential.")), ("reason", text("Why, for people."))],
    );
    answered(
        "An event on its way to an endpoint.",
        [
            ("object", object_word("delivery")),
            ("event", id(EventId::PREFIX, "What.")),
            ("endpoint", id(EndpointId::PREFIX, "Where to.")),
            ("status", word(DeliveryState::ALL.map(DeliveryState::name), "Where it stands.")),
            ("tries", integer("How often it was sent.")),
            ("next_attempt_at", or_null(time("When it is sent next, while it is pending."))),
            ("attempts", list(attempt)),
            ("replayed", or_null(replayed)),
            ("created_at", time("When the event was told.")),
        ],
    )
}

fn schemas() -> Value {
    let schema = answered("One schema.", [("id", text("Its `$id`.")), ("path", text("Where it is."))]);
    let kind = answered(
        "One type.",
        [("type", text("Of events.")), ("dataschema", text("The `$id` of what describes `data`."))],
    );
    answered(
        "What is published about events.",
        [("schemas", list(schema)), ("media_type", text("Of an event.")), ("types", list(kind))],
    )
}

/// What is sent.
pub(super) fn bodies() -> [(&'static str, Value); 6] {
    let about = "Begins with `https://`; a test tenant's may begin with `http://`. Without a user's name and without a fragment.";
    let url = || with_pattern(bounded(2_048, about), "^https?://[^/\\s@#]+(/[^\\s#]*)?$");
    let description = || line(255, "For people.");
    let new = asked(
        "Where events are to be sent.",
        [("url", url())],
        [("description", description()), ("types", wanted_types())],
    );
    let change = asked(
        "What becomes of an endpoint; what is left out stays.",
        [],
        [("url", url()), ("description", description()), ("types", wanted_types())],
    );
    let rotation = asked(
        "How a secret is changed.",
        [],
        [(
            "old_secret",
            word(["keep", "drop"], "Whether the one before signs, too, for 24 hours; `keep` where left out."),
        )],
    );
    let why = asked("Why nothing is sent any more.", [("reason", line(500, "For people."))], []);
    let replay = asked(
        "Where an event is sent again, and why.",
        [("endpoint", token(255, "Id of an endpoint.")), ("reason", line(500, "For people."))],
        [],
    );
    [
        ("NewWebhookEndpoint", new),
        ("WebhookEndpointChange", change),
        ("SecretRotation", rotation),
        ("WhyDisabled", why),
        ("EventReplay", replay),
        ("Nothing", asked("Nothing needs to be said.", [], [])),
    ]
}

/// Examples of a body, by name; none where it is not one of these.
pub(super) fn examples(body: &str) -> Option<Value> {
    let examples = match body {
        "NewWebhookEndpoint" => json!({
            "everything": { "url": "https://example.com/hooks" },
            "two_types": {
                "url": "https://example.com/hooks", "description": "accounting",
                "types": [event_type(Kind::ALL[0]), "dev.quittance.payment.succeeded.v1"],
            },
        }),
        "WebhookEndpointChange" => json!({ "all_types": { "types": ["*"] } }),
        "SecretRotation" => json!({ "with_overlap": {}, "at_once": { "old_secret": "drop" } }),
        "WhyDisabled" => json!({ "for_now": { "reason": "the receiver is being moved" } }),
        "EventReplay" => {
            json!({ "again": { "endpoint": "whe_01h455vb4pex5vsknk084sn02q", "reason": "it was lost there" } })
        }
        "Nothing" => json!({ "nothing": {} }),
        _ => return None,
    };
    Some(examples)
}
