//! Clients: they send commands, wait, give up waiting, ask again under the same key, and change their minds.

mod steps;

use super::{Event, World};
use crate::dice::mix;
use crate::matrix::steps::StepFault;
use crate::plan::{Pay, What};
use crate::process::{Died, Origin};
use crate::world::setup::{customer, tenant};
use quittance_core::currency::Currency;
use quittance_core::decide::{AskRefund, CreatePayment, OnDuplicate};
use quittance_core::id::{CommandId, CustomerId, PaymentId};
use quittance_core::idempotency::{Key, Progress};
use quittance_core::money::Money;
use quittance_core::payment::{CaptureMethod, Payment};
use quittance_engine::submission::{Action, ClientCommand, CustomerRef, DisputeRef, EffectRef, Outcome, Submission};
use quittance_store::records::Entity;
use quittance_store::store::{Reader, Scan};
use quittance_store::tables::{DISPUTES, PAYMENTS};
use std::collections::BTreeMap;

/// Times that a client asks under one key.
const ATTEMPTS_MAX: u32 = 14;

/// What a client hears.
#[derive(Clone, Debug)]
pub(crate) enum Reply {
    /// The final answer.
    Final(u16, Vec<u8>),
    /// It was accepted, and has no answer yet.
    Accepted { command: CommandId, subject: Option<String> },
    /// Not now: nothing was stored.
    Later,
    /// The key stands for something else.
    Refused(&'static str),
}

/// One command of a client.
#[derive(Debug)]
struct Call {
    command: ClientCommand,
    order: Option<u32>,
    patience_ms: u64,
    attempts: u32,
    is_over: bool,
    /// What happens to the next answer, with the step that it is the answer of.
    aimed: Option<(u64, StepFault)>,
}

/// Every client.
#[derive(Debug, Default)]
pub(crate) struct Clients {
    calls: Vec<Call>,
    waiting: BTreeMap<CommandId, Vec<usize>>,
    /// The newest payment of each order, as its client knows it.
    orders: BTreeMap<u32, (CustomerId, PaymentId)>,
    /// Answers that are lost on their way to a client.
    pub(super) lose_answers: u32,
}

/// A key that has these words.
pub(super) fn key(words: &str) -> Key {
    Key::parse(words).expect("plain words are a key")
}

impl World {
    pub(super) fn begin_operation(&mut self, at: usize) {
        let operation = self.plan.operations[at].clone();
        let patience_ms = operation.patience_ms;
        let calls: Vec<(ClientCommand, Option<u32>)> = match &operation.what {
            What::Pay(pay) => vec![(self.pay(pay), Some(pay.order))],
            What::Refund { .. } | What::Capture { .. } | What::Cancel { .. } => {
                self.about_order(&operation.what).map(|command| (command, None)).into_iter().collect()
            }
            What::Evidence { key, order } => {
                self.evidence(*key, *order).map(|command| (command, None)).into_iter().collect()
            }
            other => return self.operate(&other.clone()),
        };
        for (command, order) in calls {
            let call = self.clients.calls.len();
            self.auditor.asks(&command);
            self.clients.calls.push(Call { command, order, patience_ms, attempts: 0, is_over: false, aimed: None });
            self.ask(call);
            if operation.is_double {
                self.struck("double_command");
                self.after(1, Event::ClientArrives(call));
            }
        }
    }

    fn ask(&mut self, call: usize) {
        let asked = &mut self.clients.calls[call];
        asked.attempts += 1;
        let (attempt, patience_ms) = (asked.attempts, asked.patience_ms << asked.attempts.min(9));
        let words = format!("{} {}", asked.command.operation, asked.command.key.as_str());
        self.tell(words.as_bytes(), || format!("a client asks: {words}, attempt {attempt}"));
        let wait_ms = self.dice.between(1, 40);
        self.after(wait_ms, Event::ClientArrives(call));
        self.after(wait_ms + patience_ms, Event::ClientAsksAgain { call, attempt });
    }

    pub(super) fn client_arrives(&mut self, call: usize) {
        if self.process.is_none() {
            return;
        }
        let command = self.clients.calls[call].command.clone();
        if self.command_step(call, &command) {
            self.submit(Submission::Client(Box::new(command)), Origin::Call(call));
        }
    }

