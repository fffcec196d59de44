//! What is answered about alerts.

use super::schema::{answered, flag, id, integer, list, object_word, or_null, reference, text, time, word};
use quittance_core::alert::{Kind, Severity};
use quittance_core::id::SilenceId;
use serde_json::{Value, json};

pub(super) fn resources() -> Vec<(&'static str, Value)> {
    let alerts = answered(
        "What is wrong, whom it is told, and what is silenced.",
        [("data", list(reference("Alert"))), ("channels", list(channel())), ("silences", list(silence()))],
    );
    vec![("Alert", alert()), ("Alerts", alerts)]
}

fn kind(about: &str) -> Value {
    word(Kind::ALL.map(Kind::name), about)
}

fn alert() -> Value {
    let money =
        answered("An amount at stake.", [("currency", text("Code of ISO 4217.")), ("amount", integer("Minor units."))]);
    let told = answered(
        "What a channel was last told of it.",
        [
            ("channel", text("The channel.")),
            ("state", word(["firing", "resolved"], "That it is wrong, or that it is over.")),
            ("at", time("When the message was written down.")),
        ],
    );
    answered(
        "What is wrong with one subject in one way, or was.",
        [
            ("object", object_word("alert")),
            ("subject", text("A pair by its name, `gateways.NAME` or `alerts.NAME`.")),
            ("kind", kind("What it is about.")),
            ("status", word(["open", "closed"], "Whether it still is wrong.")),
            ("severity", word(Severity::ALL.map(Severity::name), "How bad it is, or was.")),
            ("what", text("What is wrong, for people.")),
            ("count", integer("How many are affected.")),
            ("amounts", list(money)),
            ("since", time("Since when, as far as is known.")),
            ("changed_at", time("When it became what `status` says.")),
            ("observed_at", time("When it was last looked at.")),
            ("silenced", flag("Whether nobody is told of it now.")),
            ("told", list(told)),
            ("link", or_null(text("Where more is to be seen."))),
        ],
    )
}

fn channel() -> Value {
    answered(
        "A channel, and how it fares.",
        [
            ("name", text("As it is configured.")),
            ("kind", word(["slack", "webhook", "smtp"], "What it is.")),
            ("failing_since", or_null(time("Since when it has taken no messages."))),
            ("error", or_null(text("Why it did not take the newest one."))),
            ("waiting", integer("Messages that wait to be sent.")),
            ("sent", integer("Messages it took.")),
            ("given_up", integer("Messages that were given up.")),
        ],
    )
}

fn silence() -> Value {
    let mut silence = answered(
        "What nobody is told of for a while.",
        [
            ("id", id(SilenceId::PREFIX, "Its id.")),
            ("object", object_word("silence")),
            ("subject", text("Of what; `*` for everything.")),
            ("kind", or_null(kind("Of which kind; null for every one."))),
            ("status", word(["in_force", "ended"], "Whether it holds.")),
            ("from", time("When it began.")),
            ("until", time("When it ends.")),
            ("reason", text("Why.")),
            ("by", text("Who asked for it.")),
        ],
    );
    silence["properties"]["subject"]["minLength"] = json!(1);
    silence
}
