//! Journal records as bytes. The chain is taken over these bytes, so a record has exactly one encoding.

mod disputes;
mod parts;
mod payments;
mod refunds;

use super::codec::{CodecError, Reader, Writer};
use super::row::{Columns, Corrupt, Entity};
use crate::schema::Table;
use crate::tables::JOURNAL;
use crate::value::Row;
use parts::{decode_money, decode_postings, decode_source, encode_money, encode_postings, encode_source};
use quittance_core::effect::Step;
use quittance_core::id::{CommandId, CustomerId, DisputeId, EffectId, HoldId, PaymentId, TenantId};
use quittance_core::journal::Record;
use quittance_core::time::Timestamp;

/// A journal record as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JournalEntry {
    /// The book.
    pub book: CustomerId,
    /// Its number, from 1.
    pub seq: i64,
    /// Its kind.
    pub kind: i64,
    /// When it was written.
    pub at: Timestamp,
    /// Its bytes.
    pub body: Vec<u8>,
    /// Hash of the record before.
    pub prev_hash: [u8; 32],
    /// Its own hash.
    pub hash: [u8; 32],
}

impl Entity for JournalEntry {
    fn table() -> &'static Table {
        &JOURNAL
    }

    fn to_row(&self) -> Row {
        vec![
            self.book.bytes().into(),
            self.seq.into(),
            self.kind.into(),
            self.at.0.into(),
            self.body.clone().into(),
            self.prev_hash.into(),
            self.hash.into(),
        ]
    }

    fn from_row(row: &Row) -> Result<Self, Corrupt> {
        let mut columns = Columns::of(&JOURNAL, row)?;
        Ok(Self {
            book: CustomerId::from_bytes(columns.fixed()?),
            seq: columns.integer()?,
            kind: columns.integer()?,
            at: columns.time()?,
            body: columns.bytes()?.to_vec(),
            prev_hash: columns.fixed()?,
            hash: columns.fixed()?,
        })
    }
}

/// Writes a record's body.
#[must_use]
pub fn encode(record: &Record) -> Vec<u8> {
    let mut writer = Writer::version(1);
    let w = &mut writer;
    match record {
        Record::BookOpened { tenant } => {
            w.fixed(&tenant.bytes());
        }
        Record::PaymentAccepted { payment, command, effect, hold, money, gateway, reference, postings } => {
            w.fixed(&payment.bytes()).fixed(&command.bytes()).fixed(&effect.bytes()).fixed(&hold.bytes());
            encode_money(w, *money);
            w.text(gateway).text(reference);
            encode_postings(w, postings);
        }
        Record::TicketIssued { effect, step, generation, send_no, gateway_key, request_digest, lease_epoch } => {
            w.fixed(&effect.bytes()).text(step.name()).count(*generation).count(*send_no);
            w.text(gateway_key).fixed(request_digest).integer(*lease_epoch);
        }
        Record::EffectAdvanced(advanced) => payments::encode_advanced(w, advanced),
        Record::ObservationKept { effect, source, saw, because } => {
            w.fixed(&effect.bytes());
            encode_source(w, source);
            w.text(saw).text(because);
        }
        Record::RefundAccepted(accepted) => refunds::encode_accepted(w, accepted),
        Record::RefundAdvanced(advanced) => refunds::encode_advanced(w, advanced),
        Record::Corrected(corrected) => refunds::encode_corrected(w, corrected),
        Record::StepAsked { command, effect, payment, asked } => {
            w.fixed(&command.bytes()).fixed(&effect.bytes()).fixed(&payment.bytes());
            payments::encode_asked(w, asked);
        }
        Record::DisputeSeen(seen) => disputes::encode_seen(w, seen),
        Record::EvidenceAccepted { command, effect, dispute, digest } => {
            w.fixed(&command.bytes()).fixed(&effect.bytes()).fixed(&dispute.bytes()).fixed(digest);
        }
        Record::EvidenceAdvanced(advanced) => disputes::encode_advanced(w, advanced),
    }
    writer.finish()
}

/// Reads a record's body.
///
/// # Errors
///
/// [`CodecError`]; an unknown kind is out of range.
pub fn decode(kind: i64, body: &[u8]) -> Result<Record, CodecError> {
    let mut reader = Reader::open(body, 1)?;
    let record = decode_kind(kind, &mut reader)?;
    reader.end()?;
    Ok(record)
}

fn decode_kind(kind: i64, r: &mut Reader<'_>) -> Result<Record, CodecError> {
    Ok(match kind {
        1 => Record::BookOpened { tenant: TenantId::from_bytes(r.fixed()?) },
        2 => Record::PaymentAccepted {
            payment: PaymentId::from_bytes(r.fixed()?),
            command: CommandId::from_bytes(r.fixed()?),
            effect: EffectId::from_bytes(r.fixed()?),
            hold: HoldId::from_bytes(r.fixed()?),
            money: decode_money(r)?,
            gateway: r.text()?,
            reference: r.text()?,
            postings: decode_postings(r)?,
        },
        3 => Record::TicketIssued {
            effect: EffectId::from_bytes(r.fixed()?),
            step: r.word(Step::from_name)?,
            generation: r.count()?,
            send_no: r.count()?,
            gateway_key: r.text()?,
            request_digest: r.fixed()?,
            lease_epoch: r.integer()?,
        },
        4 => Record::EffectAdvanced(payments::decode_advanced(r)?),
        5 => Record::ObservationKept {
            effect: EffectId::from_bytes(r.fixed()?),
            source: decode_source(r)?,
            saw: r.text()?,
            because: r.text()?,
        },
        6 => Record::RefundAccepted(refunds::decode_accepted(r)?),
        7 => Record::RefundAdvanced(refunds::decode_advanced(r)?),
        8 => Record::Corrected(refunds::decode_corrected(r)?),
        9 => Record::StepAsked {
            command: CommandId::from_bytes(r.fixed()?),
            effect: EffectId::from_bytes(r.fixed()?),
            payment: PaymentId::from_bytes(r.fixed()?),
            asked: payments::decode_asked(r)?,
        },
        10 => Record::DisputeSeen(disputes::decode_seen(r)?),
        11 => Record::EvidenceAccepted {
            command: CommandId::from_bytes(r.fixed()?),
            effect: EffectId::from_bytes(r.fixed()?),
            dispute: DisputeId::from_bytes(r.fixed()?),
            digest: r.fixed()?,
        },
        12 => Record::EvidenceAdvanced(disputes::decode_advanced(r)?),
        _ => return Err(CodecError::OutOfRange),
    })
}
