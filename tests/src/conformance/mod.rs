//! One suite per seam, run over every implementation of it.

pub mod filesystem;
pub mod solver;
