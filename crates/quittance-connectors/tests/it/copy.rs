//! Lines and fields of `COPY`, however they arrive.

use proptest::prelude::*;
use quittance_connectors::sql::postgres::copy::{Lines, ROW_BYTES_MAX, RowTooLong, fields};

fn lines(parts: &[&[u8]]) -> Result<(Vec<String>, bool), RowTooLong> {
    let (mut lines, mut found) = (Lines::default(), Vec::new());
    for part in parts {
        lines.feed(part, |line| {
            found.push(String::from_utf8(line.to_vec()).expect("what is fed is text"));
            Ok::<_, RowTooLong>(())
        })?;
    }
    Ok((found, lines.is_whole()))
}

proptest! {
    #[test]
    fn lines_are_the_same_wherever_they_are_cut(
        wanted in prop::collection::vec("[a-z\t]{0,20}", 0..8),
        cuts in prop::collection::vec(0_usize..200, 0..8),
    ) {
        let text: String = wanted.iter().map(|line| format!("{line}\n")).collect();
        let mut ends: Vec<usize> = cuts.iter().map(|cut| cut % (text.len() + 1)).collect();
        ends.push(0);
        ends.push(text.len());
        ends.sort_unstable();
        let parts: Vec<&[u8]> = ends.windows(2).map(|ends| &text.as_bytes()[ends[0]..ends[1]]).collect();
        prop_assert_eq!(lines(&parts), Ok((wanted, true)));
    }
}

#[test]
fn a_line_that_is_cut_short_is_noticed() {
    assert_eq!(lines(&[b"a\nb"]), Ok((vec!["a".to_owned()], false)));
}

#[test]
fn a_row_has_a_longest() {
    let long = vec![b'x'; ROW_BYTES_MAX + 1];
    assert_eq!(lines(&[&long]), Err(RowTooLong));
    assert_eq!(lines(&[&long[..ROW_BYTES_MAX], b"x\n"]), Err(RowTooLong));
    assert!(lines(&[&long[..ROW_BYTES_MAX], b"\n"]).is_ok());
}

#[test]
fn fields_are_told_apart_from_null_and_from_each_other() {
    let read = |line: &str| fields(line).map(|field| field.map(std::borrow::Cow::into_owned)).collect::<Vec<_>>();
    let some = |text: &str| Some(text.to_owned());
    assert_eq!(read("a\t\tb"), [some("a"), some(""), some("b")]);
    assert_eq!(read("\\N\t\\\\N\tN"), [None, some("\\N"), some("N")]);
    assert_eq!(read("\\t\\n\\r\\b\\f\\v\\\\\\x"), [some("\t\n\r\u{8}\u{c}\u{b}\\x")]);
    assert_eq!(read(""), [some("")]);
}
