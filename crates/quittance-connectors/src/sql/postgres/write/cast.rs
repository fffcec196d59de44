//! Texts read as what a column holds, without anything being written.

use super::super::Kind;
use super::super::catalog::Table;
use super::super::session::OWN_SETTINGS;
use super::Target;
use super::texts::column;

/// One column that texts are read for.
#[derive(Debug)]
pub struct Cast<'t> {
    kind: Kind,
    type_name: &'t str,
    limited_type: Option<&'t str>,
}

impl<'t> Cast<'t> {
    /// Of a column; none where the table has not got it.
    #[must_use]
    pub fn new((table, target): (&Table, &'t Target), name: &str) -> Option<Self> {
        let (_, known) = table.column(name)?;
        let target = target.column(name)?;
        Some(Self { kind: known.kind, type_name: &target.type_name, limited_type: target.limited_type.as_deref() })
    }

    /// Asks for the texts of which the column would hold less, by their places from 1. Refused where one cannot be read at
    /// all.
    #[must_use]
    pub fn unfit<'a>(&self, texts: impl Iterator<Item = &'a str>) -> String {
        let (own, back) = OWN_SETTINGS;
        let array = column(texts.map(|text| Some(text.to_owned())));
        let from = format!("FROM pg_catalog.unnest({array}) WITH ORDINALITY AS w(s, o)");
        let cast = self.kind.assigned("w.s", self.type_name);
        match self.limited_type {
            Some(limited) => {
                let held = format!("({cast}) OPERATOR(pg_catalog.=) ({cast})::{limited}");
                format!("{own}SELECT w.o {from} WHERE ({held}) IS NOT TRUE{back}")
            }
            // Counted, so that each is read; no row of it is told.
            None => {
                let counted = format!("SELECT pg_catalog.count({cast}) AS read {from}");
                format!("{own}SELECT 1 FROM ({counted}) AS c WHERE c.read OPERATOR(pg_catalog.<) 0{back}")
            }
        }
    }
}
