//! Checksums of records, made by PostgreSQL itself. The method `pg-hash-128/1`:
//!
//! A record's text is what its key's columns and its fields say, in this order, each by [`Kind::expression`] as
//! PostgreSQL prints it under `TimeZone = UTC` and `DateStyle = ISO`:
//!
//! - text and bytes (as hexadecimal) as their length in octets, `:`, and themselves: `5:alice`; NULL is `:`;
//! - anything else as itself and `|`: `12.5|`, `t|`, `2026-01-31 12:00:00.5+00|`; NULL is `|`.
//!
//! With the types of the columns known, which are part of the method's name, no two different records have one text.
//! The record's checksum is `h1 · 2^64 + h2` modulo 2^128, where `h1` and `h2` are `hashtextextended` of the text in
//! UTF-8, two signed numbers, under the first eight bytes of the run's key and under the second as little-endian numbers.
//! Sums are exact, so that they can be taken apart.
//!
//! `hashtextextended` (Jenkins' lookup3 with 64 bits) is not cryptographic: whoever chooses records may be able to choose
//! two with one checksum, though not by accident. It costs about a third of `md5`, which would have to be cut and cast to
//! be summed. Neither `hash_record_extended`, whose sums do not change when two records exchange a value, nor the
//! hash functions of numbers, which ignore signs, will do.

use super::Kind;
use super::catalog::{Table, TableColumn};
use quittance_core::pair::Side;
use quittance_core::pair::digest::Digest;
use quittance_core::record::value::Type;

/// How PostgreSQL calls UTF-8. In any other encoding the same text has other bytes, another order and another checksum.
const UTF8: &str = "UTF8";

/// Most arguments of one `concat`; PostgreSQL allows 100.
const ARGUMENTS_MAX: usize = 96;

/// The method for a side, in a database of this encoding: its name and the types of all that goes into it, so that what
/// cannot be equal has no method in common. None where values are changed before they are compared, found inside JSON,
/// or no key.
#[must_use]
pub fn method(table: &Table, side: &Side, encoding: &str) -> Option<String> {
    if encoding != UTF8 {
        return None;
    }
    let types = |columns: &[usize], is_allowed: fn(Kind) -> bool| -> Option<String> {
        let names: Option<Vec<String>> = columns
            .iter()
            .map(|at| {
                let column = side.columns.get(*at).filter(|column| column.transforms.is_empty())?;
                let (_, known) = table.column(&column.name).filter(|_| column.pointer.is_none())?;
                is_allowed(known.kind).then(|| known.kind.value_type().to_string())
            })
            .collect();
        names.map(|names| names.join(","))
    };
    let rules: Option<Vec<String>> = side.rules.iter().map(|rule| types(rule, is_key)).collect();
    let fields = types(&side.fields, |kind| kind != Kind::Json)?;
    Some(format!("pg-hash-128/1 {} {fields}", rules?.join(";")))
}

/// Whether PostgreSQL sorts such keys as everybody does.
const fn is_key(kind: Kind) -> bool {
    matches!(kind, Kind::Integer) || matches!(kind.value_type(), Type::Text | Type::Timestamp)
}

/// The expression for a record's text.
pub(super) fn text<'a>(columns: impl Iterator<Item = &'a TableColumn>) -> String {
    let parts = columns.map(|column| {
        let expression = match column.kind {
            // It has no length in octets.
            Kind::Uuid => format!("({}::text)", Kind::Uuid.expression(&column.name)),
            kind => kind.expression(&column.name),
        };
        match column.kind.value_type() {
            Type::Text | Type::Bytes => format!("octet_length({expression}), ':', {expression}"),
            _ => format!("{expression}, '|'"),
        }
    });
    let parts: Vec<String> = parts.collect();
    let chunks: Vec<String> =
        parts.chunks(ARGUMENTS_MAX / 3).map(|chunk| format!("concat({})", chunk.join(", "))).collect();
    chunks.join(" || ")
}

/// The count and the two sums of records whose text is `h`.
pub(super) fn sums(key: &[u8; 32]) -> String {
    let seed = |from: usize| {
        let mut eight = [0; 8];
        eight.copy_from_slice(&key[from..from + 8]);
        i64::from_le_bytes(eight)
    };
    let sum = |seed: i64| format!("sum(hashtextextended(h COLLATE \"C\", '{seed}'::bigint))");
    format!("count(*), {}, {}", sum(seed(0)), sum(seed(8)))
}

/// Reads what [`sums`] asks for.
pub(super) fn digest(row: &[Option<String>]) -> Option<Digest> {
    let [count, high, low] = row else { return None };
    let high: i128 = high.as_ref()?.parse().ok()?;
    let low: i128 = low.as_ref()?.parse().ok()?;
    Some(Digest { count: count.as_ref()?.parse().ok()?, sum: (high << 64).wrapping_add(low).cast_unsigned() })
}
