//! What is wrong with values before any is written: the database reads each as what its column holds, and writes nothing.

use super::PostgresWriter;
use crate::systems::SystemError;
use crate::systems::postgres::failure::{Verdict, why};
use crate::systems::write::{Fault, WRITES_MAX, Write};
use quittance_connectors::sql::postgres::write::Cast;
use quittance_core::pair::Side;
use std::collections::BTreeMap;

const UNSAYABLE: &str = "it cannot be said to the database: it holds a NUL character, or is bytes where JSON is stored";
const CUT: &str = "the column would hold less of it: it is longer, or has more digits";

impl PostgresWriter {
    pub(super) fn find_faults(
        &mut self,
        object: &str,
        side: &Side,
        writes: &[Write],
    ) -> Result<Vec<Option<Fault>>, SystemError> {
        let mut faults = Vec::with_capacity(writes.len());
        for part in writes.chunks(WRITES_MAX) {
            faults.extend(self.faults_of(object, side, part)?);
        }
        self.session.refresh()?;
        Ok(faults)
    }

    fn faults_of(&mut self, object: &str, side: &Side, writes: &[Write]) -> Result<Vec<Option<Fault>>, SystemError> {
        let job = self.job(object, side, writes)?;
        let mut faults: Vec<Option<Fault>> = vec![None; writes.len()];
        let mut texts: BTreeMap<usize, Vec<(usize, String)>> = BTreeMap::new();
        for (at, write) in writes.iter().enumerate() {
            for (column, value) in &write.set {
                let name = &side.columns[*column].name;
                let (Some((_, known)), Some(target)) = (job.table.column(name), job.target.column(name)) else {
                    continue;
                };
                match known.kind.assigned_text(value) {
                    None => faults[at] = Some(Fault { column: Some(*column), what: UNSAYABLE.to_owned() }),
                    Some(None) if target.is_required => faults[at] = Some(Fault::null(*column)),
                    Some(None) => {}
                    Some(Some(text)) => texts.entry(*column).or_default().push((at, text)),
                }
            }
        }
        for (column, texts) in texts {
            let cast = Cast::new((&job.table, &job.target), &side.columns[column].name);
            let Some(cast) = cast else { continue };
            for (at, what) in self.unfit(&cast, texts)? {
                faults[at] = faults[at].take().or(Some(Fault { column: Some(column), what }));
            }
        }
        Ok(faults)
    }

    /// Which of these texts the column cannot hold, and why; halved until what is refused stands alone.
    fn unfit(&mut self, cast: &Cast<'_>, texts: Vec<(usize, String)>) -> Result<Vec<(usize, String)>, SystemError> {
        let (mut unfit, mut parts) = (Vec::new(), vec![texts]);
        while let Some(mut part) = parts.pop() {
            let asked = cast.unfit(part.iter().map(|(_, text)| text.as_str()));
            match self.session.attempt(&format!("SAVEPOINT w; {asked}; RELEASE SAVEPOINT w"))? {
                Ok(rows) => {
                    let place =
                        |row: &Vec<Option<String>>| row.first()?.as_ref()?.parse::<usize>().ok()?.checked_sub(1);
                    let cut = rows.iter().filter_map(place).filter_map(|place| part.get(place));
                    unfit.extend(cut.map(|(at, _)| (*at, CUT.to_owned())));
                    continue;
                }
                Err(refusal) if matches!(Verdict::of(&refusal), Verdict::Conflict | Verdict::Stop) => {
                    return Err(self.session.place().refusing(&refusal));
                }
                Err(refusal) => {
                    self.session.rows("ROLLBACK TO SAVEPOINT w; RELEASE SAVEPOINT w")?;
                    if let [(at, _)] = part.as_slice() {
                        unfit.push((*at, why(&refusal)));
                        continue;
                    }
                }
            }
            let second = part.split_off(part.len() / 2);
            parts.extend([second, part]);
        }
        Ok(unfit)
    }
}
