//! The HTTP API, called through its router on a running engine over the memory store; the gateway is the sandbox.

mod access;
mod app;
mod bad_input;
mod brakes;
mod call;
mod captures;
mod commands;
mod disputes;
mod event_log;
mod flow;
mod gate;
mod ledger;
mod load;
mod modes;
mod pause;
mod reads;
mod refund_reads;
mod refunds;
mod render;
mod review;
mod shop;
mod snapshot;
mod sweeps;
mod three_d_secure;
mod unknowns;
mod webhooks;
