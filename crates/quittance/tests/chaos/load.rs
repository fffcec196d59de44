//! The clients: orders that are paid, declined and paid then, paid and given back, asked for twice at once, asked for again
//! under another key, and left without waiting for the answer; between them reads of the books. Does not own what came of
//! it.

use crate::checker::Read;
use crate::client::{Api, Command, Insisted, json, say};
use crate::demo::dice::Dice;
use crate::demo::evidence::Answer;
use crate::history::{Ending, History, Operation, values};
use crate::surroundings::time;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::watch;

/// Gateways by their configured names.
pub(crate) const GATEWAYS: [&str; 2] = ["east", "west"];

/// Books that are in use at once: fewer than clients, so that these meet in them.
const BOOKS: usize = 4;

/// Orders of a book, so that all of it fits into one page of 100 entries, which is read at one moment. An order adds six at
/// most: two payments are held and closed, and a refund.
const ORDERS_OF_A_BOOK: u64 = 16;

const GOOD_CARD: &str = "pm_card_visa";
const BAD_CARD: &str = "pm_card_chargeDeclined";

/// A command that was answered for good.
#[derive(Clone, Debug)]
pub(crate) struct Told {
    pub(crate) command: Command,
    pub(crate) answer: Answer,
}

/// What all clients share.
pub(crate) struct Load {
    pub(crate) api: Api,
    pub(crate) history: History,
    seed: u64,
    books: Vec<tokio::sync::Mutex<Book>>,
    names: Mutex<BTreeSet<String>>,
    next: AtomicU64,
    /// Orders that were begun.
    pub(crate) begun: watch::Sender<u64>,
    pub(crate) is_over: AtomicBool,
    told: Mutex<BTreeMap<String, Told>>,
    surprises: Mutex<Vec<String>>,
}

#[derive(Default)]
struct Book {
    name: String,
    orders: u64,
    number: u64,
}

impl Load {
    pub(crate) fn new(api: Api, seed: u64) -> Self {
        let books = (0..BOOKS).map(|_| tokio::sync::Mutex::default()).collect();
        Self {
            api,
            history: History::default(),
            seed,
            books,
            names: Mutex::default(),
            next: AtomicU64::new(0),
            begun: watch::channel(0).0,
            is_over: AtomicBool::new(false),
            told: Mutex::default(),
            surprises: Mutex::default(),
        }
    }

    /// One client, until it is over.
    pub(crate) async fn work(self: Arc<Self>) {
        while !self.is_over.load(Ordering::Relaxed) {
            let number = self.next.fetch_add(1, Ordering::Relaxed);
            self.begun.send_modify(|begun| *begun += 1);
            let mut dice = Dice::new(self.seed, number + 1);
            self.order(number, &mut dice).await;
        }
    }

    async fn order(&self, number: u64, dice: &mut Dice) {
        let Some(book) = self.book(dice).await else { return };
        let reference = format!("order-{number}");
        let first = payment(&book, &reference, "a", GOOD_CARD, dice);
        match dice.roll(100) {
            0..35 => drop(self.pay(&book, &first, dice).await),
            35..50 => {
                let declined = Command { body: with(&first.body, "payment_method", BAD_CARD), ..first.clone() };
                self.expect(&book, &declined, &[402], dice).await;
                let again = Command { key: format!("{reference}-b"), ..first };
                self.pay(&book, &again, dice).await;
            }
            50..70 => {
                if let Some(paid) = self.pay(&book, &first, dice).await {
                    let amount = paid["amount"].as_i64().unwrap_or(0) / 2;
                    let name = format!("{reference}-r");
                    let body = json!({"payment": paid["id"], "amount": amount, "reference": name});
                    let refund = Command { path: "/v1/refunds".to_owned(), key: name, body };
                    self.expect(&book, &refund, &[201], dice).await;
                }
            }
            70..82 => self.race(&book, &first, dice).await,
            82..92 => {
                self.pay(&book, &first, dice).await;
                let other = Command { key: format!("{reference}-c"), ..first };
                self.refused(&other, "duplicate-intent", dice).await;
            }
            _ => self.leave(&book, &first, dice).await,
        }
        if dice.hits(500) {
            self.look(&book, dice).await;
        }
    }

    async fn pay(&self, book: &str, command: &Command, dice: &mut Dice) -> Option<Value> {
        self.expect(book, command, &[201], dice).await.map(|answer| json(&answer))
    }

    /// Insists, and notes what came of it.
    async fn expect(&self, book: &str, command: &Command, statuses: &[u16], dice: &mut Dice) -> Option<Answer> {
        let insisted = self.insist(command, dice).await?;
        self.note(book, command, Some(&insisted));
        if statuses.contains(&insisted.answer.status) {
            return Some(insisted.answer);
        }
        self.surprise(format!("{} expected {statuses:?} and heard {}", command.key, say(&insisted.answer)));
        None
    }

