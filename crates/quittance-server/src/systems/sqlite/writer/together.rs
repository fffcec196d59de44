//! Rows that are changed all together or not at all, and what is wrong with values before any is written.

use super::job::Job;
use super::{Broken, Outcome, SqliteWriter};
use crate::systems::SystemError;
use crate::systems::write::{Fault, Together, WRITES_MAX, Write, Written, after, vetoed};
use quittance_core::pair::Side;
use quittance_core::record::value::Value;
use std::collections::BTreeMap;

/// Rows because of which a trigger may take everything back, before no further one is looked for.
const BREAKING_MAX: usize = 20;

/// Columns that have to hold something. The number of a row may be said to be NULL, and is made then.
const REQUIRED: &str = "SELECT name FROM pragma_table_xinfo(?1, 'main') WHERE \"notnull\"";

impl SqliteWriter {
    pub(super) fn together(&self, object: &str, side: &Side, writes: &[Write]) -> Result<Together, SystemError> {
        let mut refused = BTreeMap::new();
        loop {
            match self.whole(object, side, writes, &refused) {
                Ok(together) => return Ok(together),
                Err(Broken::System(error)) => return Err(error),
                Err(Broken::RolledBack(at, why)) => {
                    self.roll_back();
                    refused.insert(at, why);
                }
            }
            if refused.len() >= BREAKING_MAX {
                let each = (0..writes.len()).map(|at| match refused.get(&at) {
                    Some(why) => Written::Refused { why: why.clone() },
                    None => Written::Done,
                });
                return Ok(Together { is_made: false, each: each.collect() });
            }
        }
    }

    /// One transaction, from its beginning to its commit; where it is not committed it is still open.
    fn whole(
        &self,
        object: &str,
        side: &Side,
        writes: &[Write],
        refused: &BTreeMap<usize, String>,
    ) -> Result<Together, Broken> {
        self.run("BEGIN IMMEDIATE")?;
        let mut jobs = Vec::new();
        for (part, from) in writes.chunks(WRITES_MAX).zip((0..).step_by(WRITES_MAX)) {
            let job = Job::new(self.at(), &self.connection, &self.options, (object, side, part))?;
            let of_part = refused.range(from..from + part.len()).map(|(at, why)| (at - from, why.clone())).collect();
            let outcomes = self.transaction(&job, &of_part).map_err(|broken| match broken {
                Broken::RolledBack(at, why) => Broken::RolledBack(from + at, why),
                system @ Broken::System(_) => system,
            })?;
            jobs.push((job, outcomes));
        }
        let mut each = Vec::with_capacity(writes.len());
        for (job, outcomes) in &jobs {
            for (outcome, write) in outcomes.iter().zip(job.writes) {
                each.push(match outcome {
                    Outcome::Said(written) => written.clone(),
                    Outcome::Applied(locator) => {
                        let row = job.row(self.at(), &self.connection, locator)?;
                        after(write, row.as_ref().map(|(row, _)| row.as_slice()), &job.narrow)
                    }
                });
            }
        }
        if !Together::is_whole(&each) {
            return Ok(Together { is_made: false, each });
        }
        vetoed(&self.name, self.veto.as_ref())?;
        if let Err(error) = self.connection.execute_batch("COMMIT") {
            // Which row a reference is about that is checked at the end, SQLite does not say.
            let why = self.refusal(error)?;
            let refused = |written| match written {
                Written::Done => Written::Refused { why: why.clone() },
                other => other,
            };
            return Ok(Together { is_made: false, each: each.into_iter().map(refused).collect() });
        }
        Ok(Together { is_made: true, each })
    }

    pub(super) fn find_faults(
        &self,
        object: &str,
        side: &Side,
        writes: &[Write],
    ) -> Result<Vec<Option<Fault>>, SystemError> {
        self.run("BEGIN DEFERRED")?;
        let mut faults = Vec::with_capacity(writes.len());
        for part in writes.chunks(WRITES_MAX) {
            let job = Job::new(self.at(), &self.connection, &self.options, (object, side, part))?;
            let located = job.located(self.at(), &self.connection)?;
            let required = self.required(&job.object.name)?;
            for (at, write) in part.iter().enumerate() {
                let is_missing = |(column, value): &&(usize, Value<'static>)| {
                    matches!(value, Value::Null) && required.contains(&side.columns[*column].name.to_ascii_lowercase())
                };
                if let Some((column, _)) = write.set.iter().find(is_missing) {
                    faults.push(Some(Fault::null(*column)));
                    continue;
                }
                let locator = job.keys[at].as_ref().and_then(|key| located.get(key)?.first());
                let row = locator.map(|locator| job.row(self.at(), &self.connection, locator)).transpose()?.flatten();
                let why = row.and_then(|(_, raw)| job.puts(write, &raw).err());
                faults.push(why.map(|what| Fault { column: None, what }));
            }
        }
        Ok(faults)
    }

    fn required(&self, object: &str) -> Result<Vec<String>, SystemError> {
        let names = || {
            let mut statement = self.connection.prepare_cached(REQUIRED)?;
            let names = statement.query_map([object], |row| row.get::<_, String>(0))?;
            names.map(|name| name.map(|name| name.to_ascii_lowercase())).collect::<rusqlite::Result<_>>()
        };
        names().map_err(|error| self.at().error(error))
    }
}
