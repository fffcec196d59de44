//! The HTTP API, called through its router on a running engine over the memory store; the gateway is the sandbox.

mod access;
mod app;
mod bad_input;
mod brakes;
mod call;
mod disputes;
mod flow;
mod gate;
mod load;
mod modes;
mod pause;
mod reads;
mod render;
mod review;
mod snapshot;
mod sweeps;
mod webhooks;
