//! Owns: what the demo's clients do about a payment after it was authorised or paid: take it, give it up, want it back,
//! defend it. Does not own: the payment itself (`shopper`).

use serde_json::{Value, json};

use super::plan::Order;
use super::script::{Duplicate, Ending, GOOD_CARD};
use super::shopper::{Command, Shopper, say};

/// How often the dispute of a payment is looked for, two minutes in all: the gateway tells us of it by a webhook, or we ask
/// for it, and a third of what is asked for fails.
const LOOKS_MAX: u32 = 1_200;

impl Shopper {
    /// Authorises, and takes what was authorised, or a part of it.
    pub(super) async fn capture(&self, order: &Order, percent: u64) {
        let command = self.command(order, "a", GOOD_CARD, Duplicate::Reject);
        let Some(payment) = self.authorised(order, &command).await else { return };
        let amount = self.part(order, percent);
        let body = if percent == 100 { json!({}) } else { json!({"amount": amount}) };
        let step = self.step(order, &payment, "capture", &body);
        let answer = self.expect(order, &step, 1, &[200]).await;
        let captured = answer.as_ref().and_then(|answer| answer.json()["captured_amount"].as_u64());
        if captured != Some(amount) {
            self.notes.surprise(format!("{}: captured {amount} and heard {}", step.key, say(&answer)));
        }
        self.notes.count("client_captured");
    }

    /// Authorises, and gives it up.
    pub(super) async fn release(&self, order: &Order) {
        let command = self.command(order, "a", GOOD_CARD, Duplicate::Reject);
        let Some(payment) = self.authorised(order, &command).await else { return };
        let step = self.step(order, &payment, "cancel", &json!({"reason": "changed their mind"}));
        self.expect(order, &step, 1, &[200]).await;
        self.notes.count("client_released");
    }

    async fn authorised(&self, order: &Order, command: &Command) -> Option<String> {
        let answer = self.expect(order, command, 0, &[201]).await?;
        if answer.json()["status"] != "requires_capture" {
            self.notes.surprise(format!("{} was not to be captured yet and heard {}", command.key, answer.text()));
        }
        answer.payment_id()
    }

    /// Pays, and wants some of it back.
    pub(super) async fn pay_and_refund(&self, order: &Order, card: &str, percent: u64) {
        let command = self.command(order, "a", card, Duplicate::Reject);
        let Some(answer) = self.expect(order, &command, 0, &[201]).await else { return };
        let Some(payment) = answer.payment_id() else { return };
        let refund = self.refund(order, &payment, "r", self.part(order, percent));
        self.expect(order, &refund, 1, &[201]).await;
        self.notes.count("client_refunded");
    }

    /// Wants more than half of it back twice at once: one of them is too much.
    pub(super) async fn race_refunds(&self, order: &Order, command: &Command) {
        let Some(answer) = self.expect(order, command, 0, &[201]).await else { return };
        let Some(payment) = answer.payment_id() else { return };
        let amount = self.part(order, 60);
        let (one, other) = (self.refund(order, &payment, "r", amount), self.refund(order, &payment, "s", amount));
        let (one, other) =
            tokio::join!(self.expect(order, &one, 1, &[201, 422]), self.expect(order, &other, 2, &[201, 422]));
        let (Some(one), Some(other)) = (one, other) else { return };
        let given = [&one, &other].iter().filter(|answer| answer.status == 201).count();
        if given != 1 {
            let heard = format!("{} {} and {} {}", one.status, one.text(), other.status, other.text());
            self.notes.surprise(format!("{}: two refunds of 60 % raced and heard {heard}", order.reference));
        }
        self.notes.count("client_refunds_raced");
    }

    /// Pays, sees the bank object, perhaps hands evidence in, and the issuer decides.
    pub(super) async fn dispute(&self, order: &Order, command: &Command, ending: Ending) {
        let Some(answer) = self.expect(order, command, 0, &[201]).await else { return };
        let Some(payment) = answer.payment_id() else { return };
        self.notes.count("client_disputed");
        if ending == Ending::Open {
            return;
        }
        let Some(dispute) = self.dispute_of(&payment).await else {
            return self.notes.surprise(format!("{}: its dispute is not known here", order.reference));
        };
        let (Some(id), Some(object)) = (dispute["id"].as_str(), dispute["gateway_id"].as_str()) else {
            return self.notes.surprise(format!("{}: a dispute without ids: {dispute}", order.reference));
        };
        let outcome = if ending == Ending::Won { "won" } else { "lost" };
        if ending == Ending::Won {
            let body = json!({"evidence": {"uncategorized_text": "It was delivered; see the receipt."}});
            let (path, key) = (format!("/v1/disputes/{id}/evidence"), format!("{}-e", order.reference));
            let evidence = Command { path, key, body: body.to_string() };
            self.expect(order, &evidence, 1, &[200, 201]).await;
        }
        if let Err(error) = self.gateway.decide_dispute(object, outcome).await {
            self.notes.surprise(format!("{} cannot be decided: {error:#}", order.reference));
        }
    }

    /// The dispute of a payment, once we know of it.
    async fn dispute_of(&self, payment: &str) -> Option<Value> {
        for _ in 0..LOOKS_MAX {
            let list = self.api.get_json(&format!("/v1/disputes?payment={payment}")).await;
            if let Some(dispute) = list.ok().and_then(|list| list["data"].get(0).cloned()) {
                return Some(dispute);
            }
            super::shopper::pause(100).await;
        }
        None
    }

    fn step(&self, order: &Order, payment: &str, step: &str, body: &Value) -> Command {
        let (path, key) = (format!("/v1/payments/{payment}/{step}"), format!("{}-{step}", order.reference));
        Command { path, key, body: body.to_string() }
    }

    fn refund(&self, order: &Order, payment: &str, name: &str, amount: u64) -> Command {
        let reference = format!("{}-{name}", order.reference);
        let body = json!({"payment": payment, "amount": amount, "reference": reference});
        Command { path: "/v1/refunds".to_owned(), key: reference, body: body.to_string() }
    }

    /// So much of a hundred, in steps that every currency takes.
    fn part(&self, order: &Order, percent: u64) -> u64 {
        match percent {
            100 => order.amount,
            _ => (order.amount * percent / 100 / 10 * 10).max(10),
        }
    }
}
