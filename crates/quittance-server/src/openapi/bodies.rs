//! What clients send: a schema for each body, and examples that tests send.

use super::events;
use super::schema::{amount, asked, bounded, currency, id, line, texts, token, with_pattern, word};
use quittance_core::id::CustomerId;
use serde_json::{Map, Value, json};

/// No white space, no control characters, and an `@`.
const EMAIL: &str = r"^[^\s\x00-\x1f\x7f-\x9f]*@[^\s\x00-\x1f\x7f-\x9f]*$";

/// A name of the client's own fields: one line without brackets.
const FIELD: &str = r"^[^\s\x00-\x1f\x7f-\x9f\[\]]([^\x00-\x1f\x7f-\x9f\[\]]*[^\s\x00-\x1f\x7f-\x9f\[\]])?$";

/// The client's own fields.
fn metadata() -> Value {
    let about = "Your own fields: at most 46 texts of 500 bytes, under names of 40 bytes without brackets.";
    let mut name = with_pattern(bounded(40, "Not one that the server writes itself."), FIELD);
    name["not"] = json!({ "enum": ["effect_id", "payment_id", "customer_id", "payment_reference"] });
    let mut metadata = texts(about);
    metadata["maxProperties"] = json!(46);
    metadata["propertyNames"] = name;
    metadata["additionalProperties"] = bounded(500, "Yours; it may be empty.");
    metadata["additionalProperties"]["minLength"] = json!(0);
    metadata
}

fn gateway_ids() -> Value {
    let mut ids = texts("Ids of the customer at gateways, by the gateway's configured name.");
    ids["maxProperties"] = json!(20);
    ids["propertyNames"] = line(64, "One of the configured gateways.");
    ids["additionalProperties"] = token(255, "The gateway's id of the customer.");
    ids
}

/// Every body by its name.
pub(super) fn all() -> Map<String, Value> {
    let mut all = Map::new();
    for (name, schema) in customers().into_iter().chain(payments()).chain(decisions()).chain(events::bodies()) {
        all.insert(name.to_owned(), schema);
    }
    all
}

