//! Ranges of keys: where to cut a table, and which of its rows are in which range.
//!
//! Keys are compared as everybody compares them: numbers by value, texts by their bytes, moments by time, and keys of
//! several columns one column after the other, so that a range is the same set of keys in every database.

mod keys;

use super::catalog::{Table, TableColumn};
use super::checksum;
use keys::{Bound, Keys};
use quittance_core::pair::Side;
use quittance_core::pair::digest::Digest;
use quittance_core::record::key::encode_key;
use quittance_core::record::value::Value;

/// A key, or the beginning of one.
pub type Key = Vec<Value<'static>>;

/// Records of a sample for each range, so that ranges come out about equal.
const SAMPLES_PER_RANGE: u64 = 8;

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
        let compared = side.rules[rule].iter().chain(&side.fields);
        let compared = compared.filter_map(|at| self.table.column(&side.columns[*at].name)).map(|(_, column)| column);
        let compared: Vec<&TableColumn> = compared.collect();
        // A volatile expression, which is never evaluated, keeps the planner from writing the texts out for each use.
        let texts = checksum::texts(compared.iter().copied());
        let columns = format!("{texts}, CASE WHEN false THEN clock_timestamp() END");
        let records = self.rows(Some("b"), &columns);
        format!("SELECT b, {} FROM ({records}) AS records GROUP BY b", checksum::sums(key, compared.len()))
    }

    /// Reads a row of [`Ranges::sums`]: which range, and its digest. None for what makes no sense.
    #[must_use]
    pub fn digest(&self, row: &[Option<String>]) -> Option<(usize, Digest)> {
        let (bucket, sums) = row.split_first()?;
        let bucket: usize = bucket.as_ref()?.parse().ok()?;
        let range = self.buckets.binary_search(&bucket).ok()?;
        Some((range, checksum::digest(sums)?))
    }

    /// Asks for the records of all ranges.
    #[must_use]
    pub fn records(&self, selected: &str) -> String {
        self.rows(None, selected)
    }

    /// Rows of the ranges, with their bucket under a name where there is one.
    fn rows(&self, bucket: Option<&str>, columns: &str) -> String {
        let has_all = self.is_open == (true, true) && self.buckets.len() == self.bounds.len() + 1;
        if !has_all && let Some(rows) = self.rows_by_index(bucket, columns) {
            return rows;
        }
        let of_key = self.keys.bucket(&self.bounds);
        let bucket = bucket.map_or_else(String::new, |name| format!("{of_key} AS {name}, "));
        let mut condition = self.keys.is_whole();
        if !has_all {
            let wanted = self.buckets.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
            condition = format!("{condition} AND {of_key} = ANY ('{{{wanted}}}'::int[])");
        }
        format!("SELECT {bucket}{columns} FROM {} WHERE {condition}", self.table.quoted())
    }

    /// The same by one look into an index for each range; none where no index serves.
    fn rows_by_index(&self, bucket: Option<&str>, columns: &str) -> Option<String> {
        let key = self.keys.indexed()?;
        let table = self.table.quoted();
        let select = |bucket_is: &str| match bucket {
            Some(name) => format!("SELECT {bucket_is} AS {name}, {columns}"),
            None => format!("SELECT {columns}"),
        };
        let mut parts = Vec::new();
        let mut closed = self.buckets.as_slice();
        if self.is_open.0 {
            let (first, rest) = closed.split_first()?;
            closed = rest;
            let end = self.bounds.get(*first).map(|bound| format!(" AND {key} < {}", self.keys.literal(bound)));
            let condition = self.keys.is_whole();
            parts.push(format!(
                "{} FROM {table} WHERE {condition}{}",
                select(&first.to_string()),
                end.unwrap_or_default()
            ));
        }
        if self.is_open.1
            && let Some((last, rest)) = closed.split_last()
        {
            closed = rest;
            let from = self.keys.literal(&self.bounds[last - 1]);
            parts.push(format!("{} FROM {table} WHERE {key} >= {from}", select(&last.to_string())));
        }
        if !closed.is_empty() {
            let from = self.keys.array(closed.iter().map(|bucket| &self.bounds[bucket - 1]));
            let to = self.keys.array(closed.iter().map(|bucket| &self.bounds[*bucket]));
            let buckets = closed.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
            let rows = format!(
                "{} FROM {table} WHERE {key} >= quittance_range.f AND {key} < quittance_range.t",
                select("quittance_range.b")
            );
            parts.push(format!(
                "SELECT quittance_rows.* FROM unnest({from}, {to}, '{{{buckets}}}'::int[]) AS quittance_range(f, t, b) \
                 CROSS JOIN LATERAL ({rows}) AS quittance_rows"
            ));
        }
        Some(parts.join(" UNION ALL "))
    }
}

/// Asks for keys that cut a table of about so many rows into about so many ranges: rows for [`cuts`]. They come from a
/// sample, the same for the same rows.
#[must_use]
pub fn quantiles(table: &Table, side: &Side, rule: usize, ranges: usize, rows: u64) -> Option<String> {
    let columns = columns(table, side, &side.rules[rule])?;
    let keys = Keys::new(table, columns, false, std::iter::empty());
    let ranges = ranges.clamp(1, keys.ranges_max());
    let names: Vec<String> = (1..=keys.columns().len()).map(|at| format!("k{at}")).collect();
    let names = names.join(", ");
    let sampled = (ranges as u64).saturating_mul(SAMPLES_PER_RANGE);
    // In millionths, rounded up.
    let share = u128::from(sampled) * 1_000_000 / u128::from(rows.max(1)) + 1;
    let (sample, chance) = match (share < 1_000_000, table.is_sampled) {
        (false, _) => (String::new(), String::new()),
        (true, true) => {
            (format!(" TABLESAMPLE BERNOULLI ({}.{:04}) REPEATABLE (0)", share / 10_000, share % 10_000), String::new())
        }
        (true, false) => (String::new(), format!(" AND random() < 0.{share:06}")),
    };
    Some(format!(
        "SELECT DISTINCT {names} FROM (SELECT {names}, row_number() OVER (ORDER BY {names}) AS n, count(*) OVER () AS c \
         FROM (SELECT {} FROM {}{sample} WHERE {}{chance}) AS sample) AS numbered \
         WHERE n * {ranges} / c > (n - 1) * {ranges} / c AND n < c ORDER BY {names}",
        keys.ordered(),
        table.quoted(),
        keys.is_whole(),
    ))
}

/// Reads the rows of [`quantiles`]: keys, ascending, each once. Long texts are cut short where that leaves enough of
/// them different, because short ones are compared faster. None for what makes no sense.
#[must_use]
pub fn cuts(table: &Table, side: &Side, rule: usize, rows: &[Vec<Option<String>>]) -> Option<Vec<Key>> {
    let columns = columns(table, side, &side.rules[rule])?;
    let key = |row: &Vec<Option<String>>| -> Option<Key> {
        let values = columns.iter().zip(row).map(|(column, text)| {
            let text = text.clone()?;
            column.kind.value(&column.name, text.into()).ok().map(Value::into_owned)
        });
        values.collect::<Option<Key>>().filter(|key| key.len() == columns.len())
    };
    let mut whole: Vec<Key> = rows.iter().map(key).collect::<Option<_>>()?;
    let mut short: Vec<Key> = whole.iter().map(keys::shortened).collect();
    short.dedup();
    if short.len() * 2 >= whole.len() {
        return Some(short);
    }
    let step = whole.len().div_ceil(keys::TREE_MAX);
    let mut at = 0;
    whole.retain(|_| {
        at += 1;
        at % step == 0
    });
    Some(whole)
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
