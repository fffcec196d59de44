//! What is answered: a schema for each resource, in the order in which its members stand.

use super::schema::{
    answered, answered_with, currency, flag, id, integer, list, object_word, or_null, page, reference, text, texts,
    time, word,
};
use super::{alerts, codes, events, findings, pairs};
use quittance_core::brake::Limit;
use quittance_core::event::Object;
use quittance_core::id::{CommandId, CorrelationId, CustomerId, DiscrepancyId, DisputeId, HoldId, PaymentId, RefundId};
use quittance_core::payment::Status;
use quittance_core::refund::RefundStatus;
use quittance_store::records::DiscrepancyKind;
use serde_json::{Map, Value, json};

/// Resources of which there are lists.
const LISTED: [&str; 13] = [
    "Payment",
    "Refund",
    "Dispute",
    "Customer",
    "LedgerEntry",
    "Balance",
    "Account",
    "Event",
    "WebhookEndpoint",
    "Delivery",
    "Pair",
    "Run",
    "Proof",
];

/// What an event carries about an object.
pub(super) fn carried(object: Object) -> Value {
    let (name, mut all) = match object {
        Object::Customer => ("Customer", others()),
        Object::Payment => ("Payment", money()),
        Object::Refund => ("Refund", refunds_and_disputes()),
        Object::Dispute => ("Dispute", refunds_and_disputes()),
    };
    all.retain(|(each, _)| *each == name);
    all.pop().map_or(Value::Null, |(_, schema)| schema)
}

/// Every resource by its name.
pub(super) fn all() -> Map<String, Value> {
    let mut all = Map::new();
    let every = [money(), refunds_and_disputes(), others()]
        .into_iter()
        .flatten()
        .chain(ledger())
        .chain(operation())
        .chain(events::resources())
        .chain(pairs::resources())
        .chain(alerts::resources())
        .chain(findings::resources());
    for (name, schema) in every {
        if LISTED.contains(&name) {
            all.insert(format!("{name}Page"), page(name));
        }
        all.insert(name.to_owned(), schema);
    }
    all
}

