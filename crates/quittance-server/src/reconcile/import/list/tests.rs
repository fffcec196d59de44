//! Rows with their lines, and files that are no lists. Does not own how a table is found.

use super::{Form, List, parse};
use crate::reconcile::import::ImportError;
use quittance_core::record::value::Value;
use quittance_store::records::RepairSource;

fn list(bytes: &[u8]) -> Result<List, ImportError> {
    let source = RepairSource { name: "a.csv".into(), sha256: [0; 32] };
    parse(source, bytes.to_vec(), &Form::default())
}

fn cell(text: &'static str) -> Value<'static> {
    Value::Untyped(text.into())
}

#[test]
fn rows_are_told_with_their_lines() {
    let text = "\u{feff}id,name\r\n\r\n1,\"two\r\nlines, and \"\"more\"\"\"\r\n\n2,\r\n3\n4,x";
    let list = list(text.as_bytes()).expect("a list");
    assert_eq!(list.header, ["id", "name"]);
    let rows: Vec<_> = list.rows.iter().map(|row| (row.line, row.cells.clone())).collect();
    assert_eq!(
        rows,
        [
            (3, vec![cell("1"), cell("two\r\nlines, and \"more\"")]),
            (6, vec![cell("2"), Value::Null]),
            (8, vec![cell("4"), cell("x")])
        ]
    );
    assert_eq!((list.bad.many, list.bad.named[0].line), (1, 7));
}

#[test]
fn what_is_no_list_is_refused_with_its_place() {
    for (bytes, words) in [
        (&b""[..], "is empty"),
        (b"\n\n", "is empty"),
        (b"\xef\xbb\xbf", "is empty"),
        (b"id;name\n1;2\n", "its only column is `id;name`"),
        (b"id,name,id\n", "two columns are named `id`"),
        (b"id,name\n1,a\n2,M\xfcller\n", "line 3 of a.csv, byte 4 of it: not UTF-8"),
        (b"\xff\xfei\0d\0", "line 1 of a.csv, byte 1 of it"),
        (b"id,name\n1,a\n2,\"never closed\n3,c\n", "line 3 of a.csv: a quote is opened"),
    ] {
        let error = list(bytes).expect_err("no list").to_string();
        assert!(error.contains(words), "{error}");
    }
}
