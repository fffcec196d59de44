//! Ranges of keys: where to cut a table, and which of its rows are in which range.
//!
//! Keys are compared as everybody compares them: numbers by value, texts by their bytes, moments by time, and keys of
//! several columns one column after the other, so that a range is the same set of keys in every database.

mod cuts;
mod keys;

use super::catalog::{Table, TableColumn};
use super::checksum::{self, PARTS};
pub use cuts::{cuts, quantiles};
use keys::{Bound, Keys};
use quittance_core::pair::Side;
use quittance_core::pair::digest::Digest;
use quittance_core::record::key::encode_key;
use quittance_core::record::value::Value;

/// A key, or the beginning of one.
pub type Key = Vec<Value<'static>>;

/// Ranges of the keys of a rule.
#[derive(Debug)]
pub struct Ranges<'t> {
    table: &'t Table,
    keys: Keys<'t>,
    /// Where ranges begin or end, ascending.
    bounds: Vec<Bound>,
    /// For each range, how many bounds are not above its keys.
    buckets: Vec<usize>,
    is_open: (bool, bool),
}

/// Ranges that are not in order, or that their table's columns cannot be compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RangeError {
    /// One does not end before the next begins.
    #[error("ranges are not in order")]
    Disordered,
    /// A column of the rule does not exist, or a bound is no key of it.
    #[error("a range is none of the keys of its table")]
    Foreign,
}

