//! Texts that are kept in the repository and compared; `UPDATE=1` writes them anew.

use std::fs;
use std::path::Path;

/// Compares a text with a file of the repository, by its path from there.
#[expect(clippy::disallowed_methods, reason = "the switch that rewrites snapshots is a variable of the environment")]
pub fn check(path: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path);
    if std::env::var_os("UPDATE").is_some() {
        fs::create_dir_all(path.parent().expect("a file has a folder")).expect("folder made");
        fs::write(&path, text).expect("written");
        return;
    }
    let kept = fs::read_to_string(&path).unwrap_or_default();
    assert!(kept == text, "{} differs; UPDATE=1 writes what is now:\n{text}", path.display());
}

#[test]
fn the_document_of_errors_is_that_of_the_catalogue() {
    check("docs/errors.md", &quittance_server::problem::catalogue::document());
}

#[test]
fn every_code_stands_once_and_has_a_fitting_status() {
    let kinds = quittance_server::problem::catalogue::ALL;
    for (at, kind) in kinds.iter().enumerate() {
        assert!((400..600).contains(&kind.status), "{}", kind.code);
        assert!(kinds[..at].iter().all(|other| other.code != kind.code), "{} stands twice", kind.code);
        assert!(at == 0 || kinds[at - 1].status <= kind.status, "{} is out of order", kind.code);
        assert!(kind.status != 409 || kind.code != "idempotency-key-expired", "clients retry 409");
    }
}

#[test]
fn the_page_of_metrics_is_that_of_the_numbers() {
    check("docs/metrics.md", &quittance_server::metrics::page());
}
