//! An ACME server by somebody else, acme2certifier 0.46.3, which suggests when to renew (RFC 9773).
//!
//! It takes no notice of `replaces` in an order (RFC 9773 §5): the word is nowhere in its source, so that it can neither
//! refuse nor confirm one. That a renewal sends it is read in the list of what was asked; what comes of a refusal is tried
//! against the test bed (the suite `hostile_ca`). It takes no account without a contact, whatever RFC 8555 §7.3 says.
//!
//! It looks for answers at port 80 of where the system's resolver says a name is. The tests run in a network and under a
//! resolv.conf(5) of their own, and need root.

#[path = "foreign_ca/as_root.rs"]
mod as_root;
