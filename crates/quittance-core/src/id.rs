//! Typed ids: a UUID behind a prefix that names what it identifies (`pay_01h455vb4pex5vsknk084sn02q`).
//!
//! The text form is a TypeID (TypeID specification 0.3): the prefix, `_`, and the 128 bits of the UUID as 26 lower-case
//! characters of Crockford's base32. Ids are passed in, never drawn here.

use std::fmt;
use std::str::FromStr;
use uuid::Uuid;

/// Characters after the prefix: 26 of 5 bits hold the 128 bits, so the first is at most `7`.
const SUFFIX_LENGTH: usize = 26;

/// Crockford's base32 in lower case: no `i`, `l`, `o`, `u`. Its order is the order of ASCII, so text sorts as the UUID.
const ALPHABET: [char; 32] = [
    '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'j', 'k', 'm', 'n', 'p',
    'q', 'r', 's', 't', 'v', 'w', 'x', 'y', 'z',
];

/// Defines one newtype over a UUID per prefix.
macro_rules! typed_ids {
    ($($(#[$doc:meta])* $name:ident $prefix:literal;)+) => {$(
        $(#[$doc])*
        ///
        /// Any UUID is a valid value. The text form is the prefix, `_` and 26 characters; the order of ids is the order
        /// of their bytes and of their texts.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Uuid);

        impl $name {
            /// The prefix of the text form, without the underscore.
            pub const PREFIX: &'static str = $prefix;

            /// Wraps a UUID, whatever its version.
            #[must_use]
            pub const fn from_uuid(uuid: Uuid) -> Self {
                Self(uuid)
            }

            /// Wraps the 16 bytes of a UUID, most significant first.
            #[must_use]
            pub const fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(Uuid::from_bytes(bytes))
            }

            /// Returns the UUID without its prefix.
            #[must_use]
            pub const fn uuid(self) -> Uuid {
                self.0
            }

            /// Returns the 16 bytes of the UUID, most significant first.
            #[must_use]
            pub const fn bytes(self) -> [u8; 16] {
                self.0.into_bytes()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&encode(Self::PREFIX, self.0))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            /// Reads the exact text form; see [`IdError`] for what is refused.
            fn from_str(text: &str) -> Result<Self, IdError> {
                decode(Self::PREFIX, text).map(Self)
            }
        }
    )+};
}

typed_ids! {
    /// Names a tenant: one set of books.
    TenantId "ten";
    /// Names a customer of a tenant.
    CustomerId "cus";
    /// Names a payment.
    PaymentId "pay";
    /// Names a refund.
    RefundId "rfd";
    /// Names a dispute.
    DisputeId "dsp";
    /// Names a command: one accepted wish to change something.
    CommandId "cmd";
    /// Names an effect: one thing to be done once at a gateway.
    EffectId "eff";
    /// Names an API key; it is not the key itself.
    ApiKeyId "key";
    /// Names the chain of causes that a request started.
    CorrelationId "cor";
    /// Names a hold: money set aside in the journal for a payment under way.
    HoldId "hld";
    /// Names a discrepancy between a gateway and our books.
    DiscrepancyId "dsc";
    /// Names a comparison of two systems.
    RunId "run";
    /// Names an event: one change of something that clients see, told to a tenant's own systems.
    EventId "evt";
    /// Names an endpoint of a tenant's, to which events are sent.
    EndpointId "whe";
    /// Names a silence: what operators do not want to be told of for a while.
    SilenceId "sil";
    /// Names a message about alerts to one channel.
    NoticeId "ntc";
}

/// Says why a text is not the id that was asked for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// The text does not begin with the prefix of this kind of id and an underscore.
    #[error("expected an id beginning with `{expected}_`, found prefix `{found}`")]
    WrongPrefix {
        /// The prefix this kind of id has.
        expected: &'static str,
        /// The prefix in the text; empty when there is none that could be one, so that no foreign text is repeated.
        found: String,
    },
    /// There are not exactly 26 characters after the prefix.
    #[error("expected 26 characters after the prefix")]
    WrongLength,
    /// A character is not of the lower-case base32 alphabet.
    #[error("character {0:?} is not one of an id")]
    BadCharacter(char),
    /// The first character is above `7`: the value needs more than 128 bits.
    #[error("id is larger than 128 bits")]
    TooLarge,
}

/// Writes prefix, underscore and base32 digits.
fn encode(prefix: &str, uuid: Uuid) -> String {
    let bits = uuid.as_u128();
    let digits = (0..SUFFIX_LENGTH).rev().map(|place| ALPHABET[(bits >> (5 * place)) as usize & 31]);
    let mut text = String::with_capacity(prefix.len() + 1 + SUFFIX_LENGTH);
    text.push_str(prefix);
    text.push('_');
    text.extend(digits);
    text
}

/// Reads what [`encode`] writes and nothing else.
fn decode(prefix: &'static str, text: &str) -> Result<Uuid, IdError> {
    let suffix = text
        .strip_prefix(prefix)
        .and_then(|rest| rest.strip_prefix('_'))
        .ok_or_else(|| IdError::WrongPrefix { expected: prefix, found: prefix_of(text) })?;
    if suffix.chars().count() != SUFFIX_LENGTH {
        return Err(IdError::WrongLength);
    }
    let mut bits = 0_u128;
    for (place, character) in suffix.chars().enumerate() {
        let digit = digit_of(character)?;
        if place == 0 && digit > 7 {
            return Err(IdError::TooLarge);
        }
        bits = bits << 5 | digit;
    }
    Ok(Uuid::from_u128(bits))
}

/// Value of one base32 character.
fn digit_of(character: char) -> Result<u128, IdError> {
    let digit = ALPHABET.iter().position(|&known| known == character);
    digit.map(|digit| digit as u128).ok_or(IdError::BadCharacter(character))
}

/// The text before the last underscore if it has the form of a TypeID prefix: up to 63 of `a`–`z` and `_`.
fn prefix_of(text: &str) -> String {
    let prefix = text.rsplit_once('_').map_or("", |(prefix, _)| prefix);
    let is_plausible = prefix.len() <= 63 && prefix.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    if is_plausible { prefix.to_owned() } else { String::new() }
}
