//! What of a run by schedule people are told of.

use super::ended::{Ended, FAILURES_ALARMED, Failure};
use super::observe::Observed;
use quittance_core::alert::{Alarm, Kind, Severity};
use quittance_core::time::Timestamp;
use quittance_store::records::PairState;

/// What a run judged of its pair, and what of that is wrong. What it could not look at is left as it is: a run that was put off
/// judges nothing, and one that failed only that.
pub(super) fn judge(pair: &str, ended: &Ended, state: &PairState, now: Timestamp) -> (Vec<Kind>, Vec<Alarm>) {
    let alarm = |kind, severity, what: String, count, since| Alarm {
        kind,
        subject: pair.to_owned(),
        severity,
        what,
        count,
        amounts: Vec::new(),
        since,
        link: None,
    };
    match ended {
        Ended::PutOff { .. } => (Vec::new(), Vec::new()),
        Ended::Unwritten { ended, .. } => judge(pair, ended, state, now),
        Ended::Failed { detail, why: Failure::Unauthorised } => {
            let since = state.failing_since.unwrap_or(now);
            let what = format!("a system refuses our credentials: {detail}");
            let refusing = alarm(Kind::Unauthorised, Severity::Critical, what, u64::from(state.failures), since);
            // That the pair cannot be compared is said by that alone.
            (vec![Kind::Unauthorised, Kind::Failing], vec![refusing])
        }
        Ended::Failed { detail, why } => {
            let since = state.failing_since.unwrap_or(now);
            let many = u64::from(state.failures);
            let what = format!("the pair cannot be compared: {detail}");
            let is_told = *why == Failure::Refused || state.failures >= FAILURES_ALARMED;
            let failing = is_told.then(|| alarm(Kind::Failing, Severity::Critical, what, many, since));
            (is_told.then_some(Kind::Failing).into_iter().collect(), failing.into_iter().collect())
        }
        Ended::Compared(observed) => {
            let Observed { open, waiting, braked, oldest, .. } = **observed;
            let since = oldest.unwrap_or(now);
            let drift = (open > 0).then(|| {
                alarm(Kind::Drift, Severity::Warning, "records differ, and are not repaired".to_owned(), open, since)
            });
            let brake = braked.map(|many| {
                let what =
                    "the brake stopped the repairs before the first: they are more than a run may make".to_owned();
                alarm(Kind::Brake, Severity::Critical, what, many, since)
            });
            let approval = (waiting > 0).then(|| {
                let what = format!("repairs wait for approval: quittance runs {pair} --waiting");
                alarm(Kind::Approval, Severity::Warning, what, waiting, since)
            });
            let silence = observed.memory.silence.map(|silence| {
                let what = "changes came that no event announced: webhooks are lost".to_owned();
                alarm(Kind::Silence, Severity::Critical, what, silence.count, silence.since)
            });
            let shape = observed.shape.as_ref();
            let shape = shape
                .map(|shape| alarm(Kind::Shape, Severity::Critical, shape.what.clone(), shape.records, shape.since));
            let judged = vec![
                Kind::Drift,
                Kind::Brake,
                Kind::Approval,
                Kind::Silence,
                Kind::Shape,
                Kind::Unauthorised,
                Kind::Failing,
            ];
            (judged, [drift, brake, approval, silence, shape].into_iter().flatten().collect())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::observe::Shape;
    use super::*;
    use quittance_core::pair::detect::silence::Silence;
    use quittance_store::records::PairMemory;

    fn kinds(ended: &Ended, failures: u32) -> (usize, Vec<(Kind, u64)>) {
        let state = PairState { failures, ..PairState::default() };
        let (judged, firing) = judge("a", ended, &state, Timestamp(9));
        (judged.len(), firing.iter().map(|alarm| (alarm.kind, alarm.count)).collect())
    }

    #[test]
    fn what_is_wrong_is_told_and_what_was_not_looked_at_is_left_alone() {
        let compared = |observed| Ended::Compared(Box::new(observed));
        assert_eq!(kinds(&compared(Observed::default()), 0), (7, vec![]));
        let silence = Some(Silence { count: 7, since: Timestamp(3), after: Timestamp(2) });
        let all = Observed {
            open: 3,
            waiting: 2,
            braked: Some(9),
            shape: Some(Shape { what: String::new(), records: 50, since: Timestamp(4) }),
            memory: PairMemory { silence, ..PairMemory::default() },
            ..Observed::default()
        };
        let told = vec![(Kind::Drift, 3), (Kind::Brake, 9), (Kind::Approval, 2), (Kind::Silence, 7), (Kind::Shape, 50)];
        assert_eq!(kinds(&compared(all), 0), (7, told));
        let failed = |why| Ended::Failed { detail: "it is away".into(), why };
        assert_eq!(kinds(&failed(Failure::Passing), 2), (0, vec![]));
        assert_eq!(kinds(&failed(Failure::Passing), 3), (1, vec![(Kind::Failing, 3)]));
        assert_eq!(kinds(&failed(Failure::Refused), 1), (1, vec![(Kind::Failing, 1)]));
        assert_eq!(kinds(&failed(Failure::Unauthorised), 1), (2, vec![(Kind::Unauthorised, 1)]));
        let why = super::super::ended::PutOff::Lagging;
        assert_eq!(kinds(&Ended::PutOff { why, detail: String::new() }, 9), (0, vec![]));
    }
}
