//! One customer with one payment that succeeded, as rows: what tests of verification and traces damage and read.

use quittance_connectors::message::{Method, Request};
use quittance_core::account::Account;
use quittance_core::currency::Currency;
use quittance_core::customer::Customer;
use quittance_core::decide::hold_of;
use quittance_core::effect::{Effect, Source, State, Step};
use quittance_core::id::{CommandId, CustomerId, EffectId, PaymentId, TenantId};
use quittance_core::idempotency::{Command, Key, Progress};
use quittance_core::journal::{Advanced, Closing, Place, Record, chain};
use quittance_core::ledger::{Movement, Posting, transfer};
use quittance_core::money::Money;
use quittance_core::payment::{Payment, Status};
use quittance_core::tenant::{Mode, Tenant};
use quittance_core::time::Timestamp;
use quittance_store::memory::MemoryDatabase;
use quittance_store::records::{Book, ClosedHold, Disposition, Entity, GatewayObject, InboxEntry};
use quittance_store::records::{IntentEntry, JournalEntry, KeyEntry, Ticket, journal};
use quittance_store::schema::Table;
use quittance_store::store::{Change, Loaded, Read, Store, Work};
use quittance_store::value::Row;
use std::collections::BTreeMap;

/// Rows of every table, to be damaged before they are stored.
pub(crate) struct Sample(pub(crate) Vec<(&'static Table, Row)>);

pub(crate) fn tenant() -> TenantId {
    TenantId::from_bytes([1; 16])
}

pub(crate) fn customer() -> CustomerId {
    CustomerId::from_bytes([2; 16])
}

pub(crate) fn payment() -> PaymentId {
    PaymentId::from_bytes([3; 16])
}

pub(crate) fn effect() -> EffectId {
    EffectId::from_bytes([4; 16])
}

pub(crate) fn command() -> CommandId {
    CommandId::from_bytes([5; 16])
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_seconds(1_700_000_000 + seconds)
}

fn money() -> Money {
    Money::new(1999, Currency::from_code("USD").expect("known currency"))
}

fn postings() -> Vec<Posting> {
    transfer(Account::GatewayClearing("stripe".into()), Account::Unapplied, 1999, money().currency)
}

fn request(step: Step) -> Request {
    Request {
        method: Method::Post,
        target: format!("/v1/{}", step.name()),
        body: b"amount=1999".to_vec(),
        idempotency_key: Some(format!("key-{}", step.name())),
        api_version: "2025-01-01".into(),
    }
}

fn ticket(step: Step, generation: u32) -> Record {
    Record::TicketIssued {
        effect: effect(),
        step,
        generation,
        send_no: 1,
        gateway_key: format!("key-{}", step.name()),
        request_digest: request(step).digest(),
        lease_epoch: 1,
    }
}

fn advanced(saw: &str, state: State, status: Status, closing: Option<Closing>) -> Record {
    Record::EffectAdvanced(Advanced {
        effect: effect(),
        payment: payment(),
        source: Source::Send,
        saw: saw.into(),
        state,
        step: Step::Confirm,
        generation: 1,
        object: Some("pi_1".into()),
        status,
        decline: None,
        closing: closing.map(|closing| (hold_of(payment()), closing)),
        postings: if closing.is_some() { postings() } else { Vec::new() },
    })
}

fn records() -> Vec<Record> {
    vec![
        Record::BookOpened { tenant: tenant() },
        Record::PaymentAccepted {
            payment: payment(),
            command: command(),
            effect: effect(),
            hold: hold_of(payment()),
            money: money(),
            gateway: "stripe".into(),
            reference: "order-1".into(),
            postings: postings(),
        },
        ticket(Step::Create, 0),
        advanced("seen:requires_confirmation", State::Intended, Status::Processing, None),
        ticket(Step::Confirm, 1),
        advanced("seen:succeeded", State::Succeeded, Status::Succeeded, Some(Closing::Posted)),
    ]
}

impl Sample {
    pub(crate) fn new() -> Self {
        let mut sample = Self(Vec::new());
        let mut book = Book::new(customer(), tenant());
        for (record, seconds) in records().iter().zip(0..) {
            sample.append(&mut book, record, at(seconds));
        }
        book.balances.apply(Movement::Hold, &postings()).expect("held");
        book.balances.apply(Movement::PostHeld, &postings()).expect("posted");
        sample.add(&book);
        sample.add_owners();
        sample.add_payment();
        for (step, generation) in [(Step::Create, 0), (Step::Confirm, 1)] {
            sample.add(&Ticket {
                book: customer(),
                effect: effect(),
                step,
                generation,
                send_no: 1,
                gateway_key: format!("key-{}", step.name()),
                request_digest: request(step).digest(),
                request: request(step).encode(),
                lease_epoch: 1,
                issued_at: at(1),
                deadline: at(20),
            });
        }
        sample
    }

    fn append(&mut self, book: &mut Book, record: &Record, at: Timestamp) {
        let (body, kind, seq) = (journal::encode(record), record.kind(), book.records + 1);
        let hash = chain(&Place { book: book.id, seq, kind, at }, &body, &book.head);
        self.add(&JournalEntry { book: book.id, seq, kind, at, body, prev_hash: book.head, hash });
        (book.records, book.head) = (seq, hash);
    }

    pub(crate) fn add<E: Entity>(&mut self, entity: &E) {
        self.0.push((E::table(), entity.to_row()));
    }

    fn add_owners(&mut self) {
        self.add(&Tenant {
            id: tenant(),
            name: "default".into(),
            mode: Mode::Test,
            fingerprint_secret: [0; 32],
            gateway_key_secret: [0; 32],
            created_at: at(0),
        });
        self.add(&Customer {
            id: customer(),
            tenant: tenant(),
            external_id: Some("anna".into()),
            name: None,
            email: None,
            currency: None,
            timezone: None,
            gateway_ids: BTreeMap::new(),
            metadata: BTreeMap::new(),
            created_at: at(0),
        });
        let key = Key::parse("first-try").expect("a key");
        self.add(&KeyEntry { tenant: tenant(), key_digest: key.digest(), command: command() });
        self.add(&Command {
            id: command(),
            tenant: tenant(),
            key: key.as_str().into(),
            operation: "POST /v1/payments".into(),
            fingerprint: [7; 32],
            fingerprint_version: 1,
            progress: Progress::Completed { status: 201, body: b"{}".to_vec(), at: at(5) },
            subject: Some(payment().to_string()),
            credential: None,
            api_version: "1".into(),
            received_at: at(1),
        });
    }

    fn add_payment(&mut self) {
        let (book, payment) = (customer(), payment());
        self.add(&payment_row(book, payment));
        self.add(&effect_row(book, payment));
        self.add(&ClosedHold { book, hold: hold_of(payment), closing: Closing::Posted, seq: 6 });
        self.add(&IntentEntry { book, intent: IntentEntry::of_reference("order-1"), payment });
        let (gateway, object) = ("stripe".to_owned(), "pi_1".to_owned());
        self.add(&GatewayObject { gateway, object: object.clone(), book, effect: effect(), payment });
        self.add(&InboxEntry {
            endpoint: "we_main".into(),
            event: "evt_1".into(),
            kind: "payment_intent.succeeded".into(),
            object: Some(object),
            book: Some(book),
            disposition: Disposition::Applied,
            secret_index: 0,
            received_at: at(6),
            body: b"{}".to_vec(),
        });
    }

    /// Changes a column of the first row of a table, or of the one at `position` among its rows.
    pub(crate) fn edit(
        &mut self,
        table: &'static Table,
        position: usize,
        column: &str,
        change: impl FnOnce(&mut Row, usize),
    ) {
        let rows = self.0.iter_mut().filter(|(of, _)| of.name == table.name);
        let (_, row) = rows.into_iter().nth(position).expect("the sample has such a row");
        change(row, table.position(column));
    }

    /// Takes a row away.
    pub(crate) fn remove(&mut self, table: &'static Table, position: usize) {
        let mut rows = self.0.iter().enumerate().filter(|(_, (of, _))| of.name == table.name);
        let (index, _) = rows.nth(position).expect("the sample has such a row");
        self.0.remove(index);
    }

    pub(crate) fn store(self) -> MemoryDatabase {
        let database = MemoryDatabase::new();
        write(&database, self.0.into_iter().map(|(table, row)| Change::Upsert { table, row }).collect());
        database
    }
}

/// Writes changes in one transaction.
pub(crate) fn write(database: &MemoryDatabase, changes: Vec<Change>) {
    struct Write(Vec<Change>);
    impl Work for Write {
        fn reads(&mut self, _: &Loaded) -> Vec<Read> {
            Vec::new()
        }
        fn decide(&mut self, _: &Loaded) -> Result<Vec<Change>, String> {
            Ok(self.0.clone())
        }
    }
    database.writer().transact("writing a sample", &mut Write(changes)).expect("written");
}

fn payment_row(book: CustomerId, payment: PaymentId) -> Payment {
    Payment {
        id: payment,
        book,
        tenant: tenant(),
        command: command(),
        effect: effect(),
        money: money(),
        gateway: "stripe".into(),
        payment_method: "pm_card_visa".into(),
        reference: "order-1".into(),
        status: Status::Succeeded,
        captured_amount: 1999,
        refunded_amount: 0,
        gateway_object: Some("pi_1".into()),
        decline: None,
        next_action: None,
        description: None,
        metadata: BTreeMap::new(),
        created_at: at(1),
    }
}

fn effect_row(book: CustomerId, payment: PaymentId) -> Effect {
    Effect {
        id: effect(),
        book,
        tenant: tenant(),
        payment,
        gateway: "stripe".into(),
        money: money(),
        state: State::Succeeded,
        step: Step::Confirm,
        generation: 1,
        sends: 1,
        lost_confirms: 0,
        is_unresolved: false,
        has_stored_error: false,
        object_id: Some("pi_1".into()),
        fence: None,
        names_method: false,
        refusal: None,
        after_cancel: None,
        tries: 0,
        first_sent_at: None,
        last_sent_at: None,
        due_at: None,
        lease_epoch: 1,
        lease_owner: 0,
        created_at: at(1),
    }
}
