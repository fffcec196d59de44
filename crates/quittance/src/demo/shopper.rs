//! Owns: a client that wants one order paid, misbehaves as the plan says, and asks again with the same key until it
//! knows. Does not own: the plan, or judging what came of it.

use std::sync::Arc;
use std::time::Duration;

use quittance_server::clock::Stopwatch;
use serde_json::json;

use super::api::{Api, PATIENCE, Reply, Trouble};
use super::dice::Dice;
use super::evidence::Answer;
use super::gateway::Gateway;
use super::notes::Notes;
use super::plan::{Order, Plan};
use super::script::{AUTHENTICATING_CARD, DISPUTING_CARD, Duplicate, GOOD_CARD, Script};

/// Works through orders.
#[derive(Clone)]
pub(crate) struct Shopper {
    /// How to reach us.
    pub(crate) api: Api,
    /// Where a customer authenticates.
    pub(crate) gateway: Arc<Gateway>,
    /// Where to write things down.
    pub(crate) notes: Arc<Notes>,
    /// What to do.
    pub(crate) plan: Arc<Plan>,
    /// The seed of what the plan leaves open.
    pub(crate) seed: u64,
    /// In how many of a thousand requests the client hangs up before an answer can be expected.
    pub(crate) impatience: u64,
}

/// A request with its key: the same bytes however often it is sent.
#[derive(Debug, Clone)]
pub(super) struct Command {
    pub(super) path: String,
    pub(super) key: String,
    pub(super) body: String,
}

/// After this, a command that still has no final answer is a finding.
const INSISTENCE: Duration = Duration::from_secs(120);
/// How often a client hangs up early on one command before it learns patience.
const EARLY_HANG_UPS_MAX: u32 = 2;

impl Shopper {
    /// Does what the order's script says, to the end.
    pub(crate) async fn serve(&self, order: &Order) {
        let first = self.command(order, "a", GOOD_CARD, Duplicate::Reject);
        match order.script {
            Script::Pay => self.pay(order, &first, 0).await,
            Script::RaceKey { racers } => self.race_key(order, &first, racers).await,
            Script::ReuseKey => {
                self.pay(order, &first, 0).await;
                self.reuse_key(order, &first).await;
            }
            Script::RaceReference { second } => {
                let second = self.command(order, "b", GOOD_CARD, second);
                self.race_reference(order, &first, &second).await;
            }
            Script::DeclineThenPay { card } => {
                self.decline(order, card).await;
                self.pay(order, &self.command(order, "b", GOOD_CARD, Duplicate::Reject), 1).await;
            }
            Script::Authenticate => self.authenticate(order).await,
            Script::Decline { card } => self.decline(order, card).await,
            Script::Capture { percent } => self.capture(order, percent).await,
            Script::Release => self.release(order).await,
            Script::Refund { card, percent } => self.pay_and_refund(order, card, percent).await,
            Script::RaceRefunds => self.race_refunds(order, &first).await,
            Script::Dispute { ending } => {
                let command = self.command(order, "a", DISPUTING_CARD, Duplicate::Reject);
                self.dispute(order, &command, ending).await;
            }
        }
    }

    pub(super) fn command(&self, order: &Order, attempt: &str, card: &str, on_duplicate: Duplicate) -> Command {
        let mut body = json!({
            "customer": self.plan.customers[order.customer],
            "amount": order.amount,
            "currency": order.currency,
            "gateway": "sandbox",
            "payment_method": card,
            "reference": order.reference,
            "on_duplicate": on_duplicate.name(),
            "metadata": {"order": order.reference},
        });
        if matches!(order.script, Script::Capture { .. } | Script::Release) {
            body["capture_method"] = json!("manual");
        }
        let (path, key) = ("/v1/payments".to_owned(), format!("{}-{attempt}", order.reference));
        Command { path, key, body: body.to_string() }
    }

    async fn pay(&self, order: &Order, command: &Command, racer: u64) {
        self.expect(order, command, racer, &[201]).await;
    }

    async fn decline(&self, order: &Order, card: &str) {
        let command = self.command(order, "a", card, Duplicate::Reject);
        self.expect(order, &command, 0, &[402]).await;
    }

    /// Pays, and takes the step that the bank wants from the customer. What follows from that reaches us by a webhook,
    /// or not.
    async fn authenticate(&self, order: &Order) {
        self.notes.count("client_authenticated");
        let command = self.command(order, "a", AUTHENTICATING_CARD, Duplicate::Reject);
        let Some(answer) = self.expect(order, &command, 0, &[201]).await else { return };
        let object = answer.json()["gateway_id"].as_str().unwrap_or_default().to_owned();
        if let Err(error) = self.gateway.authenticate(&object).await {
            self.notes.surprise(format!("{} cannot be authenticated: {error:#}", order.reference));
        }
    }

    /// The same key from several places at once: all of them must hear the same.
    async fn race_key(&self, order: &Order, command: &Command, racers: u64) {
        self.notes.count("client_key_raced");
        let racing = (0..racers).map(|racer| {
            let (shopper, order, command) = (self.clone(), order.clone(), command.clone());
            tokio::spawn(async move { shopper.pay(&order, &command, racer).await })
        });
        for racer in racing.collect::<Vec<_>>() {
            // The notes hold what it found; a panic shows as a missing answer.
            let _ = racer.await;
        }
    }

