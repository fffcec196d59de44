//! What several kinds of records hold: sources, closings, money, postings.

use crate::records::codec::{CodecError, Reader, Writer};
use quittance_core::account::{Account, Side};
use quittance_core::brake::Limit;
use quittance_core::currency::Currency;
use quittance_core::effect::{PersonsWord, Source};
use quittance_core::id::HoldId;
use quittance_core::journal::Closing;
use quittance_core::ledger::Posting;
use quittance_core::money::Money;

pub(super) fn encode_maybe_text(w: &mut Writer, text: Option<&str>) {
    w.option(text, |w, text| {
        w.text(text);
    });
}

pub(super) fn encode_closing(w: &mut Writer, closing: Option<(HoldId, Closing)>) {
    w.option(closing, |w, (hold, closing)| {
        w.fixed(&hold.bytes()).text(closing.name());
    });
}

pub(super) fn decode_closing(r: &mut Reader<'_>) -> Result<Option<(HoldId, Closing)>, CodecError> {
    r.option(|r| Ok((HoldId::from_bytes(r.fixed()?), r.word(Closing::from_name)?)))
}

pub(super) fn encode_source(w: &mut Writer, source: &Source) {
    w.text(source.name());
    match source {
        Source::Send | Source::Read | Source::Find | Source::Recovery | Source::Client | Source::Sweep => {}
        Source::Brake(limit) => {
            w.text(limit.name());
        }
        Source::Webhook(event) => {
            w.text(event);
        }
        Source::Person(word) => {
            w.text(&word.by).text(&word.evidence).text(&word.reason);
        }
    }
}

pub(super) fn decode_source(r: &mut Reader<'_>) -> Result<Source, CodecError> {
    Ok(match r.text()?.as_str() {
        "send" => Source::Send,
        "read" => Source::Read,
        "find" => Source::Find,
        "recovery" => Source::Recovery,
        "client" => Source::Client,
        "sweep" => Source::Sweep,
        "brake" => Source::Brake(r.word(Limit::from_name)?),
        "webhook" => Source::Webhook(r.text()?),
        "person" => Source::Person(PersonsWord { by: r.text()?, evidence: r.text()?, reason: r.text()? }),
        _ => return Err(CodecError::OutOfRange),
    })
}

pub(super) fn encode_money(w: &mut Writer, money: Money) {
    w.integer(money.amount).text(money.currency.code());
}

pub(super) fn decode_money(r: &mut Reader<'_>) -> Result<Money, CodecError> {
    Ok(Money::new(r.integer()?, decode_currency(r)?))
}

pub(super) fn encode_postings(w: &mut Writer, postings: &[Posting]) {
    w.count(u32::try_from(postings.len()).expect("a record has few postings"));
    for posting in postings {
        w.text(&posting.account.to_string()).flag(posting.side == Side::Credit);
        w.integer(posting.amount).text(posting.currency.code());
    }
}

pub(super) fn decode_postings(r: &mut Reader<'_>) -> Result<Vec<Posting>, CodecError> {
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