fn names_of<T>(all: &[T], name: impl Fn(&T) -> &'static str) -> Vec<&'static str> {
    all.iter().map(name).collect()
}

fn parked_by() -> Value {
    or_null(word(names_of(&Limit::ALL, |limit| limit.name()), "The limit that holds it back until a person decides."))
}

fn command_and_correlation() -> [(&'static str, Value); 2] {
    [
        ("command_id", id(CommandId::PREFIX, "The command that made it.")),
        ("correlation_id", id(CorrelationId::PREFIX, "Names everything that follows from that command.")),
    ]
}

fn money() -> Vec<(&'static str, Value)> {
    let [command, correlation] = command_and_correlation();
    let decline =
        answered("Why it failed.", [("code", text("The gateway's code.")), ("retryable", flag("By the gateway."))]);
    let payment = answered(
        "A payment.",
        [
            ("id", id(PaymentId::PREFIX, "Its id.")),
            ("object", object_word("payment")),
            ("status", word(names_of(&Status::ALL, |status| status.name()), "Where it stands.")),
            ("amount", integer("What is to be paid, minor units.")),
            ("currency", currency()),
            ("customer", id(CustomerId::PREFIX, "Who pays.")),
            ("gateway", text("The configured gateway.")),
            ("gateway_id", or_null(text("The gateway's id of its object."))),
            ("reference", text("Your name for what is paid.")),
            ("captured_amount", integer("What came, minor units.")),
            ("refunded_amount", integer("What was given back.")),
            ("refunding_amount", integer("What is being given back.")),
            ("disputed_amount", integer("What a dispute has withdrawn.")),
            ("returned_amount", integer("What the gateway took back.")),
            ("capture_method", word(["automatic", "manual"], "When what is authorised is taken.")),
            ("return_url", or_null(text("Where the customer comes back to."))),
            ("payment_method", text("The gateway's token.")),
            (
                "next_action",
                json!({ "description": "What the customer has to do, in the gateway's own words, or null." }),
            ),
            ("parked_by", parked_by()),
            ("decline", or_null(decline)),
            ("description", or_null(text("Yours."))),
            ("metadata", texts("Yours.")),
            ("command_id", command.1),
            ("correlation_id", correlation.1),
            ("created_at", time("When it was accepted.")),
        ],
    );
    vec![("Payment", payment)]
}

fn refunds_and_disputes() -> Vec<(&'static str, Value)> {
    let [command, correlation] = command_and_correlation();
    let refund = answered(
        "Money given back.",
        [
            ("id", id(RefundId::PREFIX, "Its id.")),
            ("object", object_word("refund")),
            ("status", word(names_of(&RefundStatus::ALL, |status| status.name()), "Where it stands.")),
            ("amount", integer("Minor units.")),
            ("currency", currency()),
            ("payment", id(PaymentId::PREFIX, "What is given back.")),
            ("customer", id(CustomerId::PREFIX, "To whom.")),
            ("gateway", text("The configured gateway.")),
            ("gateway_id", or_null(text("The gateway's id of its object."))),
            ("reference", or_null(text("Your name for it."))),
            ("reason", or_null(text("Told to the gateway."))),
            ("failure_code", or_null(text("Why it failed, by the gateway."))),
            ("parked_by", parked_by()),
            ("command_id", command.1),
            ("correlation_id", correlation.1),
            ("created_at", time("When it was accepted.")),
        ],
    );
    let dispute = answered(
        "A cardholder's objection.",
        [
            ("id", id(DisputeId::PREFIX, "Its id.")),
            ("object", object_word("dispute")),
            ("status", text("The gateway's word for where it stands.")),
            ("amount", integer("What is disputed, minor units.")),
            ("currency", currency()),
            ("payment", id(PaymentId::PREFIX, "The disputed payment.")),
            ("customer", id(CustomerId::PREFIX, "Whose.")),
            ("gateway", text("The configured gateway.")),
            ("gateway_id", text("The gateway's id of the dispute.")),
            ("reason", text("The gateway's word for why.")),
            ("evidence_due_by", or_null(time("Until when evidence is taken."))),
            ("takes_evidence", flag("Whether evidence can be submitted now.")),
            ("submissions", integer("How often it was.")),
            ("withdrawn_amount", integer("What the gateway has withdrawn, minor units.")),
            ("written_off", flag("Whether it is booked as lost.")),
            ("created_at", time("When it was first seen.")),
        ],
    );
    vec![("Refund", refund), ("Dispute", dispute)]
}

fn others() -> Vec<(&'static str, Value)> {
    let customer = answered(
        "A customer, who also names a book of the ledger.",
        [
            ("id", id(CustomerId::PREFIX, "Its id.")),
            ("object", object_word("customer")),
            ("external_id", or_null(text("Your own id."))),
            ("name", or_null(text("For people."))),
            ("email", or_null(text("E-mail address."))),
            ("currency", or_null(currency())),
            ("timezone", or_null(text("Name in the IANA database."))),
            ("gateway_ids", texts("Ids at gateways.")),
            ("metadata", texts("Yours.")),
            ("created_at", time("When it was created.")),
        ],
    );
    let discrepancy = answered(
        "What a gateway shows and the books do not, or the other way round.",
        [
            ("id", id(DiscrepancyId::PREFIX, "Its id.")),
            ("object", object_word("discrepancy")),
            ("source", object_word("gateway")),
            ("kind", word(names_of(&DiscrepancyKind::ALL, |kind| kind.name()), "What does not agree.")),
            ("status", word(["open", "closed"], "Whether it still holds.")),
            ("gateway", text("The configured gateway.")),
            ("gateway_id", text("The gateway's object, or `events`.")),
            ("payment", or_null(id(PaymentId::PREFIX, "What it is about."))),
            ("detail", text("What was seen, for people.")),
            ("opened_at", time("Since when.")),
            ("last_seen_at", time("When it was last seen to hold.")),
            ("closed_at", or_null(time("When a look contradicted it."))),
        ],
    );
    vec![("Customer", customer), ("Discrepancy", discrepancy), ("Problem", problem())]
}

fn problem() -> Value {
    answered_with(
        "A refusal or a failure (RFC 9457).",
        [
            ("type", text("`urn:quittance:problem:` and the code.")),
            ("title", text("The same for every problem of the code.")),
            ("status", integer("As of the answer.")),
            ("detail", text("What is wrong this time.")),
            ("code", word(codes(), "Stable.")),
            ("retryable", flag("Whether the same request, under the same key, may succeed later.")),
        ],
        [
            ("command_id", id(CommandId::PREFIX, "The command it is about.")),
            ("correlation_id", id(CorrelationId::PREFIX, "Of that command.")),
            ("resource", text("Path of the resource it is about.")),
            (
                "errors",
                list(answered_with(
                    "One mistake.",
                    [("detail", text("What is wrong, and what would be right."))],
                    [
                        ("pointer", text("Where in the body (RFC 6901).")),
                        ("parameter", text("Which parameter or header.")),
                    ],
                )),
            ),
            ("payment", reference("Payment")),
            (
                "brake",
                answered_with(
                    "The limit that stopped it.",
                    [
                        ("limit", word(names_of(&Limit::ALL, |limit| limit.name()), "Which.")),
                        ("max", integer("What it allows.")),
                        ("used", integer("What is used.")),
                        ("asked", integer("What was asked for.")),
                    ],
                    [("payments", integer("Payments that the retries are among.")), ("currency", currency())],
                ),
            ),
        ],
    )
}

fn ledger() -> Vec<(&'static str, Value)> {
    let side = || word(["debit", "credit"], "Side.");
    let posting = answered(
        "One side of a movement.",
        [
            ("account", text("An account of the chart.")),
            ("side", side()),
            ("amount", integer("Minor units, above zero.")),
            ("currency", currency()),
        ],
    );
    let entry = answered(
        "A movement of money, as the journal has it.",
        [
            ("object", object_word("ledger_entry")),
            ("customer", id(CustomerId::PREFIX, "Whose book.")),
            ("seq", integer("Number of the record in the book.")),
            ("at", time("When it was recorded.")),
            ("movement", word(["held", "posted", "voided", "corrected"], "What became of it.")),
            ("hold", or_null(id(HoldId::PREFIX, "The hold."))),
            ("payment", or_null(id(PaymentId::PREFIX, "What for."))),
            ("refund", or_null(id(RefundId::PREFIX, "What for."))),
            ("dispute", or_null(id(DisputeId::PREFIX, "What for."))),
            ("postings", list(posting)),
            ("record_hash", text("SHA-256 of the record, chained to the one before.")),
        ],
    );
    let balance = answered(
        "A sum over books.",
        [
            ("object", object_word("balance")),
            ("account", text("An account of the chart.")),
            ("currency", currency()),
            ("normal_side", side()),
            ("amount", integer("What is posted, on the normal side; minor units.")),
            ("debit_amount", integer("Posted on the left.")),
            ("credit_amount", integer("Posted on the right.")),
            ("held_debit_amount", integer("Held on the left.")),
            ("held_credit_amount", integer("Held on the right.")),
        ],
    );
    let account = answered(
        "An account in use.",
        [
            ("object", object_word("account")),
            ("account", text("Its name.")),
            ("normal_side", side()),
            ("currencies", list(currency())),
        ],
    );
    vec![("LedgerEntry", entry), ("Balance", balance), ("Account", account)]
}

fn operation() -> Vec<(&'static str, Value)> {
    let mut all = super::operational::all();
    all.push(("Contract", json!({ "type": "object", "description": "This document." })));
    all.push(("PaymentOrCommand", json!({ "anyOf": [reference("Payment"), reference("PendingCommand")] })));
    all.push(("RefundOrCommand", json!({ "anyOf": [reference("Refund"), reference("PendingCommand")] })));
    all.push((
        "AnyOrCommand",
        json!({ "anyOf": [reference("Payment"), reference("Refund"), reference("Dispute"), reference("PendingCommand")] }),
    ));
    all
}
