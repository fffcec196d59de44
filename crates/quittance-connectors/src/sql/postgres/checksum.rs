//! Checksums of records, made by PostgreSQL itself. The method `pg-hash-64/1`:
//!
//! A record's checksum is `hashint4extended(0, x)`, a signed number, where `x` is the exclusive or of one number for each
//! value of its key's columns and its fields, the first being value 0. The number of value `i` is, under the seed
//! `s(k0 + i · g)`,
//!
//! - of an integer of the key, `hashint4extended(0, value # seed)`,
//! - of a moment between the years 1700 and 2240, `hashfloat8extended` of the seconds since 1970,
//! - of any other value, `hashtextextended` of its text: what [`Kind::expression`] says, as PostgreSQL prints it under
//!   `TimeZone = UTC` and `DateStyle = ISO`, in UTF-8: `12.5`, `true`, `2250-01-31 12:00:00.5+00`, bytes as hexadecimal,
//! - of NULL, `s(k1 + i · g)`.
//!
//! `k0` to `k3` are the run's key as four little-endian numbers, `g` is [`STEP`], and `s` the finaliser of `splitmix64`; so
//! every column has seeds of its own that nothing ties to each other, and values that change places are noticed. With the
//! types of the columns known, which are part of the method's name, two different values of a column are told apart: an
//! integer enters with all its 64 bits, as all 64 bits of a seed count, and between those years two moments are two
//! doubles. Sums are exact, so that they can be taken apart.
//!
//! The outer hash is what notices two records that exchange a value: without it, sums of what is linear in the values'
//! hashes stay close to each other. The hash functions of numbers will not do for values: those of `bigint` and of
//! moments fold 64 bits into 32 before anything else, and `hash_numeric_extended` ignores signs and takes `NaN` for
//! infinity. `hash_record_extended` calls them.
//!
//! 64 bits overlook about one range that differs in 2^64: a whole database of differing ranges does not come near it by
//! accident. The functions (Jenkins' lookup3) are not cryptographic: whoever chooses records may be able to choose two
//! with one checksum, if they know the run's key. `hashtextextended` costs about a third of `md5`, which would have to
//! be cut and cast to be summed; values are hashed one by one because `concat` costs more than that.
//!
//! Within a range, records are in [`PARTS`] parts by the same numbers of their keys' columns under `k2` and `k3`.

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

/// Parts of a range.
pub const PARTS: usize = 16;

/// Moments before which, and from which on, two may be one double.
const DOUBLES: (&str, &str) = ("1700-01-01 00:00:00Z", "2240-01-01 00:00:00Z");

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
    Some(format!("pg-hash-64/1 {} {fields}", rules?.join(";")))
}

/// Whether PostgreSQL sorts such keys as everybody does.
const fn is_key(kind: Kind) -> bool {
    matches!(kind, Kind::Integer) || matches!(kind.value_type(), Type::Text | Type::Timestamp)
}

/// The checksum of a record, by the columns of its key and its fields.
pub(super) fn of_record(key: &[u8; 32], keys: &[&TableColumn], fields: &[&TableColumn]) -> String {
    let columns = keys.iter().map(|column| (*column, true)).chain(fields.iter().map(|column| (*column, false)));
    hash(key, 0, columns)
}

/// The part that a record is in, by the columns of its key.
pub(super) fn part(key: &[u8; 32], keys: &[&TableColumn]) -> String {
    format!("({} & {})::int", hash(key, 2, keys.iter().map(|column| (*column, true))), PARTS - 1)
}

/// The hash of values, under two words of the key.
fn hash<'c>(key: &[u8; 32], word: usize, columns: impl Iterator<Item = (&'c TableColumn, bool)>) -> String {
    let seed = |word: usize, at: usize| {
        let mut eight = [0; 8];
        eight.copy_from_slice(&key[word * 8..word * 8 + 8]);
        scattered(u64::from_le_bytes(eight).wrapping_add((at as u64).wrapping_mul(STEP))).cast_signed()
    };
    let number = |(at, (column, is_key)): (usize, (&TableColumn, bool))| {
        let number = number(column, is_key, &format!("'{}'::bigint", seed(word, at)));
        format!("coalesce({number}, '{}'::bigint)", seed(word + 1, at))
    };
    let numbers: Vec<String> = columns.enumerate().map(number).collect();
    format!("hashint4extended(0, {})", exclusive_or(&numbers))
}

/// The finaliser of `splitmix64`: a permutation after which sums are no sums any more. Zero, as a double, is hashed to its
/// seed, and NULL is one: without this, two columns that are both the one and both the other would be alike too often.
const fn scattered(number: u64) -> u64 {
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

/// The number of one value.
fn number(column: &TableColumn, is_key: bool, seed: &str) -> String {
    let value = column.kind.expression(&column.name);
    let of_text = format!("hashtextextended(({value})::text COLLATE \"C\", {seed})");
    match column.kind {
        // Only of keys: fields may be integers here and decimals there.
        Kind::Integer if is_key => format!("hashint4extended(0, {value}::bigint # {seed})"),
        Kind::Timestamptz | Kind::Timestamp => format!(
            "CASE WHEN {value} >= '{}'::timestamptz AND {value} < '{}'::timestamptz \
             THEN hashfloat8extended(date_part('epoch', {value}), {seed}) ELSE {of_text} END",
            DOUBLES.0, DOUBLES.1
        ),
        _ => of_text,
    }
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

/// Reads a count and a sum of checksums.
pub(super) fn digest(row: &[Option<String>]) -> Option<Digest> {
    let [count, sum] = row else { return None };
    let sum: i128 = sum.as_ref()?.parse().ok()?;
    Some(Digest { count: count.as_ref()?.parse().ok()?, sum: sum.cast_unsigned() })
}
