//! Requests, answers, the lists inside objects, and what a plan reads of any list whatever its times.

mod answers;
mod nested;
mod plans;
mod requests;