impl<'t> Ranges<'t> {
    /// Ranges, disjoint and in order, each from a key to before another.
    ///
    /// # Errors
    ///
    /// [`RangeError`].
    pub fn new<'r>(
        table: &'t Table,
        sorts_by_bytes: bool,
        side: &Side,
        rule: usize,
        ranges: impl Iterator<Item = (Option<&'r Key>, Option<&'r Key>)> + Clone,
    ) -> Result<Self, RangeError> {
        let ends = ranges.clone().flat_map(|(from, to)| [from, to]).flatten();
        let columns = columns(table, side, &side.rules[rule]).ok_or(RangeError::Foreign)?;
        let keys = Keys::new(table, columns, sorts_by_bytes, ends);
        let mut order = Order::default();
        let mut buckets = Vec::new();
        let mut is_open = (false, false);
        for (at, (from, to)) in ranges.enumerate() {
            match from {
                Some(from) => order.begin(from)?,
                None if at == 0 => is_open.0 = true,
                None => return Err(RangeError::Disordered),
            }
            if is_open.1 {
                return Err(RangeError::Disordered);
            }
            buckets.push(order.bounds.len());
            match to {
                Some(to) => order.end(to)?,
                None => is_open.1 = true,
            }
        }
        let bounds: Option<Vec<Bound>> = order.bounds.iter().map(|key| keys.bound(key)).collect();
        Ok(Self { table, keys, bounds: bounds.ok_or(RangeError::Foreign)?, buckets, is_open })
    }

    /// Most ranges of such bounds that one statement takes. With more, it takes several.
    #[must_use]
    pub fn most<'r>(table: &Table, side: &Side, rule: usize, bounds: impl Iterator<Item = &'r Key> + Clone) -> usize {
        columns(table, side, &side.rules[rule])
            .map_or(1, |columns| Keys::new(table, columns, false, bounds).ranges_max())
    }

    /// Asks for the checksums of each range that has records: rows for [`Ranges::digest`].
    #[must_use]
    pub fn sums(&self, side: &Side, rule: usize, key: &[u8; 32]) -> String {
        let checksum = checksum::of_record(key, self.keys.columns(), &self.fields(side, rule));
        let records = self.rows(&format!("{BUCKET} AS b, {checksum} AS h, {OPAQUE}"), None);
        format!("SELECT b, count(*), sum(h) FROM ({records}) AS records GROUP BY b")
    }

    /// Reads a row of [`Ranges::sums`]: which range, and its digest. None for what makes no sense.
    #[must_use]
    pub fn digest(&self, row: &[Option<String>]) -> Option<(usize, Digest)> {
        let (bucket, sums) = row.split_first()?;
        Some((self.range(bucket.as_ref()?.parse().ok()?)?, checksum::digest(sums)?))
    }

    /// Asks for the checksums of each part of each range that has records: rows for [`Ranges::digest_of_part`].
    #[must_use]
    pub fn sums_of_parts(&self, side: &Side, rule: usize, key: &[u8; 32]) -> String {
        let (of_record, part) = (
            checksum::of_record(key, self.keys.columns(), &self.fields(side, rule)),
            checksum::part(key, self.keys.columns()),
        );
        let records = self.rows(&format!("{BUCKET} AS b, {part} AS p, {of_record} AS h, {OPAQUE}"), None);
        format!("SELECT b, p, count(*), sum(h) FROM ({records}) AS records GROUP BY b, p")
    }

    /// Reads a row of [`Ranges::sums_of_parts`]: which range, which part of it, and its digest. None for what makes no
    /// sense.
    #[must_use]
    pub fn digest_of_part(&self, row: &[Option<String>]) -> Option<(usize, usize, Digest)> {
        let [bucket, part, sums @ ..] = row else { return None };
        let part = part.as_ref()?.parse().ok().filter(|part| *part < PARTS)?;
        Some((self.range(bucket.as_ref()?.parse().ok()?)?, part, checksum::digest(sums)?))
    }

    /// Asks for the records of all ranges, or of some parts of each: those whose bit is set in its mask.
    #[must_use]
    pub fn records(&self, selected: &str, parts: Option<(&[u8; 32], &[u16])>) -> String {
        let Some((key, masks)) = parts else { return self.rows(selected, None) };
        assert_eq!(masks.len(), self.buckets.len(), "a mask for each range");
        let part = checksum::part(key, self.keys.columns());
        self.rows(selected, Some(&Parts { part, masks }))
    }

    fn range(&self, bucket: usize) -> Option<usize> {
        self.buckets.binary_search(&bucket).ok()
    }

    fn fields(&self, side: &Side, rule: usize) -> Vec<&'t TableColumn> {
        debug_assert_eq!(side.rules[rule].len(), self.keys.columns().len());
        let named = side.fields.iter().filter_map(|at| self.table.column(&side.columns[*at].name));
        named.map(|(_, column)| column).collect()
    }

    /// Rows of the ranges; what is selected may name the [`BUCKET`].
    fn rows(&self, selected: &str, parts: Option<&Parts<'_>>) -> String {
        let has_all = self.is_open == (true, true) && self.buckets.len() == self.bounds.len() + 1;
        if !has_all && let Some(rows) = self.rows_by_index(selected, parts) {
            return rows;
        }
        let of_key = self.keys.bucket(&self.bounds);
        let selected = selected.replace(BUCKET, &of_key);
        let mut condition = self.keys.is_whole();
        if let Some(parts) = parts {
            let wanted = self.buckets.iter().zip(parts.masks).flat_map(|(bucket, mask)| {
                let of_mask = (0..PARTS).filter(move |part| mask >> part & 1 == 1);
                of_mask.map(move |part| bucket * PARTS + part)
            });
            condition =
                format!("{condition} AND {of_key} * {PARTS} + {} = ANY ('{{{}}}'::int[])", parts.part, joined(wanted));
        } else if !has_all {
            let wanted = joined(self.buckets.iter());
            condition = format!("{condition} AND {of_key} = ANY ('{{{wanted}}}'::int[])");
        }
        format!("SELECT {selected} FROM {} WHERE {condition}", self.table.quoted())
    }

    /// The same by one look into an index for each range; none where no index serves.
    fn rows_by_index(&self, selected: &str, parts: Option<&Parts<'_>>) -> Option<String> {
        let key = self.keys.indexed()?;
        let table = self.table.quoted();
        let of_mask = |mask: &str| match parts {
            Some(parts) => format!(" AND {mask} >> {} & 1 = 1", parts.part),
            None => String::new(),
        };
        let alone = |at: usize, condition: &str| {
            let selected = selected.replace(BUCKET, &self.buckets[at].to_string());
            let mask = parts.map_or_else(String::new, |parts| of_mask(&parts.masks[at].to_string()));
            format!("SELECT {selected} FROM {table} WHERE {condition}{mask}")
        };
        let mut selects = Vec::new();
        let mut closed = 0..self.buckets.len();
        if self.is_open.0 {
            let at = closed.next()?;
            let end =
                self.bounds.get(self.buckets[at]).map(|bound| format!(" AND {key} < {}", self.keys.literal(bound)));
            selects.push(alone(at, &format!("{}{}", self.keys.is_whole(), end.unwrap_or_default())));
        }
        if self.is_open.1
            && let Some(at) = closed.next_back()
        {
            selects.push(alone(at, &format!("{key} >= {}", self.keys.literal(&self.bounds[self.buckets[at] - 1]))));
        }
        if !closed.is_empty() {
            let buckets = &self.buckets[closed.clone()];
            let from = self.keys.array(buckets.iter().map(|bucket| &self.bounds[bucket - 1]));
            let to = self.keys.array(buckets.iter().map(|bucket| &self.bounds[*bucket]));
            let masks =
                parts.map_or_else(|| "NULL".to_owned(), |parts| format!("'{{{}}}'", joined(&parts.masks[closed])));
            let selected = selected.replace(BUCKET, "quittance_range.b");
            selects.push(format!(
                "SELECT quittance_rows.* FROM unnest({from}, {to}, '{{{}}}'::int[], {masks}::int[]) \
                 AS quittance_range(f, t, b, m) CROSS JOIN LATERAL (SELECT {selected} FROM {table} AS quittance_row \
                 WHERE {key} >= quittance_range.f AND {key} < quittance_range.t{}) AS quittance_rows",
                joined(buckets),
                of_mask("quittance_range.m")
            ));
        }
        Some(selects.join(" UNION ALL "))
    }
}

