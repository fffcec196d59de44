//! Effects: what the queue and constraints need as columns, the rest as one versioned body.

mod parts;

pub(super) use parts::{decode_decline, encode_decline};

use super::codec::{CodecError, Reader, Writer};
use super::lane::Lane;
use super::row::{Columns, Corrupt, Entity};
use crate::schema::Table;
use crate::tables::EFFECTS;
use crate::value::{Row, Value};
use parts::{
    decode_after_cancel, decode_expiry, decode_fence, decode_joined, decode_subject, encode_after_cancel,
    encode_expiry, encode_fence, encode_joined, encode_subject, encode_text, encode_time,
};
use quittance_core::brake::Limit;
use quittance_core::currency::Currency;
use quittance_core::effect::{Class, Effect, State, Step};
use quittance_core::id::{CustomerId, EffectId, PaymentId, TenantId};
use quittance_core::money::Money;
use quittance_core::time::Timestamp;

impl Entity for Effect {
    fn table() -> &'static Table {
        &EFFECTS
    }

    fn to_row(&self) -> Row {
        vec![
            self.book.bytes().into(),
            self.id.bytes().into(),
            self.tenant.bytes().into(),
            self.payment.bytes().into(),
            self.gateway.as_str().into(),
            Lane::column(self).into(),
            self.state.name().into(),
            self.parked_by.map(Limit::name).into(),
            encode(self).into(),
            self.due_at.map(|at| at.0).into(),
            self.lease_owner.into(),
            self.lease_epoch.into(),
            self.created_at.0.into(),
            Value::Integer(0),
        ]
    }

    fn from_row(row: &Row) -> Result<Self, Corrupt> {
        let mut columns = Columns::of(&EFFECTS, row)?;
        let before = Before {
            book: CustomerId::from_bytes(columns.fixed()?),
            id: EffectId::from_bytes(columns.fixed()?),
            tenant: TenantId::from_bytes(columns.fixed()?),
            payment: PaymentId::from_bytes(columns.fixed()?),
            gateway: columns.text()?,
            state: {
                // The lane follows from the rest.
                columns.text()?;
                columns.word(State::from_name)?
            },
            parked_by: columns.maybe_word(Limit::from_name)?,
        };
        let effect = columns.body(|bytes| decode(bytes, before))?;
        Ok(Self {
            due_at: columns.maybe_time()?,
            lease_owner: columns.integer()?,
            lease_epoch: columns.integer()?,
            created_at: columns.time()?,
            ..effect
        })
    }
}

/// The columns before the body.
struct Before {
    book: CustomerId,
    id: EffectId,
    tenant: TenantId,
    payment: PaymentId,
    gateway: String,
    state: State,
    parked_by: Option<Limit>,
}

fn encode(effect: &Effect) -> Vec<u8> {
    let mut writer = Writer::version(1);
    let w = &mut writer;
    encode_subject(w, effect.subject);
    w.text(effect.class.name()).integer(effect.money.amount).text(effect.money.currency.code());
    w.text(effect.step.name()).count(effect.generation).count(effect.sends).count(effect.lost_confirms);
    w.flag(effect.is_unresolved).flag(effect.needs_find).flag(effect.had_server_error);
    w.option(effect.object_id.as_deref(), encode_text);
    w.option(effect.fence.as_ref(), encode_fence);
    w.flag(effect.names_method);
    w.option(effect.refusal.as_deref(), encode_text);
    w.option(effect.after_cancel.as_ref(), encode_after_cancel);
    w.flag(effect.is_fenced);
    w.count(effect.tries).count(effect.puzzles);
    encode_joined(w, &effect.joined);
    w.option(effect.submissions_before, |w, count| {
        w.count(count);
    });
    w.option(effect.capture_amount, |w, amount| {
        w.integer(amount);
    });
    w.option(effect.received_amount, |w, amount| {
        w.integer(amount);
    });
    w.flag(effect.wants_cancel);
    w.option(effect.expiry, encode_expiry);
    w.option(effect.searched_at, encode_time).option(effect.absent_at, encode_time);
    w.option(effect.returned.as_deref(), encode_text).flag(effect.is_paid);
    w.option(effect.first_sent_at, encode_time).option(effect.last_sent_at, encode_time);
    w.count(effect.era).option(effect.doubted_at, encode_time);
    writer.finish()
}

/// Reads an effect; what follows the body in its row is left empty.
fn decode(bytes: &[u8], before: Before) -> Result<Effect, CodecError> {
    let mut reader = Reader::open(bytes, 1)?;
    let r = &mut reader;
    let effect = Effect {
        id: before.id,
        book: before.book,
        tenant: before.tenant,
        payment: before.payment,
        gateway: before.gateway,
        state: before.state,
        subject: decode_subject(r)?,
        class: r.word(Class::from_name)?,
        money: Money::new(r.integer()?, r.word(|code| Currency::from_code(code).ok())?),
        step: r.word(Step::from_name)?,
        generation: r.count()?,
        sends: r.count()?,
        lost_confirms: r.count()?,
        is_unresolved: r.flag()?,
        needs_find: r.flag()?,
        had_server_error: r.flag()?,
        object_id: r.option(Reader::text)?,
        fence: r.option(decode_fence)?,
        names_method: r.flag()?,
        refusal: r.option(Reader::text)?,
        after_cancel: r.option(decode_after_cancel)?,
        is_fenced: r.flag()?,
        tries: r.count()?,
        puzzles: r.count()?,
        joined: decode_joined(r)?,
        submissions_before: r.option(Reader::count)?,
        capture_amount: r.option(Reader::integer)?,
        received_amount: r.option(Reader::integer)?,
        wants_cancel: r.flag()?,
        expiry: r.option(decode_expiry)?,
        searched_at: r.option(Reader::integer)?.map(Timestamp),
        absent_at: r.option(Reader::integer)?.map(Timestamp),
        parked_by: before.parked_by,
        returned: r.option(Reader::text)?,
        is_paid: r.flag()?,
        first_sent_at: r.option(Reader::integer)?.map(Timestamp),
        last_sent_at: r.option(Reader::integer)?.map(Timestamp),
        era: r.count()?,
        doubted_at: r.option(Reader::integer)?.map(Timestamp),
        due_at: None,
        lease_epoch: 0,
        lease_owner: 0,
        created_at: Timestamp(0),
    };
    reader.end()?;
    Ok(effect)
}
