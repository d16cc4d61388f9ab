//! A stand-in for step-ca, in the process of a test: the calls that a client of its own interface makes, with the answers and
//! the refusals of the real one (0.19).
//!
//! It has one provisioner of type JWK and one of type X5C, and remembers tokens and revocations. What it does not have: ACME
//! (the test bed is an ACME server of its own), templates, SSH, CRLs.

mod authority;
mod call;
mod claims;
mod provisioner;
mod server;
mod token;

pub use server::{StepCa, StepSettings};
