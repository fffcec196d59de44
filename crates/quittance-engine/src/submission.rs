//! What is submitted to the engine, and what comes back.

mod events;
mod objects;
mod prune;

pub use events::{
    Delivered, DeliveryRef, Dispatch, EndpointChange, EndpointTurn, NewEndpoint, NewSecret, ReplayEvent, Sendable,
    Sending,
};
pub use objects::{
    EventGap, EventLog, Listed, Look, LookPlan, Looked, ObjectRef, Replay, Requeue, Swept, WebhookEvent,
};

pub use prune::{ANSWERS_DAYS_MIN, EVENTS_DAYS_MIN, PRUNED_MAX, Prune, TOLD_DAYS_MIN, days_ago};
use quittance_connectors::message::Request;
use quittance_core::brake::Over;
use quittance_core::currency::Currency;
use quittance_core::decide::{Approval, AskRefund, CreatePayment, Resolution};
use quittance_core::effect::{PersonsWord, Source, Stimulus};
use quittance_core::fact::ObjectKind;
use quittance_core::id::{ApiKeyId, CommandId, CustomerId, DisputeId, EffectId, PaymentId, TenantId};
use quittance_core::idempotency::{Command, Key};
use quittance_core::payment::Payment;
use quittance_core::rejection::Rejection;
use quittance_core::tenant::{ApiKey, Tenant};
use quittance_core::time::Timestamp;
use quittance_store::records::{Lane, Switch};
use quittance_store::schema::Table;
use std::collections::BTreeMap;

/// One command.
#[derive(Clone, Debug)]
pub enum Submission {
    /// A client's command, under its idempotency key.
    Client(Box<ClientCommand>),
    /// Something learned about an effect by a job that this process carried out.
    Learned(Box<LearnedFact>),
    /// A verified event of a gateway.
    Webhook(Box<WebhookEvent>),
    /// A leased effect whose next move is to begin.
    Begin(EffectRef),
    /// A leased object of a gateway that is to be looked at.
    Look(Box<ObjectRef>),
    /// What a look at an object showed.
    Looked(Box<Looked>),
    /// How far a sweep has come, and what it came to.
    Swept(Box<Swept>),
    /// A person has an object looked at again.
    Requeue(Box<Requeue>),
    /// A person has a stored event applied again.
    Replay(Box<Replay>),
    /// What came of sending an event to an endpoint.
    Delivered(Box<Delivered>),
    /// A tenant changes an endpoint of its own.
    ChangeEndpoint(Box<EndpointChange>),
    /// A person has an event sent again.
    ReplayEvent(Box<ReplayEvent>),
    /// An operator creates a tenant.
    CreateTenant(Box<Tenant>),
    /// An operator creates a credential.
    CreateKey(Box<ApiKey>),
    /// An operator revokes a credential.
    RevokeKey {
        /// Which.
        id: ApiKeyId,
        /// When.
        at: Timestamp,
    },
    /// An operator has another credential take the place of one, which ends later by itself.
    RotateKey {
        /// Which.
        id: ApiKeyId,
        /// When it ends.
        ends_at: Timestamp,
        /// What takes its place.
        successor: Box<ApiKey>,
    },
    /// A credential was used.
    KeyUsed {
        /// Which.
        id: ApiKeyId,
        /// When.
        at: Timestamp,
    },
    /// An operator has rows written again as they are, so that what they hold is sealed under the newest key. Rows that
    /// are not there are passed over.
    Reseal {
        /// Their table.
        table: &'static Table,
        /// Their keys.
        keys: Vec<quittance_store::value::Key>,
    },
    /// An operator says that no value is left under master keys.
    RetireMasterKeys {
        /// Their ids.
        ids: Vec<String>,
        /// When.
        at: Timestamp,
    },
    /// An operator pauses or resumes a gateway, or everything. What is so already stays as it is, and is done.
    SetSwitch(Box<Switch>),
    /// An operator drops bytes that were kept for their own sake.
    Prune(Box<Prune>),
}

