//! The managed certificates of one configuration.

pub(crate) mod builder;
pub(crate) mod options;
pub(crate) mod verbs;
