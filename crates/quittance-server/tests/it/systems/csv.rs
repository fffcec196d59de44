//! CSV files as spreadsheets and databases export them, and broken ones.

use super::{check_error, find, read, read_all, side};
use quittance_core::record::value::Value;
use quittance_server::systems::csv::Csv;
use quittance_server::systems::{Blame, System, Wanted};
use tempfile::TempDir;

fn folder(files: &[(&str, &[u8])]) -> TempDir {
    let folder = TempDir::new().unwrap();
    for (name, bytes) in files {
        std::fs::write(folder.path().join(name), bytes).unwrap();
    }
    folder
}

fn check(text: &str, delimiter: u8, expected: &[&str]) {
    let folder = folder(&[("a.csv", text.as_bytes())]);
    let mut system = Csv::open("files", folder.path(), delimiter, "").unwrap();
    assert_eq!(read_all(&mut system, "a", &["id", "note"]), expected, "{text:?}");
}

#[test]
fn cells_are_read_in_every_dialect_of_line_and_quote() {
    let rows = &["Untyped 1 | Untyped x", "Untyped 2 | NULL"];
    check("id,note\n1,x\n2,\n", b',', rows);
    check("id,note\n1,x\n2,", b',', rows);
    check("\u{feff}id,note\r\n1,x\r\n2,\r\n", b',', rows);
    check("note;id\n\"x\";1\n\n\"\";\"2\"\n", b';', rows);
    check("id\tnote\n1\tx\n2\t\n", b'\t', rows);
    check("id,note\n", b',', &[]);
    check("id,note\n1,\"a \"\"b\"\", c\nd\"\n", b',', &["Untyped 1 | Untyped a \"b\", c\nd"]);
    check("id,note\n007,ünï\n", b',', &["Untyped 007 | Untyped ünï"]);
}

#[test]
fn a_character_that_is_cut_by_a_delimiter_is_not_utf_8() {
    let folder = folder(&[("a.csv", b"id,note\n1,x\n\xc3,\xa9\n")]);
    let mut system = Csv::open("files", folder.path(), b',', "").unwrap();
    let read = read(&mut system, "a", &["id", "note"], &Wanted::All);
    check_error(read, Blame::Outside, &["line 3", "column `id` is not UTF-8", "export it as UTF-8"]);
}

#[test]
fn an_object_is_a_file_with_or_without_its_ending() {
    let folder = folder(&[("accounts.csv", b"id,plan\n1,\"{\"\"id\"\": \"\"pro\"\"}\"\n2,NULL\n"), ("other.txt", b"")]);
    let mut system = Csv::open("files", folder.path(), b',', "NULL").unwrap();
    let description = system.describe("accounts.csv").unwrap();
    assert_eq!(description.columns, [("id".to_owned(), None), ("plan".to_owned(), None)]);
    assert!(description.identity.is_empty());
    let rows = read_all(&mut system, "accounts", &["plan", "id", "plan|/id"]);
    assert_eq!(rows, ["Untyped {\"id\": \"pro\"} | Untyped 1 | Text pro", "NULL | Untyped 2 | NULL"]);
    assert!(!system.can_find("accounts", &side(&["id"]), &[0]));
    let values: &[&[Value<'static>]] = &[&[Value::text("2")], &[Value::text("3")]];
    assert_eq!(find(&mut system, "accounts", &["id"], &[0], values), ["Untyped 2"]);
}

#[test]
fn the_number_of_records_is_guessed_from_the_first_of_them() {
    let text = format!("id,note\n{}", "100,some words\n".repeat(5_000));
    let folder = folder(&[("a.csv", text.as_bytes()), ("b.csv", b"id,note\n1,2\n")]);
    let mut system = Csv::open("files", folder.path(), b',', "").unwrap();
    assert_eq!(system.estimate("a").unwrap(), Some(5_000));
    assert_eq!(system.estimate("b").unwrap(), Some(1));
}

fn check_broken(bytes: &[u8], words: &[&str]) {
    let folder = folder(&[("a.csv", bytes)]);
    let mut system = Csv::open("files", folder.path(), b',', "").unwrap();
    check_error(read(&mut system, "a", &["id"], &Wanted::All), Blame::Outside, words);
}

#[test]
fn broken_files_are_named_with_their_line() {
    check_broken(b"", &["a.csv of the system `files` is empty", "first line names the columns"]);
    check_broken(b"\xef\xbb\xbf", &["is empty"]);
    check_broken(b"id,note\n1,x\n2\n", &["line 3 of", "1 cells, and the header 2"]);
    check_broken(b"id,note\r\n1,x\r\n2,y,z\r\n", &["line 3 of", "3 cells, and the header 2"]);
    check_broken(b"id,note\n1,\"a\nb\"\n\n2,y,z\n", &["line 5 of", "3 cells"]);
    check_broken(b"id,note,id\n", &["line 1 of", "two columns are named `id`"]);
    check_broken(b"id,note\n1,x\n2,caf\xe9\n", &["line 3 of", "column `note` is not UTF-8"]);
    check_broken(b"id,n\xe9te\n", &["line 1 of", "column 2 is not UTF-8"]);
    check_broken(b"\xff\xfei\0d\0", &["line 1 of", "column 1 is not UTF-8"]);
    check_broken(b"id,note\n1,\"x\n2,y\n3,z\n", &["line 2 of", "never closed"]);
    check_broken(b"id,note\n1,x\n2,\"y", &["line 3 of", "never closed"]);
}

#[test]
fn a_record_has_a_limit() {
    let mut bytes = b"id,note\n1,\"".to_vec();
    bytes.resize(17 * 1024 * 1024, b'a');
    check_broken(&bytes, &["record at line 2 of"]);
    // Many records may be longer together.
    let line = format!("1,{}\n", "a".repeat(1024 * 1024));
    let folder = folder(&[("a.csv", format!("id,note\n{}", line.repeat(20)).as_bytes())]);
    let mut system = Csv::open("files", folder.path(), b',', "").unwrap();
    assert_eq!(read_all(&mut system, "a", &["id"]).len(), 20);
}

#[test]
fn what_is_not_there_is_a_mistake_of_the_configuration() {
    let folder = folder(&[("accounts.csv", b"id;note\n1;2\n")]);
    let mut system = Csv::open("files", folder.path(), b',', "").unwrap();
    let is = Blame::Configuration;
    check_error(
        system.describe("acounts"),
        is,
        &["no file `acounts` or `acounts.csv`", "did you mean `accounts.csv`?"],
    );
    check_error(system.describe("../accounts"), is, &["no file `../accounts`"]);
    check_error(system.describe(""), is, &["no file ``"]);
    check_error(
        read(&mut system, "accounts", &["id"], &Wanted::All),
        is,
        &["no column `id` in `accounts`", "is the delimiter really ','?"],
    );
    check_error(Csv::open("files", &folder.path().join("no"), b',', ""), is, &["there is no folder"]);
    check_error(Csv::open("files", &folder.path().join("accounts.csv"), b',', ""), is, &["is a file"]);
}
