//! Owns: form encoding with bracket nesting. Does not own: which parameters exist.

use serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};

use crate::answer::ApiError;

/// A bounded tree of what came in. Order of arrival is kept; lists are maps with number names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Node {
    Leaf(String),
    Branch(Vec<(String, Node)>),
}

// Far above what any endpoint here understands; they only bound the work.
const PAIRS_MAX: usize = 512;
const DEPTH_MAX: usize = 6;

/// Reads `a=1&b[c]=2&d[]=3&d[]=4` (a body or a query).
pub(crate) fn parse(text: &str) -> Result<Vec<(String, Node)>, ApiError> {
    let mut root = Vec::new();
    let pairs = text.split('&').filter(|pair| !pair.is_empty());
    for (count, pair) in pairs.enumerate() {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let name = decode(name)?;
        let path = path(&name)?;
        if count >= PAIRS_MAX {
            return Err(ApiError::bad_request("Too many parameters."));
        }
        insert(&mut root, &path, decode(value)?);
    }
    Ok(root)
}

fn path(name: &str) -> Result<Vec<&str>, ApiError> {
    let malformed = || ApiError::bad_request(format!("Invalid parameter name: {name}"));
    let Some((head, rest)) = name.split_once('[') else {
        return Ok(vec![name]);
    };
    let mut path = vec![head];
    let inner = rest.strip_suffix(']').ok_or_else(malformed)?;
    path.extend(inner.split("]["));
    if path.len() > DEPTH_MAX || head.is_empty() {
        return Err(malformed());
    }
    Ok(path)
}

fn insert(branch: &mut Vec<(String, Node)>, path: &[&str], value: String) {
    let Some((first, rest)) = path.split_first() else {
        return;
    };
    // `[]` appends: the next number in a list.
    let name = if first.is_empty() { branch.len().to_string() } else { (*first).to_owned() };
    let position = branch.iter().position(|(known, _)| *known == name).unwrap_or_else(|| {
        branch.push((name, Node::Branch(Vec::new())));
        branch.len() - 1
    });
    let slot = &mut branch[position].1;
    if rest.is_empty() {
        *slot = Node::Leaf(value);
        return;
    }
    if let Node::Leaf(_) = slot {
        *slot = Node::Branch(Vec::new());
    }
    if let Node::Branch(children) = slot {
        insert(children, rest, value);
    }
}

fn decode(text: &str) -> Result<String, ApiError> {
    let malformed = || ApiError::bad_request("Invalid encoding of parameters.");
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let high = rest.next().and_then(hex_digit).ok_or_else(malformed)?;
                let low = rest.next().and_then(hex_digit).ok_or_else(malformed)?;
                high * 16 + low
            }
            plain => plain,
        });
    }
    String::from_utf8(bytes).map_err(|_| malformed())
}

fn hex_digit(letter: u8) -> Option<u8> {
    char::from(letter).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

impl Serialize for Node {
    /// Echoes a parameter as JSON: numbers as names make a list. Values stay strings, except
    /// booleans, because nothing here knows their types.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Leaf(value) if value == "true" => serializer.serialize_bool(true),
            Self::Leaf(value) if value == "false" => serializer.serialize_bool(false),
            Self::Leaf(value) => serializer.serialize_str(value),
            Self::Branch(children) if is_list(children) => {
                let mut list = serializer.serialize_seq(Some(children.len()))?;
                for (_, child) in children {
                    list.serialize_element(child)?;
                }
                list.end()
            }
            Self::Branch(children) => {
                let mut map = serializer.serialize_map(Some(children.len()))?;
                for (name, child) in children {
                    map.serialize_entry(name, child)?;
                }
                map.end()
            }
        }
    }
}

pub(crate) fn is_list(children: &[(String, Node)]) -> bool {
    !children.is_empty() && children.iter().all(|(name, _)| name.bytes().all(|b| b.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::{Node, parse};

    fn check(text: &str, json: &str) {
        let tree = Node::Branch(parse(text).expect("a well-formed form"));
        assert_eq!(serde_json::to_string(&tree).expect("a tree is JSON"), json);
    }

    #[test]
    fn nests_by_brackets() {
        check("amount=1099&currency=usd", r#"{"amount":"1099","currency":"usd"}"#);
        check("metadata[effect_id]=a%20b+c", r#"{"metadata":{"effect_id":"a b c"}}"#);
        check("types[]=card&types[]=link", r#"{"types":["card","link"]}"#);
        check("types[0]=card&types[1]=link", r#"{"types":["card","link"]}"#);
        check("a%5Bb%5D%5Bc%5D=true", r#"{"a":{"b":{"c":true}}}"#);
        check("a=1&a=2", r#"{"a":"2"}"#);
    }

    #[test]
    fn refuses_what_is_malformed_or_too_deep() {
        for text in ["a[b=1", "%zz=1", "a=%ff", "a[b][c][d][e][f][g]=1", "[a]=1"] {
            assert!(parse(text).is_err(), "{text}");
        }
        assert!(parse(&"a=1&".repeat(600)).is_err());
    }
}
