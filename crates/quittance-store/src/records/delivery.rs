//! Deliveries: what the queue needs as columns, what was tried as one body.

use super::codec::{CodecError, Reader, Writer};
use super::row::{Columns, Corrupt, Entity};
use crate::schema::Table;
use crate::tables::DELIVERIES;
use crate::value::{Row, Value};
use quittance_core::event::{Attempt, Delivery, DeliveryState, Replayed};
use quittance_core::id::{EndpointId, EventId, TenantId};
use quittance_core::time::Timestamp;

impl Entity for Delivery {
    fn table() -> &'static Table {
        &DELIVERIES
    }

    fn to_row(&self) -> Row {
        vec![
            self.endpoint.bytes().into(),
            self.event.bytes().into(),
            self.tenant.bytes().into(),
            self.state.name().into(),
            i64::from(self.tries).into(),
            encode(&self.attempts, self.replayed.as_ref()).into(),
            self.due_at.map(|at| at.0).into(),
            self.lease_owner.into(),
            self.lease_epoch.into(),
            self.created_at.0.into(),
            Value::Integer(0),
        ]
    }

    fn from_row(row: &Row) -> Result<Self, Corrupt> {
        let mut columns = Columns::of(&DELIVERIES, row)?;
        let endpoint = EndpointId::from_bytes(columns.fixed()?);
        let event = EventId::from_bytes(columns.fixed()?);
        let tenant = TenantId::from_bytes(columns.fixed()?);
        let state = columns.word(DeliveryState::from_name)?;
        let tries = columns.count()?;
        let (attempts, replayed) = columns.body(decode)?;
        Ok(Self {
            endpoint,
            event,
            tenant,
            state,
            tries,
            attempts,
            replayed,
            due_at: columns.maybe_time()?,
            lease_owner: columns.integer()?,
            lease_epoch: columns.integer()?,
            created_at: columns.time()?,
        })
    }
}

fn encode(attempts: &[Attempt], replayed: Option<&Replayed>) -> Vec<u8> {
    let mut writer = Writer::version(1);
    writer.count(u32::try_from(attempts.len()).expect("attempts that are kept are bounded"));
    for Attempt { at, took_ms, status, error } in attempts {
        writer.integer(at.0).integer(i64::try_from(*took_ms).unwrap_or(i64::MAX));
        writer.option(*status, |w, status| {
            w.count(u32::from(status));
        });
        writer.option(error.as_deref(), |w, text| {
            w.text(text);
        });
    }
    writer.option(replayed, |w, Replayed { by, reason, at }| {
        w.text(by).text(reason).integer(at.0);
    });
    writer.finish()
}

fn decode(bytes: &[u8]) -> Result<(Vec<Attempt>, Option<Replayed>), CodecError> {
    let mut reader = Reader::open(bytes, 1)?;
    let r = &mut reader;
    let attempts = (0..r.count()?).map(|_| decode_attempt(r)).collect::<Result<_, _>>()?;
    let replayed = r.option(|r| Ok(Replayed { by: r.text()?, reason: r.text()?, at: Timestamp(r.integer()?) }))?;
    reader.end()?;
    Ok((attempts, replayed))
}

fn decode_attempt(r: &mut Reader<'_>) -> Result<Attempt, CodecError> {
    let status = |r: &mut Reader<'_>| u16::try_from(r.count()?).map_err(|_| CodecError::OutOfRange);
    Ok(Attempt {
        at: Timestamp(r.integer()?),
        took_ms: u64::try_from(r.integer()?).map_err(|_| CodecError::OutOfRange)?,
        status: r.option(status)?,
        error: r.option(Reader::text)?,
    })
}
