//! What is answered about pairs of systems.

use super::schema::{answered, flag, integer, object_word, or_null, text, time, word};
use serde_json::{Value, json};

pub(super) fn resources() -> Vec<(&'static str, Value)> {
    vec![("Truth", truth()), ("Invalidated", invalidated())]
}

fn truth() -> Value {
    answered(
        "What is true of a record, by the system that its pair believes.",
        [
            ("object", object_word("truth")),
            ("pair", text("The pair.")),
            ("key", text("The key, as it was asked for.")),
            ("system", text("The system that is believed.")),
            ("found", flag("Whether it has such a record.")),
            ("fields", values("Each mapped field, as it is compared; null where there is no record.", true)),
            (
                "unmapped",
                values("What the system says in fields whose map has no word for it; they are null above.", false),
            ),
            ("modified_at", or_null(time("When the record was last changed, where its system tells."))),
            ("as_of", time("When the system was asked.")),
            ("source", word(["cache", "provider", "stale"], "Where the answer comes from.")),
            ("age_ms", integer("How long ago the system was asked.")),
        ],
    )
}

/// Values of any kind under names.
fn values(about: &str, may_be_null: bool) -> Value {
    let kind = if may_be_null { json!(["object", "null"]) } else { json!("object") };
    json!({ "type": kind, "description": about })
}

fn invalidated() -> Value {
    answered(
        "What is asked anew.",
        [
            ("object", object_word("truth")),
            ("pair", text("The pair.")),
            ("key", text("The key.")),
            ("invalidated", flag("Always true.")),
        ],
    )
}
