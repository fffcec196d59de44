//! What is answered about the work itself: commands, traces, brakes, repairs, health.

use super::schema::{answered, answered_with, flag, id, integer, list, object_word, or_null, text, texts, time, word};
use quittance_core::id::{CommandId, CorrelationId, CustomerId, PaymentId};
use serde_json::{Value, json};

pub(super) fn all() -> Vec<(&'static str, Value)> {
    vec![
        ("Command", command()),
        ("PendingCommand", pending()),
        ("Trace", trace()),
        ("Paused", paused()),
        (
            "Requeued",
            answered(
                "What is looked at again.",
                [
                    ("gateway", text("The configured gateway.")),
                    ("object", text("The gateway's id.")),
                    ("requeued", flag("Always true.")),
                ],
            ),
        ),
        (
            "Replayed",
            answered("What was applied again.", [("event", text("Its id.")), ("replayed", flag("Always true."))]),
        ),
        (
            "Received",
            answered(
                "A webhook was taken.",
                [("received", flag("Always true.")), ("duplicate", flag("Whether it had come before."))],
            ),
        ),
        ("Alive", answered("The process runs.", [("status", word(["ok"], "Always the same."))])),
        ("Ready", ready()),
    ]
}

fn pending() -> Value {
    answered(
        "A command that is not finished.",
        [
            ("object", object_word("command")),
            ("status", word(["processing"], "Always the same.")),
            ("command_id", id(CommandId::PREFIX, "Its id.")),
            ("correlation_id", id(CorrelationId::PREFIX, "Names everything that follows from it.")),
        ],
    )
}

fn command() -> Value {
    let attempt = answered(
        "One send to the gateway.",
        [
            ("step", text("What was sent.")),
            ("generation", integer("Which try, with a key of its own.")),
            ("send_no", integer("Which send of that try.")),
            ("gateway_key", text("The idempotency key that the gateway saw.")),
            ("issued_at", time("When it was committed to.")),
            ("deadline", time("Until when it could leave.")),
        ],
    );
    let intent = answered_with(
        "What was asked for.",
        [
            ("kind", word(["payment", "refund", "capture", "cancel", "resolution"], "What kind of thing.")),
            ("customer", id(CustomerId::PREFIX, "Whose.")),
            ("amount", or_null(integer("Minor units."))),
            ("currency", text("Code of ISO 4217.")),
            ("gateway", text("The configured gateway.")),
            ("reference", or_null(text("Yours."))),
            ("payment", id(PaymentId::PREFIX, "The payment.")),
        ],
        [
            ("payment_status", text("Where it stands now.")),
            ("refund", text("The refund.")),
            ("refund_status", text("Where it stands now.")),
            ("reason", text("Yours.")),
        ],
    );
    let outcome = answered(
        "The answer that every retry gets.",
        [
            ("http_status", integer("Its status.")),
            ("body", json!({ "description": "Its body, or null where it is no JSON." })),
        ],
    );
    answered(
        "Where a request to change something stands.",
        [
            ("id", id(CommandId::PREFIX, "Its id.")),
            ("object", object_word("command")),
            ("status", word(["in_progress", "completed", "expired"], "Where it stands.")),
            ("operation", text("Method and path.")),
            ("idempotency_key", text("The key.")),
            ("resource", or_null(text("Path of what it made."))),
            ("correlation_id", id(CorrelationId::PREFIX, "Names everything that follows from it.")),
            ("received_at", time("When it was accepted.")),
            ("completed_at", or_null(time("When it was answered."))),
            ("intent", or_null(intent)),
            ("attempts", list(attempt)),
            ("outcome", or_null(outcome)),
        ],
    )
}

fn trace() -> Value {
    let line = answered(
        "One thing that happened.",
        [
            ("at", time("When.")),
            ("actor", text("Who did it.")),
            ("event", text("What.")),
            ("details", texts("Names and values.")),
        ],
    );
    let story = answered(
        "What happened to one thing.",
        [
            ("subject", text("Its id.")),
            ("status", text("Where it stands.")),
            ("payment", or_null(id(PaymentId::PREFIX, "The payment it belongs to."))),
            ("command_id", or_null(id(CommandId::PREFIX, "The command that made it."))),
            ("correlation_id", or_null(id(CorrelationId::PREFIX, "Of that command."))),
            ("lines", list(line)),
        ],
    );
    answered(
        "The story behind an id.",
        [
            ("id", text("As it was asked for.")),
            ("object", object_word("trace")),
            ("recognised_as", text("What the id is.")),
            ("stories", list(story)),
            ("has_more", flag("Whether there are more; ask for one of them.")),
        ],
    )
}

fn paused() -> Value {
    let one = answered(
        "One brake.",
        [
            ("gateway", text("The configured gateway, or `*` for all.")),
            ("since", time("Since when.")),
            ("reason", or_null(text("Why."))),
            ("by", text("By whom.")),
        ],
    );
    answered("Everything that is paused.", [("paused", list(one))])
}

fn ready() -> Value {
    let degraded = answered_with(
        "A gateway in trouble.",
        [
            ("gateway", text("The configured gateway.")),
            ("code", text("Which trouble.")),
            ("reason", text("For people.")),
        ],
        [("operations", list(text("What is concerned.")))],
    );
    let behind = answered(
        "How far behind a gateway is.",
        [
            ("gateway", text("The configured gateway.")),
            ("oldest_due_age_ms", or_null(integer("Age of the oldest payment that waits to be sent."))),
            ("oldest_unknown_age_ms", or_null(integer("Age of the oldest whose outcome is being found out."))),
        ],
    );
    let risk = answered(
        "How the database may lose what it acknowledges.",
        [("code", text("Which risk.")), ("reason", text("For people.")), ("remedy", text("What to set."))],
    );
    let encryption = answered(
        "Whether stored secrets and bodies are encrypted.",
        [
            ("status", word(["on", "off"], "Without keys in the configuration they are stored plain.")),
            ("key", or_null(text("Id of the key under which is sealed what is written now."))),
        ],
    );
    answered_with(
        "Whether it takes commands.",
        [
            ("status", word(["ok", "degraded", "stopping"], "How it does.")),
            ("queue_depth", integer("Commands that wait.")),
            ("queue_age_ms", integer("Age of the oldest.")),
            ("degraded", list(degraded)),
            ("backlog", list(behind)),
            ("encryption", encryption),
        ],
        [("risks", list(risk))],
    )
}
