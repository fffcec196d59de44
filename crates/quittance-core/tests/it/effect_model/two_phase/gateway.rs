//! A two-phase gateway with its own books: inert intents that are confirmed, authenticated, captured and canceled.

use quittance_core::effect::Step;
use quittance_core::fact::{Decline, Fact, Loss, ObjectKind, ObjectStatus, Sighting};
use quittance_core::time::Timestamp;
use std::collections::BTreeMap;

use crate::effect_model::books::sighting;
use crate::effect_model::money;

/// What a confirm leads to.
#[derive(Clone, Copy, Debug)]
pub(super) enum Attempt {
    Accepted,
    Declined,
    NeedsAction,
    TakesTime,
}

/// A request as the gateway gets it.
#[derive(Clone, Debug)]
pub(super) struct Sent {
    pub(super) step: Step,
    /// Which payment under the reference, and which try of the step: what the key is made of.
    pub(super) attempt: u8,
    pub(super) generation: u32,
    pub(super) object: Option<usize>,
    pub(super) amount: i64,
    /// When it has arrived at the latest; a confirm may take for ever.
    pub(super) arrives_by: Option<Timestamp>,
    /// Whether it was answered with an error, and is carried out after all.
    pub(super) is_rolled_forward: bool,
}

impl Sent {
    const fn key(&self) -> (u8, u32, Step) {
        (self.attempt, self.generation, self.step)
    }
}

#[derive(Clone, Debug)]
struct Intent {
    /// The payment under the reference that asked for it.
    made_for: u8,
    is_manual: bool,
    status: ObjectStatus,
    received_amount: i64,
    /// What is being captured; none before.
    capturing_amount: Option<i64>,
    /// Charges that were tried: an authentication is none yet.
    charges: u32,
    error_digest: Option<[u8; 32]>,
}

#[derive(Debug, Default)]
pub(super) struct Gateway {
    /// Whether what is made now is captured by hand.
    pub(super) is_manual: bool,
    attempts: Vec<Attempt>,
    captures_take_time: Vec<bool>,
    /// Events, in the order in which they happened; each shows its object as it was then.
    pub(super) events: Vec<Sighting>,
    intents: Vec<Intent>,
    stored: BTreeMap<(u8, u32, Step), Fact>,
}

impl Gateway {
    pub(super) fn new(is_manual: bool, attempts: Vec<Attempt>, captures_take_time: Vec<bool>) -> Self {
        Self { is_manual, attempts, captures_take_time, ..Self::default() }
    }

    pub(super) fn sighting(&self, at: usize) -> Sighting {
        let intent = &self.intents[at];
        let status = intent.status.clone();
        let waits_for_confirm = status == ObjectStatus::RequiresConfirmation;
        Sighting {
            received_amount: intent.received_amount,
            latest_charge: (intent.charges > 0).then(|| format!("ch_{at}_{}", intent.charges)),
            error_digest: intent.error_digest,
            payment_method: waits_for_confirm.then(|| "pm".to_owned()),
            next_action: (status == ObjectStatus::RequiresAction).then(|| "{}".to_owned()),
            ..sighting(ObjectKind::Payment, &format!("pi_{at}"), status, money().amount)
        }
    }

    /// Runs a request, or answers with what is stored under its key.
    pub(super) fn run(&mut self, sent: &Sent) -> Fact {
        let key = sent.key();
        if let Some(stored) = self.stored.get(&key).filter(|_| !sent.is_rolled_forward) {
            return stored.clone();
        }
        let at = || sent.object.expect("the request names its object");
        let fact = match sent.step {
            Step::Create => self.create(sent.attempt),
            Step::Confirm => self.confirm(at()),
            Step::Cancel => self.cancel(at()),
            Step::Capture => self.capture(at(), sent.amount),
            Step::Execute | Step::Submit => panic!("no such step here: {:?}", sent.step),
        };
        self.stored.entry(key).or_insert_with(|| fact.clone());
        fact
    }

    /// Answers with an error from now on, whether or not the request ran.
    pub(super) fn store_error(&mut self, sent: &Sent) -> Fact {
        self.stored.insert(sent.key(), Fact::Lost(Loss::ServerError));
        Fact::Lost(Loss::ServerError)
    }

    fn create(&mut self, made_for: u8) -> Fact {
        self.intents.push(Intent {
            made_for,
            is_manual: self.is_manual,
            status: ObjectStatus::RequiresConfirmation,
            received_amount: 0,
            capturing_amount: None,
            charges: 0,
            error_digest: None,
        });
        Fact::Seen(self.sighting(self.intents.len() - 1))
    }

