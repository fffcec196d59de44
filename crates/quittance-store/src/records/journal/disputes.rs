//! Records of disputes: what was seen of them, and how the answer to one moved.

use super::parts::{
    decode_money, decode_postings, decode_source, encode_maybe_text, encode_money, encode_postings, encode_source,
};
use crate::records::codec::{CodecError, Reader, Writer};
use quittance_core::effect::State;
use quittance_core::id::{DisputeId, EffectId, PaymentId};
use quittance_core::journal::{DisputeSeen, EvidenceAdvanced};

pub(super) fn encode_seen(w: &mut Writer, seen: &DisputeSeen) {
    w.fixed(&seen.dispute.bytes()).fixed(&seen.payment.bytes()).text(&seen.object).text(&seen.status);
    encode_money(w, seen.money);
    encode_source(w, &seen.source);
    encode_maybe_text(w, seen.movement.as_deref());
    encode_postings(w, &seen.postings);
}

pub(super) fn decode_seen(r: &mut Reader<'_>) -> Result<DisputeSeen, CodecError> {
    Ok(DisputeSeen {
        dispute: DisputeId::from_bytes(r.fixed()?),
        payment: PaymentId::from_bytes(r.fixed()?),
        object: r.text()?,
        status: r.text()?,
        money: decode_money(r)?,
        source: decode_source(r)?,
        movement: r.option(Reader::text)?,
        postings: decode_postings(r)?,
    })
}

pub(super) fn encode_advanced(w: &mut Writer, advanced: &EvidenceAdvanced) {
    w.fixed(&advanced.effect.bytes()).fixed(&advanced.dispute.bytes());
    encode_source(w, &advanced.source);
    w.text(&advanced.saw).text(advanced.state.name()).count(advanced.generation);
}

pub(super) fn decode_advanced(r: &mut Reader<'_>) -> Result<EvidenceAdvanced, CodecError> {
    Ok(EvidenceAdvanced {
        effect: EffectId::from_bytes(r.fixed()?),
        dispute: DisputeId::from_bytes(r.fixed()?),
        source: decode_source(r)?,
        saw: r.text()?,
        state: r.word(State::from_name)?,
        generation: r.count()?,
    })
}
