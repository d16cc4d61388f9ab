//! HTTP on the wire: the server, what it answers, and how answers are spoilt on demand.

pub(crate) mod body;
pub(crate) mod distort;
pub(crate) mod reply;
pub(crate) mod server;
pub(crate) mod tap;
pub(crate) mod tls;