    /// A client that has no final answer asks again under the same key, ever later, and gives up at last.
    pub(super) fn client_asks_again(&mut self, call: usize, attempt: u32) {
        let asked = &self.clients.calls[call];
        if !asked.is_over && asked.attempts == attempt && attempt < ATTEMPTS_MAX {
            self.ask(call);
        }
    }

    /// The process says what became of a command.
    pub(crate) fn answer_call(&mut self, call: usize, outcome: Outcome) -> Result<(), Died> {
        let reply = match outcome {
            Outcome::Answered { status, body, .. } => Reply::Final(status, body),
            Outcome::Replayed(command) => match command.progress {
                Progress::Completed { status, body, .. } => Reply::Final(status, body),
                Progress::InProgress | Progress::Tombstone { .. } => Reply::Later,
            },
            Outcome::Accepted { command, subject, .. } => {
                self.clients.waiting.entry(command).or_default().push(call);
                Reply::Accepted { command, subject: Some(subject) }
            }
            Outcome::Joined { command, subject } => {
                self.clients.waiting.entry(command).or_default().push(call);
                Reply::Accepted { command, subject }
            }
            Outcome::OverLimit { parked: Some(parked), .. } => {
                self.struck("parked");
                Reply::Accepted { command: parked.command, subject: Some(parked.subject) }
            }
            Outcome::Refused(rejection) => Reply::Refused(rejection.code()),
            _ => Reply::Later,
        };
        self.answer_step(call, reply)
    }

    /// A command is finished: whoever waits for it hears the answer.
    pub(crate) fn answer_waiting(&mut self, command: CommandId, status: u16, body: &[u8]) {
        for call in self.clients.waiting.remove(&command).unwrap_or_default() {
            self.reply(call, Reply::Final(status, body.to_vec()));
        }
    }

    /// Whoever waited at a process that is gone hears nothing.
    pub(crate) fn forget_waiting(&mut self) {
        self.clients.waiting.clear();
    }

    fn reply(&mut self, call: usize, reply: Reply) {
        let is_final = matches!(reply, Reply::Final(..));
        if is_final && self.clients.lose_answers > 0 {
            self.clients.lose_answers -= 1;
            return self.struck("client_answer_lost");
        }
        let wait_ms = self.dice.between(1, 40);
        self.after(wait_ms, Event::ClientHears { call, reply });
    }

    pub(super) fn client_hears(&mut self, call: usize, reply: Reply) {
        let asked = &mut self.clients.calls[call];
        asked.is_over |= matches!(reply, Reply::Final(..) | Reply::Refused(_));
        let (key, fingerprint) = (asked.command.key.as_str().to_owned(), asked.command.fingerprint);
        let order = asked.order;
        let mark = format!("{key} {reply:?}");
        self.tell(mark.as_bytes(), || format!("the client of {key} hears {}", in_words(&reply)));
        match reply {
            Reply::Final(status, body) => {
                self.learn_order(order, String::from_utf8_lossy(&body).split(' ').nth(1));
                self.auditor.heard(&key, fingerprint, status, &body);
            }
            Reply::Accepted { command, subject } => {
                self.learn_order(order, subject.as_deref());
                self.auditor.accepted(&key, fingerprint, command);
            }
            Reply::Refused("idempotency-key-reused") => {
                self.struck("key_reused_otherwise");
                self.auditor.refused_as_reused(&key);
            }
            Reply::Later | Reply::Refused(_) => {}
        }
    }

    fn learn_order(&mut self, order: Option<u32>, subject: Option<&str>) {
        let payment = subject.and_then(|text| text.parse::<PaymentId>().ok());
        let Some((order, payment)) = order.zip(payment) else { return };
        let customers = (0..super::setup::CUSTOMERS).map(customer);
        let keys: Vec<_> = customers.map(|book| vec![book.bytes().into(), payment.bytes().into()]).collect();
        let rows = self.database.reader().get_many(&PAYMENTS, &keys).unwrap_or_default();
        if let Some(row) = rows.into_iter().flatten().next()
            && let Ok(payment) = Payment::from_row(&row)
        {
            self.clients.orders.insert(order, (payment.book, payment.id));
        }
    }

    /// The newest payment of an order, as the process's front end finds it.
    pub(super) fn payment_of(&self, order: u32) -> Option<Payment> {
        let (book, payment) = self.clients.orders.get(&order)?;
        let key = vec![book.bytes().into(), payment.bytes().into()];
        let row = self.database.reader().get_many(&PAYMENTS, &[key]).ok()?.pop()??;
        Payment::from_row(&row).ok()
    }

