//! Recognises payment card numbers in free text, so that they can be refused before anything is stored or logged.
//!
//! PCI DSS keeps a system out of scope only while no card number enters it. What is found here is never handed back, so
//! no error can repeat it. This is a net for accidents, not a defence against somebody who hides a number on purpose.

use std::ops::Range;

/// The most digits a card number has (ISO/IEC 7812-1).
const DIGITS_MAX: usize = 19;

/// Where the hyphens of a UUID's text form stand (RFC 9562, section 4), and how long it is.
const UUID_HYPHENS: [usize; 4] = [8, 13, 18, 23];
const UUID_LENGTH: usize = 36;

/// Tells whether a text contains what looks like a payment card number.
///
/// A number is 13 to 19 ASCII digits that begin with an issuer's range, have a length this issuer uses, and pass the
/// Luhn check. One space or hyphen may stand between two digits, and `_`, `/`, `.`,
/// `,` or two spaces between groups as long as those on cards. The number must not touch an ASCII letter or a further
/// digit, be a part of a UUID, be the fraction of a decimal number, or be an international telephone number: ids, hashes
/// and coordinates are not card numbers.
/// Of other numbers that have an issuer's range and length (barcodes, order numbers), one in ten passes by chance.
///
/// ```
/// use quittance_core::pan::contains_card_number;
/// assert!(contains_card_number("card 4242 4242 4242 4242, thanks"));
/// assert!(!contains_card_number("pay_01h455vb4pex5vsknk084sn02q"));
/// ```
#[must_use]
pub fn contains_card_number(text: &str) -> bool {
    let mut groups = digit_groups(text.as_bytes());
    groups.retain(|group| stands_free(text.as_bytes(), group));
    let mut chains = groups.chunk_by(|left, right| joins(&text[left.end..right.start], left.len()));
    chains.any(|chain| chain_contains_card_number(text.as_bytes(), chain))
}

/// Finds the unbroken runs of ASCII digits.
fn digit_groups(text: &[u8]) -> Vec<Range<usize>> {
    let mut groups = Vec::new();
    let mut start = 0;
    for run in text.chunk_by(|left, right| left.is_ascii_digit() == right.is_ascii_digit()) {
        if run[0].is_ascii_digit() {
            groups.push(start..start + run.len());
        }
        start += run.len();
    }
    groups
}

/// Tells whether a run of digits is neither a piece of an alphanumeric token nor the fraction of a decimal number.
fn stands_free(text: &[u8], group: &Range<usize>) -> bool {
    let before = &text[..group.start];
    // Four digits after a point are as likely a group of a card number as a fraction.
    let is_fraction = matches!(before, [.., whole, b'.'] if whole.is_ascii_digit()) && group.len() != 4;
    let touches_letter = [before.last(), text.get(group.end)].into_iter().flatten().any(u8::is_ascii_alphabetic);
    !is_fraction && !touches_letter
}

/// Tells whether the text between two runs joins them: one space or hyphen, breaking or not, always; another mark only
/// behind a group as long as those on cards are (four, or the six of American Express).
fn joins(between: &str, group_length: usize) -> bool {
    match between {
        " " | "-" | "\u{a0}" | "\u{202f}" | "\u{2010}" | "\u{2011}" => true,
        "  " | "_" | "/" | "." | "," => matches!(group_length, 4 | 6),
        _ => false,
    }
}

/// Looks for a card number in runs of digits that single separators join.
///
/// The whole chain may be grouped anyhow (`4 2 4 2 …`). A part of it counts only in groups of four or more before the
/// last, as on cards: otherwise every list of small numbers would offer dozens of candidates.
fn chain_contains_card_number(text: &[u8], chain: &[Range<usize>]) -> bool {
    (0..chain.len()).any(|first| {
        let mut digits = Vec::with_capacity(DIGITS_MAX);
        for (last, group) in chain.iter().enumerate().skip(first) {
            if digits.len() + group.len() > DIGITS_MAX {
                break;
            }
            digits.extend(text[group.clone()].iter().map(|byte| byte - b'0'));
            let is_whole = first == 0 && last + 1 == chain.len();
            let is_plausible = is_whole || chain[first..last].iter().all(|group| group.len() >= 4);
            if is_plausible && is_card_number(&digits) && !is_exempt(text, chain[first].start, digits.len()) {
                return true;
            }
        }
        false
    })
}

