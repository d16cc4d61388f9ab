//! Floor 1: bytes and facts. Keys, certificates, chains and requests, read, written, signed and checked.
//!
//! The only place that names rcgen, x509-parser and webpki, and ring but for the TLS client's provider. Pure: no I/O, no
//! clock; whoever asks whether something is valid says when.

mod algorithm;
pub(crate) mod chain;
mod der;
pub(crate) mod digest;
pub(crate) mod key;
mod key_form;
pub(crate) mod leaf;
pub(crate) mod material;
mod name;
mod pem;
mod sign;
