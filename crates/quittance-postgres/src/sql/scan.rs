//! One page of a primary key or an index as a statement.

use super::{all_columns, and_indexed};
use quittance_store::store::{Direction, Scan};

/// `$1…` prefix, then the `after` and the `until` bound, then the limit.
pub(crate) fn page(scan: &Scan) -> String {
    let table = scan.table;
    let columns: Vec<&str> = table.order(scan.index).iter().map(|&position| table.columns[position].name).collect();
    let (fixed, free) = columns.split_at(scan.prefix.len());
    let (beyond, short_of, suffix) = match scan.direction {
        Direction::Forward => (">", "<", ""),
        Direction::Backward => ("<", ">", " DESC"),
    };
    let mut next = 1;
    let mut terms = String::from("true");
    for column in fixed {
        terms.push_str(&format!(" AND t.{column} = ${next}"));
        next += 1;
    }
    for (bound, comparison) in [(&scan.after, beyond), (&scan.until, short_of)] {
        if let Some(bound) = bound {
            let names = free[..bound.len()].iter().map(|column| format!("t.{column}")).collect::<Vec<_>>().join(", ");
            let values = (next..next + bound.len()).map(|number| format!("${number}")).collect::<Vec<_>>().join(", ");
            terms.push_str(&format!(" AND ({names}) {comparison} ({values})"));
            next += bound.len();
        }
    }
    if let Some(index) = scan.index {
        terms.push_str(&and_indexed(table, index));
    }
    let order = columns.iter().map(|column| format!("t.{column}{suffix}")).collect::<Vec<_>>().join(", ");
    format!("SELECT {} FROM {} AS t WHERE {terms} ORDER BY {order} LIMIT ${next}", all_columns(table), table.name)
}