fn customers() -> [(&'static str, Value); 1] {
    let new = asked(
        "A new customer.",
        [],
        [
            ("id", id(CustomerId::PREFIX, "An id that you draw yourself (TypeID of a UUIDv7).")),
            ("external_id", line(255, "Your own id; it is accepted wherever ours is.")),
            ("name", line(255, "For people.")),
            ("email", with_pattern(bounded(254, "E-mail address."), EMAIL)),
            ("currency", currency()),
            ("timezone", bounded(255, "Name in the IANA database.")),
            ("gateway_ids", gateway_ids()),
            ("metadata", metadata()),
        ],
    );
    [("NewCustomer", new)]
}

/// An address of the web.
fn return_url() -> Value {
    let about = "Where the customer comes back to after authenticating: an absolute address of the web.";
    let mut url = with_pattern(bounded(2048, about), "^https?://[^/\\s]");
    url["format"] = json!("uri");
    url
}

fn payments() -> [(&'static str, Value); 5] {
    let payment = asked(
        "What is to be paid. A reference is paid at most once.",
        [
            ("customer", line(255, "Our id, or your `external_id`.")),
            ("amount", amount(1, "Minor units.")),
            ("currency", currency()),
            ("gateway", token(255, "One of the configured gateways.")),
            ("payment_method", token(255, "The gateway's token, never a card number.")),
            ("reference", line(255, "Your own name for what is paid.")),
        ],
        [
            ("capture_method", word(["automatic", "manual"], "When what is authorised is taken.")),
            ("return_url", return_url()),
            ("on_duplicate", word(["reject", "return_existing"], "What to answer when the reference is taken.")),
            ("description", bounded(500, "Passed to the gateway.")),
            ("metadata", metadata()),
        ],
    );
    let capture = asked("How much is taken.", [], [("amount", amount(1, "Minor units; all of it where left out."))]);
    let cancel = asked("Why it is given up.", [], [("reason", bounded(500, "For people."))]);
    let mut refund = asked(
        "What is given back: `reference` or `expected_refunded_amount` is required.",
        [("payment", line(255, "Id of the payment."))],
        [
            ("amount", amount(1, "Minor units; all that is left where left out.")),
            ("currency", currency()),
            ("reference", line(255, "Your own name for the refund.")),
            ("expected_refunded_amount", amount(0, "What you expect to be refunded so far; minor units.")),
            ("reason", word(["duplicate", "fraudulent", "requested_by_customer"], "Told to the gateway.")),
        ],
    );
    // Null is as good as nothing, so that either has to be there as what it is.
    refund["anyOf"] = json!([
        { "required": ["reference"], "properties": { "reference": { "type": "string" } } },
        { "required": ["expected_refunded_amount"], "properties": { "expected_refunded_amount": { "type": "integer" } } },
    ]);
    let mut evidence = texts("Texts by the gateway's names; 150,000 bytes in all.");
    evidence["minProperties"] = json!(1);
    evidence["maxProperties"] = json!(50);
    evidence["propertyNames"] = token(100, "One of the gateway's names.");
    evidence["additionalProperties"] = bounded(20_000, "What is said.");
    let evidence = json!({
        "type": "object", "description": "The answer to one stage of a dispute; it is final.",
        "required": ["evidence"], "additionalProperties": false,
        "properties": { "evidence": evidence },
    });
    [
        ("NewPayment", payment),
        ("Capture", capture),
        ("Cancel", cancel),
        ("NewRefund", refund),
        ("NewEvidence", evidence),
    ]
}

fn decisions() -> [(&'static str, Value); 6] {
    let mut resolution = asked(
        "A person's decision.",
        [
            (
                "resolution",
                word(["succeeded", "failed", "approved", "refused"], "What happened, or whether it may happen."),
            ),
            ("evidence", line(255, "What it rests on, such as a line of a statement.")),
            ("reason", bounded(500, "Why, for people.")),
        ],
        [("amount", amount(1, "How much of a payment came; with `succeeded` alone."))],
    );
    resolution["anyOf"] = json!([
        { "properties": { "resolution": { "const": "succeeded" } } },
        { "properties": { "amount": { "type": "null" } } },
    ]);
    let switch = asked(
        "What is paused or resumed.",
        [],
        [
            ("gateway", line(255, "A configured gateway; all of them where left out.")),
            ("reason", line(500, "Why, for people.")),
        ],
    );
    let requeue = asked(
        "What is looked at again.",
        [
            ("gateway", line(255, "A configured gateway.")),
            ("object", line(255, "The gateway's id of the object.")),
            ("reason", line(500, "Why, for people.")),
        ],
        [],
    );
    let replay = asked(
        "Why an event is applied again.",
        [("reason", line(500, "For people."))],
        [("gateway", line(255, "Whose event it is, where two gateways have one of that id."))],
    );
    let decision = asked("Why it is decided so.", [("reason", bounded(500, "For people."))], []);
    let mut right = asked(
        "What is right: a side, in every field, or what a person says, in the fields that are named.",
        [
            ("choice", word(["left", "right", "merged"], "The side that is believed, or neither.")),
            ("reason", bounded(500, "For people.")),
        ],
        [(
            "values",
            json!({
                "type": "object", "minProperties": 1, "maxProperties": 100,
                "additionalProperties": { "type": ["string", "integer", "boolean", "null"] },
                "description": "With `merged`: what both sides are to say, by the field's name of the left, in the words of the left.",
            }),
        )],
    );
    right["anyOf"] = json!([
        { "properties": { "choice": { "const": "merged" }, "values": { "type": "object" } }, "required": ["values"] },
        { "properties": { "choice": { "enum": ["left", "right"] }, "values": { "type": "null" } } },
    ]);
    [
        ("Resolution", resolution),
        ("Switch", switch),
        ("Requeue", requeue),
        ("Replay", replay),
        ("DiscrepancyDecision", decision),
        ("DiscrepancyResolution", right),
    ]
}

/// Examples of a body, by name.
pub(super) fn examples(body: &str) -> Value {
    let examples = events::examples(body).unwrap_or_else(|| examples_of(body));
    let Value::Object(examples) = examples else { return Value::Null };
    examples.into_iter().map(|(name, value)| (name, json!({ "value": value }))).collect::<Map<_, _>>().into()
}

fn examples_of(body: &str) -> Value {
    match body {
        "NewCustomer" => json!({ "by_your_own_id": { "external_id": "anna", "name": "Anna", "currency": "USD" } }),
        "NewPayment" => json!({
            "at_once": {
                "customer": "anna", "amount": 1999, "currency": "USD", "gateway": "sandbox",
                "payment_method": "pm_card_visa", "reference": "order-1001",
            },
            "captured_later": {
                "customer": "anna", "amount": 1999, "currency": "USD", "gateway": "sandbox",
                "payment_method": "pm_card_visa", "reference": "order-1002", "capture_method": "manual",
            },
        }),
        "Capture" => json!({ "everything": {}, "a_part": { "amount": 1000 } }),
        "Cancel" => json!({ "with_a_reason": { "reason": "the customer changed her mind" } }),
        "NewRefund" => json!({
            "a_part": { "payment": "pay_01h455vb4pex5vsknk084sn02q", "amount": 500, "reference": "return-77" },
            "the_rest": { "payment": "pay_01h455vb4pex5vsknk084sn02q", "expected_refunded_amount": 500 },
        }),
        "NewEvidence" => json!({ "a_receipt": { "evidence": { "uncategorized_text": "It was delivered." } } }),
        "Resolution" => json!({
            "it_came": {
                "resolution": "succeeded", "evidence": "statement 7, line 3", "reason": "seen at the bank", "amount": 1999,
            },
            "it_did_not": { "resolution": "failed", "evidence": "statement 7", "reason": "it never came to the bank" },
        }),
        "Switch" => json!({ "everything": {}, "one_gateway": { "gateway": "sandbox", "reason": "a wrong price" } }),
        "Requeue" => json!({ "an_object": { "gateway": "sandbox", "object": "pi_123", "reason": "it is back" } }),
        "DiscrepancyDecision" => json!({ "as_agreed": { "reason": "a free month, as agreed" } }),
        "DiscrepancyResolution" => json!({
            "the_right": { "choice": "right", "reason": "the provider is right" },
            "neither": { "choice": "merged", "values": { "plan": "basic" }, "reason": "as the contract says" },
        }),
        _ => json!({ "again": { "reason": "applied by hand" } }),
    }
}