/// Some parts of each range.
struct Parts<'m> {
    /// The expression that says which part a record is in.
    part: String,
    masks: &'m [u16],
}

/// Where the number of a record's bucket goes: what no name of a column holds.
const BUCKET: &str = "\0";

/// A volatile expression, which is never evaluated, keeps the planner from looking into a subquery: it would take each
/// key for a group of its own, and sort them.
const OPAQUE: &str = "CASE WHEN false THEN clock_timestamp() END";

fn joined<T: ToString>(numbers: impl IntoIterator<Item = T>) -> String {
    numbers.into_iter().map(|number| number.to_string()).collect::<Vec<_>>().join(",")
}

/// Asks how many records have no key, unless the table says that all have one.
#[must_use]
pub fn keyless(table: &Table, side: &Side, rule: usize) -> Option<String> {
    let columns = columns(table, side, &side.rules[rule])?;
    if columns.iter().all(|column| column.is_not_null) {
        return Some("SELECT 0".to_owned());
    }
    let keys = Keys::new(table, columns, false, std::iter::empty());
    Some(format!("SELECT count(*) FROM {} WHERE NOT ({})", table.quoted(), keys.is_whole()))
}

fn columns<'t>(table: &'t Table, side: &Side, rule: &[usize]) -> Option<Vec<&'t TableColumn>> {
    rule.iter().map(|at| table.column(&side.columns[*at].name).map(|(_, column)| column)).collect()
}

/// Bounds as they come, each above the one before.
#[derive(Default)]
struct Order<'r> {
    bounds: Vec<&'r Key>,
    last: Vec<u8>,
}

impl<'r> Order<'r> {
    /// A range may begin where the one before ended.
    fn begin(&mut self, key: &'r Key) -> Result<(), RangeError> {
        if self.bounds.last() == Some(&key) { Ok(()) } else { self.end(key) }
    }

    fn end(&mut self, key: &'r Key) -> Result<(), RangeError> {
        let mut encoded = Vec::new();
        if !encode_key(key.iter(), &mut encoded) {
            return Err(RangeError::Foreign);
        }
        if !self.bounds.is_empty() && encoded <= self.last {
            return Err(RangeError::Disordered);
        }
        self.last = encoded;
        self.bounds.push(key);
        Ok(())
    }
}
