//! What a cell says, as the type of its column.

use quittance_connectors::record::value_at;
use quittance_core::record::value::{Type, Value};

/// A cell as a column of this type holds it.
///
/// # Errors
///
/// With what is wrong, where it cannot be read as that.
pub(super) fn typed(cell: &Value<'static>, declared: Option<Type>) -> Result<Value<'static>, String> {
    let (Value::Untyped(text), Some(declared)) = (cell, declared) else { return Ok(cell.clone()) };
    let read = match declared {
        Type::Json => serde_json::from_str(text).ok().map(|document| value_at(&document, "")),
        Type::Bytes => bytes(text).map(|bytes| Value::Bytes(bytes.into())),
        _ => cell.read_as(declared),
    };
    read.ok_or_else(|| format!("`{}` is no {declared}{}", shortened(text), example(declared)))
}

/// What a key may be where its column has no type.
pub(super) fn readings(cell: &Value<'static>) -> Vec<Value<'static>> {
    [Type::Text, Type::Number].into_iter().filter_map(|of| cell.read_as(of)).collect()
}

const fn example(of: Type) -> &'static str {
    match of {
        Type::Boolean => ": write true or false",
        Type::Number => ": write it as 1234.56",
        Type::Timestamp => ": write it as 2026-01-31T10:00:00Z",
        Type::Date => ": write it as 2026-01-31",
        Type::Bytes => ": write \\x and hexadecimal digits",
        Type::Json => ": texts are in double quotes, which stand twice in a cell",
        Type::Text | Type::Untyped => "",
    }
}

fn bytes(text: &str) -> Option<Vec<u8>> {
    let digits = text.strip_prefix("\\x")?.as_bytes();
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let pair = |pair: &[u8]| match pair {
        [high, low] => Some(digit(*high)? * 16 + digit(*low)?),
        _ => None,
    };
    digits.chunks(2).map(pair).collect()
}

/// A text of somebody else's as a message has it.
pub(super) fn shortened(text: &str) -> String {
    const LETTERS_MAX: usize = 80;
    let mut letters: String = text.chars().take(LETTERS_MAX).collect();
    if letters.len() < text.len() {
        letters.push('…');
    }
    letters
}

#[cfg(test)]
mod tests {
    use super::typed;
    use quittance_core::record::value::{Type, Value};

    #[test]
    fn cells_are_read_as_their_column_or_refused_with_an_example() {
        let of = |text: &'static str, of| typed(&Value::Untyped(text.into()), Some(of));
        assert_eq!(of("\\x00fF", Type::Bytes), Ok(Value::Bytes(vec![0, 255].into())));
        assert_eq!(of("{\"b\": 1.0, \"a\": \"x\"}", Type::Json), Ok(Value::Json("{\"a\":\"x\",\"b\":1}".into())));
        assert_eq!(of(" 7.50 ", Type::Number), Ok(Value::text("7.5").read_as(Type::Number).expect("a number")));
        assert_eq!(typed(&Value::Null, Some(Type::Number)), Ok(Value::Null));
        for (text, read_as, words) in [
            ("1,5", Type::Number, "1234.56"),
            ("31.1.2026", Type::Date, "2026-01-31"),
            ("perhaps", Type::Boolean, "true or false"),
            ("00ff", Type::Bytes, "\\x"),
            ("\\x0", Type::Bytes, "\\x"),
            ("{a}", Type::Json, "double quotes"),
        ] {
            let said = of(text, read_as).expect_err("it is none");
            assert!(said.contains(text) && said.contains(words), "{said}");
        }
    }
}
