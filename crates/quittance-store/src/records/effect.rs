//! Effects: what the queue and constraints need as columns, the rest as one versioned body.

use super::codec::{CodecError, Reader, Writer};
use super::row::{Columns, Corrupt, Entity};
use crate::schema::Table;
use crate::tables::EFFECTS;
use crate::value::{Row, Value};
use quittance_core::currency::Currency;
use quittance_core::effect::{AfterCancel, Effect, Fence, State, Step};
use quittance_core::fact::Decline;
use quittance_core::id::{CommandId, CustomerId, EffectId, PaymentId, TenantId};
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
            self.state.name().into(),
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
        let book = CustomerId::from_bytes(columns.fixed()?);
        let id = EffectId::from_bytes(columns.fixed()?);
        let tenant = TenantId::from_bytes(columns.fixed()?);
        let payment = PaymentId::from_bytes(columns.fixed()?);
        let gateway = columns.text()?;
        let state = columns.word(State::from_name)?;
        let body = columns.body(decode)?;
        Ok(Self {
            id,
            book,
            tenant,
            payment,
            gateway,
            state,
            due_at: columns.maybe_time()?,
            lease_owner: columns.integer()?,
            lease_epoch: columns.integer()?,
            created_at: columns.time()?,
            money: body.money,
            step: body.step,
            generation: body.generation,
            sends: body.sends,
            lost_confirms: body.lost_confirms,
            is_unresolved: body.is_unresolved,
            needs_find: body.needs_find,
            object_id: body.object_id,
            fence: body.fence,
            names_method: body.names_method,
            refusal: body.refusal,
            after_cancel: body.after_cancel,
            tries: body.tries,
            puzzles: body.puzzles,
            joined: body.joined,
            first_sent_at: body.first_sent_at,
            last_sent_at: body.last_sent_at,
        })
    }
}

struct Body {
    money: Money,
    step: Step,
    generation: u32,
    sends: u32,
    lost_confirms: u32,
    is_unresolved: bool,
    needs_find: bool,
    object_id: Option<String>,
    fence: Option<Fence>,
    names_method: bool,
    refusal: Option<String>,
    after_cancel: Option<AfterCancel>,
    tries: u32,
    puzzles: u32,
    joined: Vec<CommandId>,
    first_sent_at: Option<Timestamp>,
    last_sent_at: Option<Timestamp>,
}

fn encode(effect: &Effect) -> Vec<u8> {
    let mut writer = Writer::version(1);
    writer
        .integer(effect.money.amount)
        .text(effect.money.currency.code())
        .text(effect.step.name())
        .count(effect.generation)
        .count(effect.sends)
        .count(effect.lost_confirms)
        .flag(effect.is_unresolved)
        .flag(effect.needs_find)
        .option(effect.object_id.as_deref(), |w, id| {
            w.text(id);
        })
        .option(effect.fence.as_ref(), encode_fence)
        .flag(effect.names_method)
        .option(effect.refusal.as_deref(), |w, code| {
            w.text(code);
        })
        .option(effect.after_cancel.as_ref(), encode_after_cancel)
        .count(effect.tries)
        .count(effect.puzzles)
        .option(effect.first_sent_at, |w, at| {
            w.integer(at.0);
        })
        .option(effect.last_sent_at, |w, at| {
            w.integer(at.0);
        });
    writer.count(u32::try_from(effect.joined.len()).expect("few commands join a payment"));
    for command in &effect.joined {
        writer.fixed(&command.bytes());
    }
    writer.finish()
}

fn decode(bytes: &[u8]) -> Result<Body, CodecError> {
    let mut reader = Reader::open(bytes, 1)?;
    let amount = reader.integer()?;
    let currency = reader.word(|code| Currency::from_code(code).ok())?;
    let body = Body {
        money: Money::new(amount, currency),
        step: reader.word(Step::from_name)?,
        generation: reader.count()?,
        sends: reader.count()?,
        lost_confirms: reader.count()?,
        is_unresolved: reader.flag()?,
        needs_find: reader.flag()?,
        object_id: reader.option(Reader::text)?,
        fence: reader.option(decode_fence)?,
        names_method: reader.flag()?,
        refusal: reader.option(Reader::text)?,
        after_cancel: reader.option(decode_after_cancel)?,
        tries: reader.count()?,
        puzzles: reader.count()?,
        first_sent_at: reader.option(Reader::integer)?.map(Timestamp),
        last_sent_at: reader.option(Reader::integer)?.map(Timestamp),
        joined: (0..reader.count()?).map(|_| reader.fixed().map(CommandId::from_bytes)).collect::<Result<_, _>>()?,
    };
    reader.end()?;
    Ok(body)
}

fn encode_fence(writer: &mut Writer, fence: &Fence) {
    writer
        .option(fence.latest_charge.as_deref(), |w, id| {
            w.text(id);
        })
        .option(fence.error_digest.as_ref(), |w, digest| {
            w.fixed(digest);
        });
}

fn decode_fence(reader: &mut Reader<'_>) -> Result<Fence, CodecError> {
    Ok(Fence { latest_charge: reader.option(Reader::text)?, error_digest: reader.option(Reader::fixed)? })
}

fn encode_after_cancel(writer: &mut Writer, after: &AfterCancel) {
    match after {
        AfterCancel::Fail(decline) => encode_decline(writer.byte(1), decline),
        AfterCancel::Replace => {
            writer.byte(2);
        }
    }
}

fn decode_after_cancel(reader: &mut Reader<'_>) -> Result<AfterCancel, CodecError> {
    match reader.byte()? {
        1 => Ok(AfterCancel::Fail(decode_decline(reader)?)),
        2 => Ok(AfterCancel::Replace),
        _ => Err(CodecError::OutOfRange),
    }
}

pub(super) fn encode_decline(writer: &mut Writer, decline: &Decline) {
    writer.text(&decline.code).flag(decline.is_retryable);
}

pub(super) fn decode_decline(reader: &mut Reader<'_>) -> Result<Decline, CodecError> {
    Ok(Decline { code: reader.text()?, is_retryable: reader.flag()? })
}
