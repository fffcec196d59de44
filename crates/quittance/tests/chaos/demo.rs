//! What the demonstration judges by, taken from it as it is: what is gathered here is judged there. Does not own either.

#[path = "../../src/demo/dice.rs"]
pub(crate) mod dice;
#[path = "../../src/demo/evidence.rs"]
pub(crate) mod evidence;
#[path = "../../src/demo/verdict.rs"]
pub(crate) mod verdict;