    fn command(number: u32, operation: &'static str, action: Action) -> ClientCommand {
        let fingerprint = fingerprint(&format!("{operation} {action:?}"));
        let (tenant, key) = (tenant(), key(&format!("key-{number}")));
        ClientCommand { tenant, credential: None, key, operation, fingerprint, api_version: "1".into(), action }
    }

    fn pay(&self, pay: &Pay) -> ClientCommand {
        let currency = Currency::from_code(&pay.currency).expect("plans know their currencies");
        let asked = CreatePayment {
            money: Money::new(pay.amount, currency),
            gateway: self.plan.gateways[pay.gateway as usize].name().to_owned(),
            payment_method: pay.method.clone(),
            capture_method: if pay.is_manual { CaptureMethod::Manual } else { CaptureMethod::Automatic },
            return_url: None,
            reference: format!("order-{}", pay.order),
            on_duplicate: if pay.takes_existing { OnDuplicate::ReturnExisting } else { OnDuplicate::Reject },
            description: None,
            metadata: BTreeMap::new(),
        };
        let customer = CustomerRef::Id(customer(pay.customer));
        Self::command(pay.key, "POST /v1/payments", Action::CreatePayment { customer, asked })
    }

    fn about_order(&self, what: &What) -> Option<ClientCommand> {
        let of = |order: &u32| {
            let known = self.payment_of(*order)?;
            Some(EffectRef { book: known.book, effect: known.effect, payment: known.id, epoch: 0 })
        };
        Some(match what {
            What::Refund { key, order, amount, reference } => {
                let asked = AskRefund {
                    amount: *amount,
                    currency: None,
                    reference: Some(format!("refund-{reference}")),
                    expected_refunded_amount: None,
                    reason: None,
                };
                Self::command(*key, "POST /v1/refunds", Action::Refund { payment: of(order)?, asked })
            }
            What::Capture { key, order, amount } => {
                let action = Action::Capture { payment: of(order)?, amount: *amount };
                Self::command(*key, "POST /v1/payments/{id}/capture", action)
            }
            What::Cancel { key, order } => {
                let action = Action::Cancel { payment: of(order)?, reason: None };
                Self::command(*key, "POST /v1/payments/{id}/cancel", action)
            }
            _ => return None,
        })
    }

    fn evidence(&self, key: u32, order: u32) -> Option<ClientCommand> {
        let payment = self.payment_of(order)?;
        let scan = Scan::forward(&DISPUTES, vec![payment.book.bytes().into()], 100);
        let rows = self.database.reader().scan(&scan).ok()?;
        let mut disputes = rows.iter().filter_map(|row| quittance_core::dispute::Dispute::from_row(row).ok());
        let dispute = disputes.find(|dispute| dispute.payment == payment.id)?;
        let dispute = DisputeRef { book: dispute.book, dispute: dispute.id };
        let texts = BTreeMap::from([("uncategorized_text".to_owned(), "it was delivered".to_owned())]);
        Some(Self::command(key, "POST /v1/disputes/{id}/evidence", Action::SubmitEvidence { dispute, texts }))
    }

    /// Whether every client has heard, or has given up.
    pub(super) fn clients_are_done(&self) -> bool {
        self.clients.calls.iter().all(|call| call.is_over || call.attempts >= ATTEMPTS_MAX)
    }
}

fn fingerprint(text: &str) -> [u8; 32] {
    let mut hash = text.len() as u64;
    let mut bytes = [0; 32];
    for letter in text.bytes() {
        hash = mix(hash ^ u64::from(letter));
    }
    for (at, chunk) in bytes.chunks_mut(8).enumerate() {
        chunk.copy_from_slice(&mix(hash ^ at as u64).to_le_bytes());
    }
    bytes
}

fn in_words(reply: &Reply) -> String {
    match reply {
        Reply::Final(status, body) => format!("{status} {}", String::from_utf8_lossy(body)),
        Reply::Accepted { command, subject } => format!("202 {command} {}", subject.as_deref().unwrap_or_default()),
        Reply::Later => "503".to_owned(),
        Reply::Refused(code) => format!("refused: {code}"),
    }
}
