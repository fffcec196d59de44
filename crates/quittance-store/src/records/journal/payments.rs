//! Records of payments: how they moved, and what clients asked of them.

use super::parts::{
    decode_closing, decode_postings, decode_source, encode_closing, encode_maybe_text, encode_postings, encode_source,
};
use crate::records::codec::{CodecError, Reader, Writer};
use crate::records::effect::{decode_decline, encode_decline};
use quittance_core::effect::{State, Step};
use quittance_core::id::{EffectId, PaymentId};
use quittance_core::journal::{Advanced, StepAsked};
use quittance_core::payment::Status;

pub(super) fn encode_advanced(w: &mut Writer, advanced: &Advanced) {
    w.fixed(&advanced.effect.bytes()).fixed(&advanced.payment.bytes());
    encode_source(w, &advanced.source);
    w.text(&advanced.saw).text(advanced.state.name()).text(advanced.step.name()).count(advanced.generation);
    encode_maybe_text(w, advanced.object.as_deref());
    w.text(advanced.status.name());
    w.option(advanced.decline.as_ref(), encode_decline);
    encode_closing(w, advanced.closing);
    encode_postings(w, &advanced.postings);
}

pub(super) fn decode_advanced(r: &mut Reader<'_>) -> Result<Advanced, CodecError> {
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
        closing: decode_closing(r)?,
        postings: decode_postings(r)?,
    })
}

pub(super) fn encode_asked(w: &mut Writer, asked: &StepAsked) {
    match asked {
        StepAsked::Capture { amount } => {
            w.byte(1).integer(*amount);
        }
        StepAsked::Cancel { reason } => encode_maybe_text(w.byte(2), reason.as_deref()),
    }
}

pub(super) fn decode_asked(r: &mut Reader<'_>) -> Result<StepAsked, CodecError> {
    match r.byte()? {
        1 => Ok(StepAsked::Capture { amount: r.integer()? }),
        2 => Ok(StepAsked::Cancel { reason: r.option(Reader::text)? }),
        _ => Err(CodecError::OutOfRange),
    }
}
