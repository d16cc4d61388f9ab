//! Floor 3: the only place that touches the disk.

pub mod filesystem;
