//! What tests find around them, used as tests use it. Does not own the tests of what finds it, which are beside the code.

mod postgres;
mod reladiff;
