//! Numbers as the decimals they are written as: exact, of any length up to a limit, one text for each.

use std::borrow::Cow;

/// Longest decimal that is read, in digits before or behind the point. A double needs up to 324.
pub const DIGITS_MAX: usize = 400;

/// A decimal in canonical form: no exponent, no plus, no zeros that say nothing, no negative zero.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Number<'a>(Cow<'a, str>);

impl<'a> Number<'a> {
    /// Reads a decimal as SQL, JSON and people write it: `12`, `-0.50`, `1.5e3`, `+7`.
    ///
    /// ```
    /// use quittance_core::record::number::Number;
    /// for (text, canonical) in [("12.50", "12.5"), ("-0.0", "0"), ("1.5e3", "1500"), ("007", "7"), ("2e-3", "0.002")] {
    ///     assert_eq!(Number::parse(text).map(|number| number.as_str().to_owned()).as_deref(), Some(canonical));
    /// }
    /// assert_eq!(Number::parse("NaN"), None);
    /// ```
    ///
    /// Gives none for what is no decimal, and for more than [`DIGITS_MAX`] digits.
    #[must_use]
    pub fn parse(text: &'a str) -> Option<Self> {
        // Databases pad decimals to the scale of their column: what only ends in zeros needs no other text.
        let trimmed = without_padding(text);
        if is_canonical(trimmed) {
            return Some(Self(Cow::Borrowed(trimmed)));
        }
        canonical(text).map(|text| Self(text.into()))
    }

    /// A whole number.
    #[must_use]
    pub fn from_integer(integer: i64) -> Self {
        Self(integer.to_string().into())
    }

    /// The canonical text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The same number, owned.
    #[must_use]
    pub fn into_owned(self) -> Number<'static> {
        Number(self.0.into_owned().into())
    }

    /// What it is as a whole number of 64 bits, if it is one.
    #[must_use]
    pub fn to_integer(&self) -> Option<i64> {
        self.0.parse().ok()
    }

    /// The number with its point moved to the left by so many places: `1999` by 2 is `19.99`.
    #[must_use]
    pub fn scaled_down(&self, places: u8) -> Option<Number<'static>> {
        canonical(&format!("{}e-{places}", self.0)).map(|text| Number(text.into()))
    }

    /// Takes what is known to be canonical, such as what was encoded before.
    pub(crate) const fn trusted(text: &'a str) -> Self {
        Self(Cow::Borrowed(text))
    }
}

/// A decimal without the zeros at the end of its fraction, and without the point where nothing is left behind it.
fn without_padding(text: &str) -> &str {
    let is_padded = text.ends_with('0') && text.contains('.') && !text.contains(['e', 'E']);
    if is_padded { text.trim_end_matches('0').trim_end_matches('.') } else { text }
}

fn is_canonical(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = digits.split_once('.').map_or((digits, None), |(whole, rest)| (whole, Some(rest)));
    let all_digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    all_digits(whole)
        && whole.len() <= DIGITS_MAX
        && (whole == "0" || !whole.starts_with('0'))
        && fraction.is_none_or(|part| all_digits(part) && part.len() <= DIGITS_MAX && !part.ends_with('0'))
        && (text != "-0")
}

fn canonical(text: &str) -> Option<String> {
    let (is_negative, rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (mantissa, exponent) = match rest.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
        None => (rest, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let is_number =
        whole.len() + fraction.len() > 0 && whole.bytes().chain(fraction.bytes()).all(|b| b.is_ascii_digit());
    if !is_number || whole.len() > DIGITS_MAX || fraction.len() > DIGITS_MAX {
        return None;
    }
    let digits = format!("{whole}{fraction}");
    let point = i64::try_from(whole.len()).ok()? + i64::from(exponent);
    let (whole, fraction) = placed(&digits, point)?;
    let whole = whole.trim_start_matches('0');
    let fraction = fraction.trim_end_matches('0');
    if whole.len() > DIGITS_MAX || fraction.len() > DIGITS_MAX {
        return None;
    }
    let sign = if is_negative && !(whole.is_empty() && fraction.is_empty()) { "-" } else { "" };
    let whole = if whole.is_empty() { "0" } else { whole };
    Some(if fraction.is_empty() { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") })
}

/// Digits before and behind a point at `point` places from their left. Zeros have a point anywhere.
fn placed(digits: &str, point: i64) -> Option<(String, String)> {
    if digits.bytes().all(|byte| byte == b'0') {
        return Some((String::new(), String::new()));
    }
    let limit = 2 * DIGITS_MAX;
    let missing =
        |count: i64| usize::try_from(count).ok().filter(|count| *count <= limit).map(|count| "0".repeat(count));
    let length = i64::try_from(digits.len()).ok()?;
    if point <= 0 {
        return Some((String::new(), missing(-point)? + digits));
    }
    if point >= length {
        return Some((digits.to_owned() + &missing(point - length)?, String::new()));
    }
    let (whole, fraction) = digits.split_at(usize::try_from(point).ok()?);
    Some((whole.to_owned(), fraction.to_owned()))
}