/// A client's command.
#[derive(Clone, Debug)]
pub struct ClientCommand {
    /// Whose.
    pub tenant: TenantId,
    /// Which credential sent it.
    pub credential: Option<ApiKeyId>,
    /// Its idempotency key.
    pub key: Key,
    /// Method and route template (`POST /v1/payments`).
    pub operation: &'static str,
    /// Fingerprint of the request.
    pub fingerprint: [u8; 32],
    /// API version to answer in.
    pub api_version: String,
    /// What is asked.
    pub action: Action,
}

/// What a client asks.
#[derive(Clone, Debug)]
pub enum Action {
    /// A new customer.
    CreateCustomer(NewCustomer),
    /// A new payment.
    CreatePayment {
        /// Whose.
        customer: CustomerRef,
        /// Which.
        asked: CreatePayment,
    },
    /// To take what a payment has authorised.
    Capture {
        /// The payment's effect; the lease is not looked at.
        payment: EffectRef,
        /// How much, in minor units; all of it, where it is not said.
        amount: Option<i64>,
    },
    /// To give a payment up.
    Cancel {
        /// The payment's effect; the lease is not looked at.
        payment: EffectRef,
        /// Why.
        reason: Option<String>,
    },
    /// To give money of a payment back.
    Refund {
        /// The payment's effect; the lease is not looked at.
        payment: EffectRef,
        /// How much, and for what.
        asked: AskRefund,
    },
    /// To answer a dispute.
    SubmitEvidence {
        /// Which dispute.
        dispute: DisputeRef,
        /// The gateway's names of the members of the evidence, with their texts.
        texts: BTreeMap<String, String>,
    },
    /// A new endpoint for outgoing events.
    CreateEndpoint(NewEndpoint),
    /// A new secret for an endpoint.
    RotateSecret(NewSecret),
    /// A person's decision on an effect in review.
    Resolve {
        /// Which effect; the lease is not looked at.
        effect: EffectRef,
        /// What has happened.
        resolution: Resolution,
        /// Who says so, and why.
        word: PersonsWord,
    },
    /// A person's decision on what a brake holds back.
    Approve {
        /// Which effect; the lease is not looked at.
        effect: EffectRef,
        /// Whether it may begin.
        approval: Approval,
        /// Who says so, and why.
        word: PersonsWord,
    },
}

/// How a client names a customer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CustomerRef {
    /// By our id.
    Id(CustomerId),
    /// By its own.
    External(String),
}

/// A customer to create.
#[derive(Clone, Debug, Default)]
pub struct NewCustomer {
    /// Our id, where the client brings one.
    pub id: Option<CustomerId>,
    /// The client's own id.
    pub external_id: Option<String>,
    /// Name.
    pub name: Option<String>,
    /// E-mail address.
    pub email: Option<String>,
    /// Preferred currency.
    pub currency: Option<Currency>,
    /// IANA time zone.
    pub timezone: Option<String>,
    /// The gateways' ids.
    pub gateway_ids: BTreeMap<String, String>,
    /// The client's own fields.
    pub metadata: BTreeMap<String, String>,
}

/// Names an effect, and the lease under which it is worked on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct EffectRef {
    /// The book.
    pub book: CustomerId,
    /// The effect.
    pub effect: EffectId,
    /// Its payment.
    pub payment: PaymentId,
    /// The lease.
    pub epoch: i64,
}

/// Names a dispute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DisputeRef {
    /// The book.
    pub book: CustomerId,
    /// The dispute.
    pub dispute: DisputeId,
}

/// Something a job taught us.
#[derive(Clone, Debug)]
pub struct LearnedFact {
    /// About which effect, under which lease.
    pub effect: EffectRef,
    /// Where from.
    pub source: Source,
    /// What.
    pub stimulus: Stimulus,
}

