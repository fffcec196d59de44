//! What seeds once broke, each as the shrunk plan that broke it. A plan is kept, and not its seed, for a seed means another
//! world as soon as the workload changes. `plans/README.md` says without what each fails, and how to see that it does.

use quittance_sim::plan::Plan;

/// Name of the plan, the plan, what it broke.
const KEPT: [(&str, &str, &str); 8] = [
    (
        "clock_ahead_of_a_search",
        include_str!("plans/clock_ahead_of_a_search.json"),
        "the clock was a day ahead: a search began where its object could not be, and a charge was made twice",
    ),
    (
        "what_a_person_booked_goes_back",
        include_str!("plans/what_a_person_booked_goes_back.json"),
        "a person said that a payment had come; when it went back, people were told no more",
    ),
    (
        "refund_that_a_person_booked_goes_back",
        include_str!("plans/refund_that_a_person_booked_goes_back.json"),
        "a person said that a refund had gone; when it came back, people were told no more",
    ),
    (
        "first_sweep_after_an_absence",
        include_str!("plans/first_sweep_after_an_absence.json"),
        "the process died early and was away for a day: what happened meanwhile, and whose webhook was lost, was never seen",
    ),
    (
        "refund_elsewhere_under_a_clock_26_hours_ahead",
        include_str!("plans/refund_elsewhere_under_a_clock_26_hours_ahead.json"),
        "the clock was more than a day ahead at the first sweep, which began behind a refund of which no webhook told",
    ),
    (
        "a_step_of_the_clock_that_is_tolerated",
        include_str!("plans/a_step_of_the_clock_that_is_tolerated.json"),
        "the clock was set ahead by less than a minute while a request was late: absence was believed too early, and it was charged twice",
    ),
    (
        "looks_by_a_clock_ahead",
        include_str!("plans/looks_by_a_clock_ahead.json"),
        "the clock was a day ahead, so that looks ended early: a transfer that came back, of which no event tells, was missed",
    ),
    (
        "looks_of_a_clock_that_was_behind",
        include_str!("plans/looks_of_a_clock_that_was_behind.json"),
        "the same, where the clock had been behind and was set right, and another gateway had told that it is right",
    ),
];

#[test]
fn what_was_mended_stays_mended() {
    let mut broken = Vec::new();
    for (name, text, broke) in KEPT {
        let plan: Plan = serde_json::from_str(text).unwrap_or_else(|error| panic!("{name}: {error}"));
        let failure = quittance_sim::simulate(&plan, false).failure;
        broken.extend(failure.map(|failure| format!("{name}, which once broke because {broke}: {failure:?}")));
    }
    assert!(broken.is_empty(), "{broken:#?}");
}
