//! C12 to C16: what happens to a database, its keys, its people and its clocks.
