//! Integration tests of the simulation: the same seed is the same world, what was mended stays so, and the auditor sees
//! what is wrong.

mod asked;
mod auditor;
mod batch;
mod crash_points;
mod determinism;
mod edges;
mod forged;
mod matrix;
mod regressions;
