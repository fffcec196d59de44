//! From bytes to [`Json`], losing nothing: members that stand twice and numbers that are no integers stay visible.

use super::{Json, Wrong, is_exact};
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use std::fmt;

/// Reads exactly one JSON value. Invalid UTF-8 and lone surrogates are errors of the syntax.
pub(super) fn parse(body: &[u8]) -> Result<Json, Wrong> {
    serde_json::from_slice(body).map_err(|error| {
        // Errors of the syntax name a position and no content.
        Wrong::new("", format!("is not JSON: {error}"))
    })
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyValue)
    }
}

struct AnyValue;

impl<'de> Visitor<'de> for AnyValue {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Json, E> {
        Ok(Json::Flag(flag))
    }

    fn visit_i64<E>(self, integer: i64) -> Result<Json, E> {
        Ok(if is_exact(integer) { Json::Integer(integer) } else { Json::Inexact(integer.to_string()) })
    }

    fn visit_u64<E>(self, integer: u64) -> Result<Json, E> {
        let exact = i64::try_from(integer).ok().filter(|integer| is_exact(*integer));
        Ok(exact.map_or_else(|| Json::Inexact(integer.to_string()), Json::Integer))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Json, E> {
        // Printed in full, so that a card number written as `4.2e15` is recognised.
        Ok(Json::Inexact(number.to_string()))
    }

    fn visit_str<E>(self, text: &str) -> Result<Json, E> {
        Ok(Json::Text(text.to_owned()))
    }

    fn visit_string<E>(self, text: String) -> Result<Json, E> {
        Ok(Json::Text(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Json, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Json::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Json, A::Error> {
        let mut object = Vec::new();
        while let Some(member) = members.next_entry()? {
            object.push(member);
        }
        Ok(Json::Object(object))
    }
}
