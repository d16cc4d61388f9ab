//! Floor 1: bytes and facts. Keys, certificates, chains and requests, read, written, signed and checked.
//!
//! The only place that names rcgen, x509-parser and webpki, and ring but for the TLS client's provider. Pure: no I/O, no
//! clock; whoever asks whether something is valid says when.

pub(crate) mod acme_identifier;
mod algorithm;
mod alt_name;
pub(crate) mod authority;
pub(crate) mod chain;
pub(crate) mod check;
mod constraints;
pub(crate) mod csr;
mod der;
pub(crate) mod digest;
mod facts;
pub(crate) mod finding;
#[cfg(test)]
pub(crate) mod forge;
pub(crate) mod inspect;
#[cfg(feature = "step-ca")]
pub(crate) mod jwe;
#[cfg(feature = "https")]
pub(crate) mod jwk;
#[cfg(feature = "https")]
pub(crate) mod jws;
pub(crate) mod key;
mod key_form;
pub(crate) mod leaf;
mod lint;
pub(crate) mod material;
mod name;
mod pem;
pub(crate) mod pkcs12;
mod sign;
mod signed;
pub(crate) mod trust;
