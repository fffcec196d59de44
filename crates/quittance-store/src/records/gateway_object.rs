//! Objects at gateways: whose each is, what was last seen of it, and its place in the queue of looks.

use super::row::{Columns, Corrupt, Entity};
use crate::schema::Table;
use crate::tables::GATEWAY_OBJECTS;
use crate::value::{Row, Value};
use quittance_core::fact::ObjectKind;
use quittance_core::id::{CustomerId, EffectId, PaymentId};
use quittance_core::time::Timestamp;

/// An object at a gateway, as we last saw it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GatewayObject {
    /// The configured gateway.
    pub gateway: String,
    /// The gateway's id of the object.
    pub object: String,
    /// What kind of object it is.
    pub kind: ObjectKind,
    /// The newest effect that it belongs to; none where it is not known to be ours.
    pub owner: Option<Owner>,
    /// What we make of it.
    pub state: ObjectState,
    /// The object that has to be known first, while it is parked.
    pub waiting_on: Option<String>,
    /// The gateway's word for where it stood when it was last seen.
    pub status: Option<String>,
    /// When it was first seen to stand there.
    pub status_since: Option<Timestamp>,
    /// Number of the look whose answer was applied last; 0 before any.
    pub read_sequence: i64,
    /// Whether it changed while a look was under way, so that it has to be looked at once more.
    pub is_stale: bool,
    /// Answers in a row that could not be read. Outages, limits and bad credentials never count.
    pub tries: u32,
    /// Since when it is parked, or cannot be read.
    pub troubled_since: Option<Timestamp>,
    /// When we first heard of it.
    pub first_seen_at: Timestamp,
    /// When it was last looked at with success.
    pub last_read_at: Option<Timestamp>,
    /// When it is to be looked at; the end of the lease while somebody does; none when nothing is expected.
    pub due_at: Option<Timestamp>,
    /// Who looks; 0 for nobody.
    pub lease_owner: i64,
    /// Number of the newest look.
    pub lease_epoch: i64,
}

/// The effect that an object belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Owner {
    /// The book.
    pub book: CustomerId,
    /// The effect.
    pub effect: EffectId,
    /// That effect's payment.
    pub payment: PaymentId,
}

/// What we make of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ObjectState {
    /// Known by its name alone.
    Unread,
    /// It belongs to an effect of ours.
    Ours,
    /// It carries an effect's id, and is not that effect's object: a lost request made it.
    Stray,
    /// It carries the id of an effect that we do not know.
    Orphan,
    /// Somebody else made it.
    External,
    /// It cannot be placed before another object is known.
    Parked,
    /// It could not be read or placed for too long; a person has to look.
    Quarantined,
    /// The gateway does not have it.
    Missing,
}

impl ObjectState {
    /// Every state, in order.
    pub const ALL: [Self; 8] = [
        Self::Unread,
        Self::Ours,
        Self::Stray,
        Self::Orphan,
        Self::External,
        Self::Parked,
        Self::Quarantined,
        Self::Missing,
    ];

    /// Stable name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unread => "unread",
            Self::Ours => "ours",
            Self::Stray => "stray",
            Self::Orphan => "orphan",
            Self::External => "external",
            Self::Parked => "parked",
            Self::Quarantined => "quarantined",
            Self::Missing => "missing",
        }
    }

    fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }
}

impl GatewayObject {
    /// An object of which nothing but its name is known, due at once.
    #[must_use]
    pub const fn new(gateway: String, object: String, kind: ObjectKind, now: Timestamp) -> Self {
        Self {
            gateway,
            object,
            kind,
            owner: None,
            state: ObjectState::Unread,
            waiting_on: None,
            status: None,
            status_since: None,
            read_sequence: 0,
            is_stale: false,
            tries: 0,
            troubled_since: None,
            first_seen_at: now,
            last_read_at: None,
            due_at: Some(now),
            lease_owner: 0,
            lease_epoch: 0,
        }
    }
}

impl Entity for GatewayObject {
    fn table() -> &'static Table {
        &GATEWAY_OBJECTS
    }

    fn to_row(&self) -> Row {
        vec![
            self.gateway.as_str().into(),
            self.object.as_str().into(),
            self.kind.name().into(),
            self.owner.map(|owner| owner.book.bytes()).into(),
            self.owner.map(|owner| owner.effect.bytes()).into(),
            self.owner.map(|owner| owner.payment.bytes()).into(),
            self.state.name().into(),
            self.waiting_on.as_deref().into(),
            self.status.as_deref().into(),
            self.status_since.map(|at| at.0).into(),
            self.read_sequence.into(),
            i64::from(self.is_stale).into(),
            i64::from(self.tries).into(),
            self.troubled_since.map(|at| at.0).into(),
            self.first_seen_at.0.into(),
            self.last_read_at.map(|at| at.0).into(),
            self.due_at.map(|at| at.0).into(),
            self.lease_owner.into(),
            self.lease_epoch.into(),
            Value::Integer(0),
        ]
    }

    fn from_row(row: &Row) -> Result<Self, Corrupt> {
        let mut columns = Columns::of(&GATEWAY_OBJECTS, row)?;
        Ok(Self {
            gateway: columns.text()?,
            object: columns.text()?,
            kind: columns.word(ObjectKind::from_name)?,
            owner: owner(&mut columns)?,
            state: columns.word(ObjectState::from_name)?,
            waiting_on: columns.maybe_text()?,
            status: columns.maybe_text()?,
            status_since: columns.maybe_time()?,
            read_sequence: columns.integer()?,
            is_stale: columns.flag()?,
            tries: columns.count()?,
            troubled_since: columns.maybe_time()?,
            first_seen_at: columns.time()?,
            last_read_at: columns.maybe_time()?,
            due_at: columns.maybe_time()?,
            lease_owner: columns.integer()?,
            lease_epoch: columns.integer()?,
        })
    }
}

fn owner(columns: &mut Columns<'_>) -> Result<Option<Owner>, Corrupt> {
    let book = columns.maybe_fixed()?.map(CustomerId::from_bytes);
    let effect = columns.maybe_fixed()?.map(EffectId::from_bytes);
    let payment = columns.maybe_fixed()?.map(PaymentId::from_bytes);
    match (book, effect, payment) {
        (Some(book), Some(effect), Some(payment)) => Ok(Some(Owner { book, effect, payment })),
        (None, None, None) => Ok(None),
        _ => Err(columns.wrong("a part of an owner without the others")),
    }
}