    /// The same payment under two keys at once: one is made, the other hears of it.
    async fn race_reference(&self, order: &Order, first: &Command, second: &Command) {
        self.notes.count("client_reference_raced");
        let (first, second) = tokio::join!(
            self.expect(order, first, 0, &[200, 201, 409]),
            self.expect(order, second, 1, &[200, 201, 409])
        );
        let (Some(first), Some(second)) = (first, second) else { return };
        let made = [&first, &second].iter().filter(|answer| answer.status == 201).count();
        let (one, other) = (first.payment_id(), second.payment_id());
        let is_same = one.is_none() || other.is_none() || one == other;
        if made != 1 || !is_same {
            let answers = format!("{} {} and {} {}", first.status, first.text(), second.status, second.text());
            self.notes.surprise(format!("{}: two keys raced for it and heard {answers}", order.reference));
        }
    }

    /// The key of a finished command for something else: refused, whatever it is.
    async fn reuse_key(&self, order: &Order, command: &Command) {
        self.notes.count("client_key_reused");
        let changed = Order { amount: order.amount + 10, ..order.clone() };
        let other = Command { key: command.key.clone(), ..self.command(&changed, "a", GOOD_CARD, Duplicate::Reject) };
        let mut dice = self.dice(order, 99);
        let answer = self.insist(&other, &mut dice).await;
        if !answer.as_ref().is_some_and(|answer| answer.status == 422 && answer.code() == "idempotency-key-reused") {
            self.notes.surprise(format!("{} was used for another amount and heard {}", other.key, say(&answer)));
        }
    }

    /// Insists on an answer and notes it.
    pub(super) async fn expect(
        &self,
        order: &Order,
        command: &Command,
        racer: u64,
        statuses: &[u16],
    ) -> Option<Answer> {
        let mut dice = self.dice(order, racer);
        let answer = self.insist(command, &mut dice).await;
        if let Some(answer) = &answer {
            self.notes.acknowledge(&command.key, &command.path, &command.body, answer);
        }
        if !answer.as_ref().is_some_and(|answer| statuses.contains(&answer.status)) {
            self.notes.surprise(format!("{} expected {statuses:?} and heard {}", command.key, say(&answer)));
        }
        answer
    }

    /// Sends until the answer is final.
    async fn insist(&self, command: &Command, dice: &mut Dice) -> Option<Answer> {
        let since = Stopwatch::start();
        let mut hang_ups = 0;
        while since.elapsed() < INSISTENCE {
            let is_early = hang_ups < EARLY_HANG_UPS_MAX && dice.hits(self.impatience);
            hang_ups += u32::from(is_early);
            let patience = if is_early { Duration::from_millis(dice.between(1, 120)) } else { PATIENCE };
            match self.api.post(&command.path, &command.key, &command.body, patience).await {
                Ok(reply) if is_final(&reply) => {
                    if reply.is_replayed {
                        self.notes.replay();
                    }
                    return Some(reply.answer);
                }
                Ok(reply) => self.look_around(command, &reply, dice).await,
                Err(Trouble::TimedOut) => self.notes.count("client_timeout"),
                Err(Trouble::ConnectionLost) => {
                    self.notes.count("client_connection_lost");
                    pause(dice.between(5, 50)).await;
                }
            }
        }
        None
    }

    /// What a client does with an answer that is not final: looks where it points, waits a little.
    async fn look_around(&self, command: &Command, reply: &Reply, dice: &mut Dice) {
        if reply.answer.status == 202 {
            self.notes.count("client_told_to_wait");
            if let Some(payment) = reply.answer.payment_id() {
                self.notes.promise(&command.key, payment);
            }
            if let Some(location) = &reply.location {
                self.follow(command, location).await;
            }
        } else {
            self.notes.count("client_turned_away");
        }
        pause(dice.between(20, 200)).await;
    }

    async fn follow(&self, command: &Command, location: &str) {
        if let Ok(reply) = self.api.get(location).await
            && matches!(reply.answer.status, 404 | 410)
        {
            self.notes.surprise(format!("{} was told to look at {location}, which is not there", command.key));
        }
    }

    fn dice(&self, order: &Order, racer: u64) -> Dice {
        let number = u64::try_from(order.number).unwrap_or(0);
        Dice::new(self.seed, (number + 1) * 1_000 + racer)
    }
}

/// Whether asking again could not change it.
fn is_final(reply: &Reply) -> bool {
    match reply.answer.status {
        202 | 429 | 500.. => false,
        409 => reply.answer.code() != "idempotency-in-progress",
        _ => true,
    }
}

pub(super) fn say(answer: &Option<Answer>) -> String {
    answer.as_ref().map_or("nothing final".to_owned(), |answer| format!("{} {}", answer.status, answer.text()))
}

pub(super) async fn pause(ms: u64) {
    tokio::time::sleep(Duration::from_millis(ms)).await;
}
