//! Alerts, what channels were told of them, and silences.

mod bodies;
mod notice;

pub use bodies::{Said, decode_message, decode_said, decode_told, encode_message, encode_said, encode_told};
pub use notice::{AlertChannel, NOTICES_KEPT, Notice, NoticeState};

use super::row::{Columns, Corrupt, Entity};
use crate::schema::Table;
use crate::tables::{ALERT_SILENCES, ALERTS};
use crate::value::Row;
use quittance_core::alert::{Alert, Kind, Severity, Silence, Standing};
use quittance_core::id::SilenceId;

impl Entity for Alert {
    fn table() -> &'static Table {
        &ALERTS
    }

    fn to_row(&self) -> Row {
        let said = Said { what: self.what.clone(), link: self.link.clone(), amounts: self.amounts.clone() };
        vec![
            self.subject.as_str().into(),
            self.kind.name().into(),
            self.standing.name().into(),
            self.turned_at.0.into(),
            self.observed_at.0.into(),
            self.since.0.into(),
            self.severity.name().into(),
            self.count.cast_signed().into(),
            i64::from(self.relapses).into(),
            encode_said(&said).into(),
            encode_told(&self.told).into(),
        ]
    }

    fn from_row(row: &Row) -> Result<Self, Corrupt> {
        let mut columns = Columns::of(&ALERTS, row)?;
        let (subject, kind, standing) = (columns.text()?, columns.word(Kind::named)?, columns.word(Standing::named)?);
        let (turned_at, observed_at, since) = (columns.time()?, columns.time()?, columns.time()?);
        let (severity, count) = (columns.word(Severity::named)?, columns.integer()?.cast_unsigned());
        let relapses = columns.count()?;
        let Said { what, link, amounts } = columns.body(decode_said)?;
        let told = columns.body(decode_told)?;
        Ok(Self {
            subject,
            kind,
            standing,
            turned_at,
            observed_at,
            since,
            severity,
            count,
            amounts,
            what,
            link,
            relapses,
            told,
        })
    }
}

impl Entity for Silence {
    fn table() -> &'static Table {
        &ALERT_SILENCES
    }

    fn to_row(&self) -> Row {
        vec![
            self.id.bytes().into(),
            self.subject.as_str().into(),
            self.kind.map(Kind::name).into(),
            self.from.0.into(),
            self.until.0.into(),
            self.by.as_str().into(),
            self.reason.as_bytes().into(),
        ]
    }

    fn from_row(row: &Row) -> Result<Self, Corrupt> {
        let mut columns = Columns::of(&ALERT_SILENCES, row)?;
        let (id, subject) = (SilenceId::from_bytes(columns.fixed()?), columns.text()?);
        let (kind, from, until) = (columns.maybe_word(Kind::named)?, columns.time()?, columns.time()?);
        let (by, reason) = (columns.text()?, String::from_utf8_lossy(columns.bytes()?).into_owned());
        Ok(Self { id, subject, kind, from, until, reason, by })
    }
}