/// Tells whether digits that could be a card number are known to be something else by what stands around them.
fn is_exempt(text: &[u8], start: usize, length: usize) -> bool {
    is_telephone_number(&text[..start], length) || is_inside_uuid(text, start)
}

/// Tells whether digits after this text are an international telephone number: a plus sign that follows no word, and
/// at most 15 digits (ITU-T E.164). German ones are often 13 long and begin with a 4.
fn is_telephone_number(before: &[u8], length: usize) -> bool {
    let has_plus = match before {
        [.., previous, b'+'] => !previous.is_ascii_alphanumeric(),
        [b'+'] => true,
        _ => false,
    };
    has_plus && length <= 15
}

/// Tells whether a byte position lies within the text form of a UUID.
fn is_inside_uuid(text: &[u8], position: usize) -> bool {
    (position.saturating_sub(UUID_LENGTH - 1)..=position).any(|start| {
        let end = start + UUID_LENGTH;
        let is_bounded = ![start.checked_sub(1), Some(end)]
            .into_iter()
            .flatten()
            .any(|neighbour| text.get(neighbour).is_some_and(u8::is_ascii_alphanumeric));
        is_bounded && text.get(start..end).is_some_and(is_uuid)
    })
}

/// Tells whether 36 bytes are hexadecimal digits with hyphens where a UUID has them.
fn is_uuid(text: &[u8]) -> bool {
    text.iter().enumerate().all(|(place, byte)| match UUID_HYPHENS.contains(&place) {
        true => *byte == b'-',
        false => byte.is_ascii_hexdigit(),
    })
}

/// Tells whether digits have an issuer's range and length and pass the Luhn check.
fn is_card_number(digits: &[u8]) -> bool {
    has_issuer(digits) && passes_luhn(digits)
}

/// Tells whether the first four digits belong to an issuer whose numbers have this length.
///
/// Ranges and lengths as the networks publish them (Wikipedia, "Payment card number", table of issuer identification
/// numbers).
fn has_issuer(digits: &[u8]) -> bool {
    let length = digits.len();
    let range = digits.iter().take(4).fold(0_u16, |range, &digit| range * 10 + u16::from(digit));
    match range {
        // Visa; numbers of 13 digits are old ones.
        4000..=4999 => matches!(length, 13 | 16 | 19),
        // Mastercard
        5100..=5599 | 2221..=2720 => length == 16,
        // American Express
        3400..=3499 | 3700..=3799 => length == 15,
        // Diners Club
        3000..=3059 | 3600..=3699 | 3800..=3999 => (14..=19).contains(&length),
        // JCB
        3528..=3589 => (16..=19).contains(&length),
        // Maestro; its 6 spans Discover (6011, 644–649, 65) and UnionPay (62).
        5000..=5099 | 5600..=5899 | 6000..=6999 => (13..=19).contains(&length),
        _ => false,
    }
}

/// Tells whether the check digit is right (ISO/IEC 7812-1, annex B).
fn passes_luhn(digits: &[u8]) -> bool {
    let weighed = digits.iter().rev().enumerate().map(|(place, &digit)| match (place % 2, digit) {
        (0, digit) => u32::from(digit),
        // Twice the digit, with the digits of the product summed.
        (_, digit) => u32::from(digit) * 2 - if digit > 4 { 9 } else { 0 },
    });
    weighed.sum::<u32>() % 10 == 0
}