/// What became of a submission. Everything said here is durable.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// A client's command was accepted and has no final answer yet.
    Accepted {
        /// The command.
        command: CommandId,
        /// The resource it made (`pay_…`).
        subject: String,
        /// That resource as it was committed, where it is a new payment; else whoever wants it reads it.
        payment: Option<Box<Payment>>,
    },
    /// The same command is already under way.
    Joined {
        /// The command.
        command: CommandId,
        /// The resource it made.
        subject: Option<String>,
    },
    /// A client's command is finished; this is its answer, now frozen.
    Answered {
        /// The command.
        command: CommandId,
        /// HTTP status.
        status: u16,
        /// Body.
        body: Vec<u8>,
    },
    /// The same command was finished before: its stored answer.
    Replayed(Box<Command>),
    /// Refused without being stored: payments at the gateway have waited too long already, and this one is new. Under its
    /// key it may be sent again later.
    Backlogged {
        /// The configured gateway.
        gateway: String,
        /// How long the oldest has waited.
        age_ms: u64,
    },
    /// Refused without being stored: the key stands for something else, or has expired.
    Refused(Rejection),
    /// A brake stopped it: refused without being stored, or accepted and held back until a person approves.
    OverLimit {
        /// The tenant's name.
        tenant: String,
        /// Which limit, and how far.
        over: Box<Over>,
        /// What was accepted; none where it was refused.
        parked: Option<Parked>,
    },
    /// A lesson was applied; the commands it finished, each with its frozen answer.
    Applied {
        /// The finished commands.
        answered: Vec<(CommandId, u16, Vec<u8>)>,
        /// A person should look, for this reason.
        alarm: Option<&'static str>,
    },
    /// The lease was lost meanwhile: what was learned is kept as an observation.
    Fenced,
    /// A webhook event was stored before; nothing was done again.
    Duplicate,
    /// Done, nothing to say.
    Done,
    /// A tenant's or a key's name is taken, or no such key exists.
    Conflict(&'static str),
    /// Not carried out, nothing stored: the store failed. The text is for operators.
    Failed(Failure),
}

/// A command that was accepted and is held back by a brake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parked {
    /// The command.
    pub command: CommandId,
    /// The resource it made (`pay_…`).
    pub subject: String,
}

/// Why nothing was stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The disk is full.
    StoreFull,
    /// The store cannot be written to.
    StoreUnavailable(String),
    /// The data contradicts itself; the text says where.
    Damaged(String),
}

/// Work for the gateways. Its ticket, where it needs one, is committed.
#[derive(Clone, Debug)]
pub struct Job {
    /// About which effect, under which lease.
    pub effect: EffectRef,
    /// The tenant.
    pub tenant: TenantId,
    /// The configured gateway.
    pub gateway: String,
    /// What kind of object it is about.
    pub kind: ObjectKind,
    /// Whose room it takes.
    pub lane: Lane,
    /// What to do.
    pub plan: Plan,
    /// When it has to be over: the lease outlives it.
    pub deadline: Timestamp,
}

/// What a job does.
#[derive(Clone, Debug)]
pub enum Plan {
    /// Send this write; its answer is a [`Stimulus::Answered`].
    Send(Request),
    /// Read the object; the answer is a [`Stimulus::Read`].
    Read(Request),
    /// Page through a list for an object that carries our effect's id, or the key we sent as our reference; ends in
    /// [`Stimulus::Found`] or [`Stimulus::FindFailed`].
    Find(Find),
}

/// Where an object is looked for.
#[derive(Clone, Debug)]
pub struct Find {
    /// The gateway's object it belongs to, for a refund.
    pub parent: Option<(ObjectKind, String)>,
    /// The gateway's id of the customer, to narrow the list.
    pub customer: Option<String>,
    /// The key of the request that may have made it.
    pub reference: Option<String>,
    /// Objects made at or after this second.
    pub created_from: Option<i64>,
}
