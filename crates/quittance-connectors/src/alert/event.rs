//! A message as a CloudEvent 1.0 in structured mode, as all events of the project are.

use super::text;
use quittance_core::alert::{Line, Message};
use quittance_core::record::value::Value as Canonical;
use quittance_core::time::Timestamp;
use serde_json::{Value, json};

/// The type of these events.
pub const EVENT_TYPE: &str = "dev.quittance.alerts.v1";

/// The bytes of the event; the same for every attempt to send it.
#[must_use]
pub fn event(message: &Message, id: &str, channel: &str) -> Vec<u8> {
    let alerts: Vec<Value> = message.lines.iter().map(alert).collect();
    let data = json!({
        "title": text::title(message),
        "severity": message.severity().map(|severity| severity.name()),
        "alerts": alerts,
        "more": message.more,
    });
    json!({
        "specversion": "1.0",
        "id": id,
        "source": "urn:quittance:alerts",
        "type": EVENT_TYPE,
        "subject": channel,
        "time": time(message.at),
        "datacontenttype": "application/json",
        "data": data,
    })
    .to_string()
    .into_bytes()
}

/// To the microsecond, as everywhere in data.
fn time(at: Timestamp) -> String {
    Canonical::Timestamp(at).to_string()
}

fn alert(line: &Line) -> Value {
    let amounts: Vec<Value> =
        line.amounts.iter().map(|(currency, sum)| json!({"currency": currency.code(), "amount": sum})).collect();
    json!({
        "state": line.cause.name(),
        "subject": line.subject,
        "kind": line.kind.name(),
        "severity": line.severity.name(),
        "what": line.what,
        "count": line.count,
        "amounts": amounts,
        "since": time(line.since),
        "until": line.until.map(time),
        "link": line.link,
    })
}
