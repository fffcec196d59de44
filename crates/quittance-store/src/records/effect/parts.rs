//! What an effect's body is made of.

use crate::records::codec::{CodecError, Reader, Writer};
use quittance_core::effect::{AfterCancel, Asked, Expiry, Fence, Joined, Subject, Waiting};
use quittance_core::fact::Decline;
use quittance_core::id::CommandId;
use quittance_core::time::Timestamp;

/// The subject of a payment's effect; that of another is the id of its refund or dispute.
const PAYMENT: &str = "payment";

pub(super) fn encode_text(writer: &mut Writer, text: &str) {
    writer.text(text);
}

pub(super) fn encode_time(writer: &mut Writer, at: Timestamp) {
    writer.integer(at.0);
}

pub(super) fn encode_subject(writer: &mut Writer, subject: Subject) {
    match subject {
        Subject::Payment => writer.text(PAYMENT),
        Subject::Refund(refund) => writer.text(&refund.to_string()),
        Subject::Dispute(dispute) => writer.text(&dispute.to_string()),
    };
}

pub(super) fn decode_subject(reader: &mut Reader<'_>) -> Result<Subject, CodecError> {
    reader.word(|text| match text {
        PAYMENT => Some(Subject::Payment),
        text => {
            let refund = text.parse().ok().map(Subject::Refund);
            refund.or_else(|| text.parse().ok().map(Subject::Dispute))
        }
    })
}

pub(super) fn encode_fence(writer: &mut Writer, fence: &Fence) {
    writer.option(fence.latest_charge.as_deref(), encode_text).option(fence.error_digest.as_ref(), |w, digest| {
        w.fixed(digest);
    });
}

pub(super) fn decode_fence(reader: &mut Reader<'_>) -> Result<Fence, CodecError> {
    Ok(Fence { latest_charge: reader.option(Reader::text)?, error_digest: reader.option(Reader::fixed)? })
}

pub(super) fn encode_after_cancel(writer: &mut Writer, after: &AfterCancel) {
    match after {
        AfterCancel::Fail(decline) => encode_decline(writer.byte(1), decline),
        AfterCancel::Replace => {
            writer.byte(2);
        }
        AfterCancel::GiveUp => {
            writer.byte(3);
        }
        AfterCancel::Expire => {
            writer.byte(4);
        }
    }
}

pub(super) fn decode_after_cancel(reader: &mut Reader<'_>) -> Result<AfterCancel, CodecError> {
    match reader.byte()? {
        1 => Ok(AfterCancel::Fail(decode_decline(reader)?)),
        2 => Ok(AfterCancel::Replace),
        3 => Ok(AfterCancel::GiveUp),
        4 => Ok(AfterCancel::Expire),
        _ => Err(CodecError::OutOfRange),
    }
}

pub(super) fn encode_expiry(writer: &mut Writer, expiry: Expiry) {
    let waiting = match expiry.waiting {
        Waiting::Action => 1,
        Waiting::Capture => 2,
    };
    writer.byte(waiting).integer(expiry.at.0);
}

pub(super) fn decode_expiry(reader: &mut Reader<'_>) -> Result<Expiry, CodecError> {
    let waiting = match reader.byte()? {
        1 => Waiting::Action,
        2 => Waiting::Capture,
        _ => return Err(CodecError::OutOfRange),
    };
    Ok(Expiry { waiting, at: Timestamp(reader.integer()?) })
}

pub(super) fn encode_joined(writer: &mut Writer, joined: &[Joined]) {
    writer.count(u32::try_from(joined.len()).expect("few commands join a payment"));
    for one in joined {
        let asked = match one.asked {
            Asked::Existing => 1,
            Asked::Capture => 2,
            Asked::Cancel => 3,
        };
        writer.fixed(&one.command.bytes()).byte(asked);
    }
}

pub(super) fn decode_joined(reader: &mut Reader<'_>) -> Result<Vec<Joined>, CodecError> {
    (0..reader.count()?)
        .map(|_| {
            let command = CommandId::from_bytes(reader.fixed()?);
            let asked = match reader.byte()? {
                1 => Asked::Existing,
                2 => Asked::Capture,
                3 => Asked::Cancel,
                _ => return Err(CodecError::OutOfRange),
            };
            Ok(Joined { command, asked })
        })
        .collect()
}

pub(in crate::records) fn encode_decline(writer: &mut Writer, decline: &Decline) {
    writer.text(&decline.code).flag(decline.is_retryable);
}

pub(in crate::records) fn decode_decline(reader: &mut Reader<'_>) -> Result<Decline, CodecError> {
    Ok(Decline { code: reader.text()?, is_retryable: reader.flag()? })
}
