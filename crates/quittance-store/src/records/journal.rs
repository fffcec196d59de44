//! Journal records as bytes. The chain is taken over these bytes, so a record has exactly one encoding.

use super::codec::{CodecError, Reader, Writer};
use super::effect::{decode_decline, encode_decline};
use super::row::{Columns, Corrupt, Entity};
use crate::schema::Table;
use crate::tables::JOURNAL;
use crate::value::Row;
use quittance_core::account::{Account, Side};
use quittance_core::currency::Currency;
use quittance_core::effect::{PersonsWord, Source, State, Step};
use quittance_core::id::{CommandId, CustomerId, EffectId, HoldId, PaymentId, TenantId};
use quittance_core::journal::{Advanced, Closing, Record};
use quittance_core::ledger::Posting;
use quittance_core::money::Money;
use quittance_core::payment::Status;
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
            w.integer(money.amount).text(money.currency.code()).text(gateway).text(reference);
            encode_postings(w, postings);
        }
        Record::TicketIssued { effect, step, generation, send_no, gateway_key, request_digest, lease_epoch } => {
            w.fixed(&effect.bytes()).text(step.name()).count(*generation).count(*send_no);
            w.text(gateway_key).fixed(request_digest).integer(*lease_epoch);
        }
        Record::EffectAdvanced(advanced) => encode_advanced(w, advanced),
        Record::ObservationKept { effect, source, saw, because } => {
            w.fixed(&effect.bytes());
            encode_source(w, source);
            w.text(saw).text(because);
        }
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
    let r = &mut reader;
    let record = match kind {
        1 => Record::BookOpened { tenant: TenantId::from_bytes(r.fixed()?) },
        2 => Record::PaymentAccepted {
            payment: PaymentId::from_bytes(r.fixed()?),
            command: CommandId::from_bytes(r.fixed()?),
            effect: EffectId::from_bytes(r.fixed()?),
            hold: HoldId::from_bytes(r.fixed()?),
            money: Money::new(r.integer()?, decode_currency(r)?),
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
        4 => Record::EffectAdvanced(decode_advanced(r)?),
        5 => Record::ObservationKept {
            effect: EffectId::from_bytes(r.fixed()?),
            source: decode_source(r)?,
            saw: r.text()?,
            because: r.text()?,
        },
        _ => return Err(CodecError::OutOfRange),
    };
    reader.end()?;
    Ok(record)
}

fn encode_advanced(w: &mut Writer, advanced: &Advanced) {
    w.fixed(&advanced.effect.bytes()).fixed(&advanced.payment.bytes());
    encode_source(w, &advanced.source);
    w.text(&advanced.saw).text(advanced.state.name()).text(advanced.step.name()).count(advanced.generation);
    w.option(advanced.object.as_deref(), |w, object| {
        w.text(object);
    });
    w.text(advanced.status.name());
    w.option(advanced.decline.as_ref(), encode_decline);
    w.option(advanced.closing, |w, (hold, closing)| {
        w.fixed(&hold.bytes()).text(closing.name());
    });
    encode_postings(w, &advanced.postings);
}

fn decode_advanced(r: &mut Reader<'_>) -> Result<Advanced, CodecError> {
    Ok(Advanced {
        effect: EffectId::from_bytes(r.fixed()?),
        payment: PaymentId::from_bytes(r.fixed()?),
        source: decode_source(r)?,
        saw: r.text()?,
        state: r.word(State::from_name)?,
        step: r.word(Step::from_name)?,
        generation: r.count()?,
        object: r.option(Reader::text)?,
        status: r.word(Status::from_name)?,
        decline: r.option(decode_decline)?,
        closing: r.option(|r| Ok((HoldId::from_bytes(r.fixed()?), r.word(Closing::from_name)?)))?,
        postings: decode_postings(r)?,
    })
}

fn encode_source(w: &mut Writer, source: &Source) {
    w.text(source.name());
    match source {
        Source::Send | Source::Read | Source::Find | Source::Recovery => {}
        Source::Webhook(event) => {
            w.text(event);
        }
        Source::Person(word) => {
            w.text(&word.by).text(&word.evidence).text(&word.reason);
        }
    }
}

fn decode_source(r: &mut Reader<'_>) -> Result<Source, CodecError> {
    Ok(match r.text()?.as_str() {
        "send" => Source::Send,
        "read" => Source::Read,
        "find" => Source::Find,
        "recovery" => Source::Recovery,
        "webhook" => Source::Webhook(r.text()?),
        "person" => Source::Person(PersonsWord { by: r.text()?, evidence: r.text()?, reason: r.text()? }),
        _ => return Err(CodecError::OutOfRange),
    })
}

fn encode_postings(w: &mut Writer, postings: &[Posting]) {
    w.count(u32::try_from(postings.len()).expect("a record has few postings"));
    for posting in postings {
        w.text(&posting.account.to_string()).flag(posting.side == Side::Credit);
        w.integer(posting.amount).text(posting.currency.code());
    }
}

fn decode_postings(r: &mut Reader<'_>) -> Result<Vec<Posting>, CodecError> {
    (0..r.count()?)
        .map(|_| {
            Ok(Posting {
                account: r.word(|text| text.parse::<Account>().ok())?,
                side: if r.flag()? { Side::Credit } else { Side::Debit },
                amount: r.integer()?,
                currency: decode_currency(r)?,
            })
        })
        .collect()
}

fn decode_currency(r: &mut Reader<'_>) -> Result<Currency, CodecError> {
    r.word(|code| Currency::from_code(code).ok())
}