    async fn insist(&self, command: &Command, dice: &mut Dice) -> Option<Insisted> {
        match self.api.insist(command, dice).await {
            Ok(insisted) => {
                self.acknowledge(command, &insisted.answer);
                Some(insisted)
            }
            Err(why) => {
                self.surprise(why);
                None
            }
        }
    }

    /// The same key at two servers at once.
    async fn race(&self, book: &str, command: &Command, dice: &mut Dice) {
        let (mut one, mut other) = (Dice::new(dice.next(), 1), Dice::new(dice.next(), 2));
        let (one, other) = tokio::join!(self.insist(command, &mut one), self.insist(command, &mut other));
        let earlier = one.into_iter().chain(other).min_by_key(|insisted| insisted.ended);
        self.note(book, command, earlier.as_ref());
    }

    /// What was done already, asked for under another key.
    async fn refused(&self, command: &Command, code: &str, dice: &mut Dice) {
        let Some(insisted) = self.insist(command, dice).await else { return };
        if json(&insisted.answer)["code"] != code {
            self.surprise(format!("{} expected {code} and heard {}", command.key, say(&insisted.answer)));
        }
    }

    /// Asks, and goes away.
    async fn leave(&self, book: &str, command: &Command, dice: &mut Dice) {
        let began = time();
        self.api.try_once(command, dice, Duration::from_millis(dice.clone().between(1, 60))).await;
        let reference = text(&command.body["reference"]);
        self.history.note(Operation { book: book.to_owned(), reference, began, ended: None, outcome: None });
    }

    fn note(&self, book: &str, command: &Command, insisted: Option<&Insisted>) {
        let Some(insisted) = insisted else { return };
        let outcome = outcome(&insisted.answer);
        let ended = outcome.as_ref().map(|_| insisted.ended);
        let reference = text(&command.body["reference"]);
        self.history.note(Operation { book: book.to_owned(), reference, began: insisted.began, ended, outcome });
    }

    /// A final answer; the first one to a key counts, another one later is a surprise.
    fn acknowledge(&self, command: &Command, answer: &Answer) {
        let first = {
            let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
            let told = told.entry(command.key.clone());
            told.or_insert_with(|| Told { command: command.clone(), answer: answer.clone() }).answer.clone()
        };
        if first != *answer {
            self.surprise(format!("{} was answered in two ways: {} and {}", command.key, say(&first), say(answer)));
        }
    }

    /// Reads a book.
    async fn look(&self, book: &str, dice: &mut Dice) {
        let began = time();
        let page = self.api.read(&ledger(book), dice).await;
        if let Some(values) = page.as_ref().and_then(values) {
            self.history.saw(book, Read { values, began, ended: time() });
        }
    }

    /// A book to put an order into; a new one where the last is full.
    async fn book(&self, dice: &mut Dice) -> Option<String> {
        let slot = usize::try_from(dice.roll(BOOKS as u64)).unwrap_or(0);
        let mut book = self.books[slot].lock().await;
        if book.name.is_empty() || book.orders == ORDERS_OF_A_BOOK {
            book.number += 1;
            let name = format!("book-{slot}-{}", book.number);
            let body = json!({"external_id": name, "name": name});
            let command = Command { path: "/v1/customers".to_owned(), key: name.clone(), body };
            let made = self.insist(&command, dice).await?;
            if made.answer.status != 201 {
                self.surprise(format!("{name} is not made: {}", say(&made.answer)));
            }
            self.names.lock().unwrap_or_else(PoisonError::into_inner).insert(name.clone());
            (book.name, book.orders) = (name, 0);
        }
        book.orders += 1;
        Some(book.name.clone())
    }

    pub(crate) fn surprise(&self, sentence: String) {
        self.surprises.lock().unwrap_or_else(PoisonError::into_inner).push(sentence);
    }

    pub(crate) fn surprises(&self) -> Vec<String> {
        self.surprises.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn told(&self) -> Vec<Told> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }

    pub(crate) fn books(&self) -> Vec<String> {
        self.names.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }
}

/// Where all of a book is read in one page.
pub(crate) fn ledger(book: &str) -> String {
    format!("/v1/ledger/entries?customer={book}&limit=100")
}

fn payment(book: &str, reference: &str, attempt: &str, card: &str, dice: &mut Dice) -> Command {
    let body = json!({
        "customer": book, "amount": dice.between(100, 50_000), "currency": dice.pick(&["USD", "EUR", "JPY"]),
        "gateway": dice.pick(&GATEWAYS), "payment_method": card, "reference": reference,
        "metadata": {"order": reference},
    });
    Command { path: "/v1/payments".to_owned(), key: format!("{reference}-{attempt}"), body }
}

fn with(body: &Value, member: &str, value: &str) -> Value {
    let mut body = body.clone();
    body[member] = json!(value);
    body
}

/// Which payment or refund was made, and how it ended, where the answer says so for good.
fn outcome(answer: &Answer) -> Option<(String, Ending)> {
    let body = json(answer);
    match answer.status {
        201 if body["status"] == "succeeded" => Some((text(&body["id"]), Ending::Posted)),
        402 => Some((text(&body["payment"]["id"]), Ending::Voided)),
        _ => None,
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
