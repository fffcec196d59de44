//! Endpoints of tenants: all of a tenant's in one body.

use super::codec::{CodecError, Reader, Writer};
use super::row::{Columns, Corrupt, Entity};
use crate::schema::Table;
use crate::tables::WEBHOOK_ENDPOINTS;
use crate::value::{Row, Value};
use quittance_core::event::{EndedBy, Endpoint, EndpointState, Endpoints, Kind, Kinds, Secret};
use quittance_core::id::{EndpointId, TenantId};
use quittance_core::time::Timestamp;

impl Entity for Endpoints {
    fn table() -> &'static Table {
        &WEBHOOK_ENDPOINTS
    }

    fn to_row(&self) -> Row {
        vec![self.tenant.bytes().into(), encode(&self.all).into(), Value::Integer(0)]
    }

    fn from_row(row: &Row) -> Result<Self, Corrupt> {
        let mut columns = Columns::of(&WEBHOOK_ENDPOINTS, row)?;
        Ok(Self { tenant: TenantId::from_bytes(columns.fixed()?), all: columns.body(decode)? })
    }
}

fn length(of: usize) -> u32 {
    u32::try_from(of).expect("endpoints, their kinds and their secrets are bounded")
}

fn encode(endpoints: &[Endpoint]) -> Vec<u8> {
    let mut writer = Writer::version(1);
    writer.count(length(endpoints.len()));
    for endpoint in endpoints {
        encode_endpoint(&mut writer, endpoint);
    }
    writer.finish()
}

fn encode_endpoint(w: &mut Writer, endpoint: &Endpoint) {
    w.fixed(&endpoint.id.bytes()).text(&endpoint.url).option(endpoint.description.as_deref(), |w, text| {
        w.text(text);
    });
    match &endpoint.kinds {
        Kinds::All => w.flag(true),
        Kinds::These(kinds) => {
            w.flag(false).count(length(kinds.len()));
            kinds.iter().fold(&mut *w, |w, kind| w.text(kind.name()))
        }
    };
    w.count(length(endpoint.secrets.len()));
    for secret in &endpoint.secrets {
        w.fixed(&secret.bytes).option(secret.until, |w, until| {
            w.integer(until.0);
        });
    }
    encode_state(w, &endpoint.state);
    w.option(endpoint.failing_since, |w, since| {
        w.integer(since.0);
    });
    w.integer(endpoint.created_at.0);
}

fn encode_state(w: &mut Writer, state: &EndpointState) {
    let EndpointState::Disabled { at, why } = state else {
        w.text("enabled");
        return;
    };
    match why {
        EndedBy::Person { by, reason } => w.text("person").text(by).text(reason),
        EndedBy::Gone => w.text("gone"),
        EndedBy::Failing => w.text("failing"),
    };
    w.integer(at.0);
}

fn decode(bytes: &[u8]) -> Result<Vec<Endpoint>, CodecError> {
    let mut reader = Reader::open(bytes, 1)?;
    let endpoints = (0..reader.count()?).map(|_| decode_endpoint(&mut reader)).collect::<Result<_, _>>()?;
    reader.end()?;
    Ok(endpoints)
}

fn decode_endpoint(r: &mut Reader<'_>) -> Result<Endpoint, CodecError> {
    Ok(Endpoint {
        id: EndpointId::from_bytes(r.fixed()?),
        url: r.text()?,
        description: r.option(Reader::text)?,
        kinds: match r.flag()? {
            true => Kinds::All,
            false => Kinds::These((0..r.count()?).map(|_| r.word(Kind::from_name)).collect::<Result<_, _>>()?),
        },
        secrets: (0..r.count()?).map(|_| decode_secret(r)).collect::<Result<_, _>>()?,
        state: decode_state(r)?,
        failing_since: r.option(Reader::integer)?.map(Timestamp),
        created_at: Timestamp(r.integer()?),
    })
}

fn decode_secret(r: &mut Reader<'_>) -> Result<Secret, CodecError> {
    Ok(Secret { bytes: r.fixed()?, until: r.option(Reader::integer)?.map(Timestamp) })
}

fn decode_state(r: &mut Reader<'_>) -> Result<EndpointState, CodecError> {
    let why = match r.text()?.as_str() {
        "enabled" => return Ok(EndpointState::Enabled),
        "person" => EndedBy::Person { by: r.text()?, reason: r.text()? },
        "gone" => EndedBy::Gone,
        "failing" => EndedBy::Failing,
        _ => return Err(CodecError::OutOfRange),
    };
    Ok(EndpointState::Disabled { at: Timestamp(r.integer()?), why })
}
