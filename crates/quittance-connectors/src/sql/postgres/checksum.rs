//! Checksums of records, made by PostgreSQL itself. The method `pg-hash-128/2`:
//!
//! A record's values are what its key's columns and its fields say, in this order, each by [`Kind::expression`] as
//! PostgreSQL prints it under `TimeZone = UTC` and `DateStyle = ISO`, in UTF-8: `12.5`, `true`,
//! `2026-01-31 12:00:00.5+00`, bytes as hexadecimal. With the types of the columns known, which are part of the method's
//! name, two different values of a column have two texts.
//!
//! A record's checksum is `h0 · 2^64 + h1` modulo 2^128. Each half is `hashint4extended(0, x)`, a signed number, where
//! `x` is the exclusive or of one number for each value, the first being value 0: `hashtextextended` of its text under
//! the seed `k[half] + i · g`, and `k[2 + half] + i · g` for NULL. The `k` are the run's key as four little-endian
//! numbers, and `g` is [`STEP`]; so every column has seeds of its own, and values that change places are noticed. Sums
//! are exact, so that they can be taken apart.
//!
//! The outer hash is what notices two records that exchange a value: without it, sums of what is linear in the values'
//! hashes stay close to each other. It takes `x` as its seed because all 64 bits of a seed count. The hash functions of
//! numbers will not do for values: those of `bigint` and of moments fold 64 bits into 32 before anything else, and
//! `hash_numeric_extended` ignores signs and takes `NaN` for infinity. `hash_record_extended` calls them.
//!
//! `hashtextextended` (Jenkins' lookup3 with 64 bits) is not cryptographic: whoever chooses records may be able to choose
//! two with one checksum, though not by accident. It costs about a third of `md5`, which would have to be cut and cast to
//! be summed. The values are hashed one by one because `concat` costs more than that.

use super::Kind;
use super::catalog::{Table, TableColumn};
use quittance_core::pair::Side;
use quittance_core::pair::digest::Digest;
use quittance_core::record::value::Type;

/// How PostgreSQL calls UTF-8. In any other encoding the same text has other bytes, another order and another checksum.
const UTF8: &str = "UTF8";

/// What one column's seeds are from the next one's: 2^64 divided by the golden ratio, so that no few steps come close to
/// where they began.
pub const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

/// The method for a side, in a database of this encoding: its name and the types of all that goes into it, so that what
/// cannot be equal has no method in common. None where values are changed before they are compared, found inside JSON,
/// or no key; and where two records may have one key, which sums do not notice if both sides have the same two.
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
    let tells_apart = |rule: &Vec<usize>| {
        table.is_unique_by(&rule.iter().map(|at| side.columns[*at].name.as_str()).collect::<Vec<_>>())
    };
    if !side.rules.iter().all(tells_apart) {
        return None;
    }
    let rules: Option<Vec<String>> = side.rules.iter().map(|rule| types(rule, is_key)).collect();
    let fields = types(&side.fields, |kind| kind != Kind::Json)?;
    Some(format!("pg-hash-128/2 {} {fields}", rules?.join(";")))
}

/// Whether PostgreSQL sorts such keys as everybody does.
const fn is_key(kind: Kind) -> bool {
    matches!(kind, Kind::Integer) || matches!(kind.value_type(), Type::Text | Type::Timestamp)
}

/// The texts of a record's values, named `t0`, `t1`.
pub(super) fn texts<'a>(columns: impl Iterator<Item = &'a TableColumn>) -> String {
    let texts = columns
        .enumerate()
        .map(|(at, column)| format!("({})::text COLLATE \"C\" AS t{at}", column.kind.expression(&column.name)));
    texts.collect::<Vec<_>>().join(", ")
}

/// The count and the two sums of records of which [`texts`] has named so many values.
pub(super) fn sums(key: &[u8; 32], values: usize) -> String {
    let seed = |word: usize, at: usize| {
        let mut eight = [0; 8];
        eight.copy_from_slice(&key[word * 8..word * 8 + 8]);
        u64::from_le_bytes(eight).wrapping_add((at as u64).wrapping_mul(STEP)).cast_signed()
    };
    let sum = |half: usize| {
        let value = |at: usize| {
            let (seed, null) = (seed(half, at), seed(2 + half, at));
            format!("coalesce(hashtextextended(t{at}, '{seed}'::bigint), '{null}'::bigint)")
        };
        let hashes: Vec<String> = (0..values).map(value).collect();
        format!("sum(hashint4extended(0, {}))", exclusive_or(&hashes))
    };
    format!("count(*), {}, {}", sum(0), sum(1))
}

/// Nested by halves: PostgreSQL limits how deep an expression may be.
fn exclusive_or(terms: &[String]) -> String {
    match terms {
        [] => "0::bigint".to_owned(),
        [term] => term.clone(),
        _ => {
            let (one, other) = terms.split_at(terms.len() / 2);
            format!("({} # {})", exclusive_or(one), exclusive_or(other))
        }
    }
}

/// Reads what [`sums`] asks for.
pub(super) fn digest(row: &[Option<String>]) -> Option<Digest> {
    let [count, high, low] = row else { return None };
    let high: i128 = high.as_ref()?.parse().ok()?;
    let low: i128 = low.as_ref()?.parse().ok()?;
    Some(Digest { count: count.as_ref()?.parse().ok()?, sum: (high << 64).wrapping_add(low).cast_unsigned() })
}
