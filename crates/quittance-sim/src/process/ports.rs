//! What the engine asks from outside: ids, dice, and answers as short texts that the auditor reads.

use crate::dice::Dice;
use quittance_core::payment::Payment;
use quittance_core::refund::Refund;
use quittance_core::time::Timestamp;
use quittance_engine::ports::{Answer, Event, Ids, Render, Resource};
use uuid::Uuid;

/// Ids that rise, and are never those of another process.
pub(crate) struct Numbers {
    pub(crate) next: u128,
    pub(crate) dice: Dice,
}

impl Ids for Numbers {
    fn uuid(&mut self, _: Timestamp) -> Uuid {
        self.next += 1;
        Uuid::from_u128(self.next)
    }

    fn dice(&mut self) -> u64 {
        self.dice.next()
    }
}

/// Renders what a client sees: kind, id, status, amount, currency.
pub(crate) struct Words;

impl Render for Words {
    fn render(&self, answer: &Answer<'_>, _: &str) -> (u16, Vec<u8>) {
        let (status, text) = match answer {
            Answer::CustomerCreated(customer) => (201, format!("customer {}", customer.id)),
            Answer::Payment(paid) if paid.decline.is_some() => (402, payment(paid)),
            Answer::Payment(paid) => (201, payment(paid)),
            Answer::ExistingPayment(paid) => (200, payment(paid)),
            Answer::Refund(made) => (201, refund(made)),
            Answer::ExistingRefund(made) => (200, refund(made)),
            Answer::Evidence(dispute) | Answer::ExistingDispute(dispute) => {
                (201, format!("dispute {} {}", dispute.id, dispute.status.name()))
            }
            Answer::EndpointCreated(endpoint) | Answer::SecretRotated(endpoint) => {
                (201, format!("endpoint {}", endpoint.id))
            }
            Answer::Rejected(rejection) => (409, format!("rejected {}", rejection.code())),
        };
        (status, text.into_bytes())
    }

    fn event(&self, event: &Event<'_>) -> Vec<u8> {
        let text = match event.resource {
            Resource::Customer(customer) => format!("customer {}", customer.id),
            Resource::Payment(paid) => payment(paid),
            Resource::Refund(made) => refund(made),
            Resource::Dispute(dispute) => format!("dispute {} {}", dispute.id, dispute.status.name()),
        };
        text.into_bytes()
    }
}

fn payment(paid: &Payment) -> String {
    format!("payment {} {} {} {}", paid.id, paid.status.name(), paid.captured_amount, paid.money.currency.code())
}

fn refund(made: &Refund) -> String {
    format!("refund {} {} {} {}", made.id, made.status.name(), made.money.amount, made.money.currency.code())
}
