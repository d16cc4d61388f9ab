//! What the suites share. A test that fails may panic, and so may what it is made of.

pub mod fuzzing;
pub mod program;
