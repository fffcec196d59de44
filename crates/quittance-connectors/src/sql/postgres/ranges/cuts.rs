//! Where to cut a table, so that its ranges hold about as many records each.

use super::super::catalog::Table;
use super::keys::{self, Keys};
use super::{Key, columns};
use quittance_core::pair::Side;
use quittance_core::record::key::encode_key;
use quittance_core::record::value::Value;

/// Records of a sample for each range, so that ranges come out about equal.
const SAMPLES_PER_RANGE: u64 = 4;

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
/// them different, because short ones are compared faster. A key that cannot be read is no cut: any ascending keys are.
#[must_use]
pub fn cuts(table: &Table, side: &Side, rule: usize, rows: &[Vec<Option<String>>]) -> Vec<Key> {
    let Some(columns) = columns(table, side, &side.rules[rule]) else { return Vec::new() };
    let key = |row: &Vec<Option<String>>| -> Option<Key> {
        let values = columns.iter().zip(row).map(|(column, text)| {
            let text = text.clone()?;
            column.kind.value(&column.name, text.into()).ok().map(Value::into_owned)
        });
        values.collect::<Option<Key>>().filter(|key| key.len() == columns.len())
    };
    let mut whole = ascending(rows.iter().filter_map(key));
    let short = ascending(whole.iter().map(keys::shortened));
    if short.len() * 2 >= whole.len() {
        return short;
    }
    let step = whole.len().div_ceil(keys::TREE_MAX);
    let mut at = 0;
    whole.retain(|_| {
        at += 1;
        at % step == 0
    });
    whole
}

/// Keys that are each above the one before. One that was cut short may be below its neighbour: it is cut before a
/// character that does not fit.
fn ascending(keys: impl Iterator<Item = Key>) -> Vec<Key> {
    let (mut kept, mut last) = (Vec::new(), Vec::new());
    for key in keys {
        let mut encoded = Vec::new();
        if encode_key(key.iter(), &mut encoded) && (kept.is_empty() || encoded > last) {
            last = encoded;
            kept.push(key);
        }
    }
    kept
}
