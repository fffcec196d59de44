//! Owns: where a request carries its API key. Does not own: accounts; all keys belong to one.

use http::HeaderMap;
use http::header::AUTHORIZATION;

use crate::answer::ApiError;

/// The key, when it is known: of `Bearer KEY`, or the user name of HTTP Basic.
pub(crate) fn check(headers: &HeaderMap, is_known: impl Fn(&str) -> bool) -> Result<String, ApiError> {
    let Some(value) = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()) else {
        return Err(ApiError::unauthenticated(
            "You did not provide an API key. You need to provide your API key in the \
             Authorization header, using Bearer auth (e.g. 'Authorization: Bearer YOUR_SECRET_KEY').",
        ));
    };
    let key = match value.split_once(' ') {
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("bearer") => Some(rest.trim().to_owned()),
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("basic") => user_name(rest.trim()),
        _ => None,
    };
    key.filter(|key| is_known(key)).ok_or_else(ApiError::bad_key)
}

fn user_name(encoded: &str) -> Option<String> {
    let decoded = String::from_utf8(base64_decode(encoded)?).ok()?;
    let (name, _password) = decoded.split_once(':')?;
    Some(name.to_owned())
}

/// RFC 4648, section 4. A header of at most a few kilobytes, so a table is not worth it.
fn base64_decode(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut bits = 0_u32;
    let mut bits_held = 0_u32;
    for letter in text.trim_end_matches('=').bytes() {
        let digit = match letter {
            b'A'..=b'Z' => letter - b'A',
            b'a'..=b'z' => letter - b'a' + 26,
            b'0'..=b'9' => letter - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        bits = ((bits << 6) | u32::from(digit)) & 0xffff;
        bits_held += 6;
        if bits_held >= 8 {
            bits_held -= 8;
            bytes.push(u8::try_from((bits >> bits_held) & 0xff).ok()?);
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, HeaderValue};

    use super::check;

    fn accepts(value: &'static str) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert("authorization", HeaderValue::from_static(value));
        check(&headers, |key| key == "sk_test_1").is_ok()
    }

    #[test]
    fn bearer_and_basic_carry_the_key() {
        assert!(accepts("Bearer sk_test_1"));
        // "sk_test_1:" as `curl -u sk_test_1:` sends it.
        assert!(accepts("Basic c2tfdGVzdF8xOg=="));
        assert!(!accepts("Bearer sk_test_2"));
        assert!(!accepts("Basic !!!"));
        assert!(check(&HeaderMap::new(), |_| true).is_err());
    }
}