    fn confirm(&mut self, at: usize) -> Fact {
        let status = &self.intents[at].status;
        if !matches!(status, ObjectStatus::RequiresConfirmation | ObjectStatus::RequiresPaymentMethod) {
            return self.refuse(at);
        }
        self.intents[at].error_digest = None;
        self.intents[at].capturing_amount = None;
        match self.attempts.pop().unwrap_or(Attempt::Accepted) {
            Attempt::Accepted => self.authorise(at),
            Attempt::NeedsAction => self.become_(at, ObjectStatus::RequiresAction),
            Attempt::TakesTime => self.become_(at, ObjectStatus::Processing),
            Attempt::Declined => {
                self.intents[at].charges += 1;
                self.fall_back(at, true);
                let decline = Decline { code: "expired_card".into(), is_retryable: false };
                return Fact::Declined { decline, sighting: Some(self.sighting(at)) };
            }
        }
        Fact::Seen(self.sighting(at))
    }

    fn authorise(&mut self, at: usize) {
        self.intents[at].charges += 1;
        if self.intents[at].is_manual {
            return self.become_(at, ObjectStatus::RequiresCapture);
        }
        self.intents[at].received_amount = money().amount;
        self.become_(at, ObjectStatus::Succeeded);
    }

    fn cancel(&mut self, at: usize) -> Fact {
        let status = &self.intents[at].status;
        if matches!(status, ObjectStatus::Succeeded | ObjectStatus::Processing | ObjectStatus::Canceled) {
            return self.refuse(at);
        }
        self.become_(at, ObjectStatus::Canceled);
        Fact::Seen(self.sighting(at))
    }

    fn capture(&mut self, at: usize, amount: i64) -> Fact {
        if self.intents[at].status != ObjectStatus::RequiresCapture {
            return self.refuse(at);
        }
        if self.captures_take_time.pop() == Some(true) {
            self.intents[at].capturing_amount = Some(amount);
            self.become_(at, ObjectStatus::Processing);
        } else {
            self.intents[at].received_amount = amount;
            self.become_(at, ObjectStatus::Succeeded);
        }
        Fact::Seen(self.sighting(at))
    }

    fn refuse(&self, at: usize) -> Fact {
        let sighting = Some(self.sighting(at));
        Fact::Refused { code: "payment_intent_unexpected_state".into(), is_replayed: false, sighting }
    }

    fn become_(&mut self, at: usize, status: ObjectStatus) {
        self.intents[at].status = status;
        self.events.push(self.sighting(at));
    }

    /// The attempt came to nothing; the next one may follow.
    fn fall_back(&mut self, at: usize, has_error: bool) {
        let digest = u8::try_from(self.events.len() % 250).unwrap_or_default() + 1;
        self.intents[at].error_digest = has_error.then_some([digest; 32]);
        self.become_(at, ObjectStatus::RequiresPaymentMethod);
    }

    fn each(&mut self, status: &ObjectStatus, act: impl Fn(&mut Self, usize)) {
        for at in 0..self.intents.len() {
            if self.intents[at].status == *status {
                act(self, at);
            }
        }
    }

    /// The customer authenticates, wherever that is waited for.
    pub(super) fn complete_actions(&mut self) {
        self.each(&ObjectStatus::RequiresAction, Self::authorise);
    }

    /// The customer authenticates, and the server has to confirm once more.
    pub(super) fn complete_actions_for_another_confirm(&mut self) {
        self.each(&ObjectStatus::RequiresAction, |gateway, at| gateway.become_(at, ObjectStatus::RequiresConfirmation));
    }

    /// The customer fails or does not want to.
    pub(super) fn fail_actions(&mut self, has_error: bool) {
        self.each(&ObjectStatus::RequiresAction, |gateway, at| gateway.fall_back(at, has_error));
    }

    /// What takes time comes to its end.
    pub(super) fn end_processing(&mut self, succeeds: bool) {
        self.each(&ObjectStatus::Processing, |gateway, at| {
            if !succeeds {
                return gateway.fall_back(at, true);
            }
            let Some(amount) = gateway.intents[at].capturing_amount else { return gateway.authorise(at) };
            gateway.intents[at].received_amount = amount;
            gateway.become_(at, ObjectStatus::Succeeded);
        });
    }

    /// The gateway gives up what nobody captured in time.
    pub(super) fn expire(&mut self) {
        self.each(&ObjectStatus::RequiresCapture, |gateway, at| gateway.become_(at, ObjectStatus::Canceled));
    }

    /// The newest intent of that payment, as a search shows it: adopting it or none is equally safe, since all are inert.
    pub(super) fn newest(&self, attempt: u8) -> Option<Sighting> {
        self.intents.iter().rposition(|intent| intent.made_for == attempt).map(|at| self.sighting(at))
    }

    /// What came, on each intent on which something did.
    pub(super) fn received(&self) -> Vec<i64> {
        self.intents.iter().map(|intent| intent.received_amount).filter(|amount| *amount > 0).collect()
    }

    /// Whether money is still reserved at the customer's bank, or may come by itself.
    pub(super) fn is_open(&self) -> bool {
        let open = [ObjectStatus::RequiresCapture, ObjectStatus::RequiresAction, ObjectStatus::Processing];
        self.intents.iter().any(|intent| open.contains(&intent.status))
    }
}
