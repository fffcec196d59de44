//! Records of money that goes back: refunds, and corrections of what was proven.

use super::parts::{
    decode_closing, decode_money, decode_postings, decode_source, encode_closing, encode_maybe_text, encode_money,
    encode_postings, encode_source,
};
use crate::records::codec::{CodecError, Reader, Writer};
use quittance_core::effect::State;
use quittance_core::id::{CommandId, EffectId, HoldId, PaymentId, RefundId};
use quittance_core::journal::{Corrected, Correction, RefundAccepted, RefundAdvanced};
use quittance_core::refund::RefundStatus;

pub(super) fn encode_accepted(w: &mut Writer, accepted: &RefundAccepted) {
    w.fixed(&accepted.refund.bytes()).fixed(&accepted.payment.bytes()).fixed(&accepted.command.bytes());
    w.fixed(&accepted.effect.bytes()).fixed(&accepted.hold.bytes());
    encode_money(w, accepted.money);
    w.text(&accepted.gateway);
    encode_maybe_text(w, accepted.reference.as_deref());
    encode_postings(w, &accepted.postings);
}

pub(super) fn decode_accepted(r: &mut Reader<'_>) -> Result<RefundAccepted, CodecError> {
    Ok(RefundAccepted {
        refund: RefundId::from_bytes(r.fixed()?),
        payment: PaymentId::from_bytes(r.fixed()?),
        command: CommandId::from_bytes(r.fixed()?),
        effect: EffectId::from_bytes(r.fixed()?),
        hold: HoldId::from_bytes(r.fixed()?),
        money: decode_money(r)?,
        gateway: r.text()?,
        reference: r.option(Reader::text)?,
        postings: decode_postings(r)?,
    })
}

pub(super) fn encode_advanced(w: &mut Writer, advanced: &RefundAdvanced) {
    w.fixed(&advanced.effect.bytes()).fixed(&advanced.refund.bytes());
    encode_source(w, &advanced.source);
    w.text(&advanced.saw).text(advanced.state.name()).count(advanced.generation);
    encode_maybe_text(w, advanced.object.as_deref());
    w.text(advanced.status.name());
    encode_maybe_text(w, advanced.failure_code.as_deref());
    encode_closing(w, advanced.closing);
    encode_postings(w, &advanced.postings);
}

pub(super) fn decode_advanced(r: &mut Reader<'_>) -> Result<RefundAdvanced, CodecError> {
    Ok(RefundAdvanced {
        effect: EffectId::from_bytes(r.fixed()?),
        refund: RefundId::from_bytes(r.fixed()?),
        source: decode_source(r)?,
        saw: r.text()?,
        state: r.word(State::from_name)?,
        generation: r.count()?,
        object: r.option(Reader::text)?,
        status: r.word(RefundStatus::from_name)?,
        failure_code: r.option(Reader::text)?,
        closing: decode_closing(r)?,
        postings: decode_postings(r)?,
    })
}

pub(super) fn encode_corrected(w: &mut Writer, corrected: &Corrected) {
    w.fixed(&corrected.effect.bytes()).fixed(&corrected.payment.bytes());
    w.text(corrected.correction.name()).text(&corrected.movement);
    encode_source(w, &corrected.source);
    w.text(&corrected.saw);
    encode_postings(w, &corrected.postings);
}

pub(super) fn decode_corrected(r: &mut Reader<'_>) -> Result<Corrected, CodecError> {
    Ok(Corrected {
        effect: EffectId::from_bytes(r.fixed()?),
        payment: PaymentId::from_bytes(r.fixed()?),
        correction: r.word(Correction::from_name)?,
        movement: r.text()?,
        source: decode_source(r)?,
        saw: r.text()?,
        postings: decode_postings(r)?,
    })
}
