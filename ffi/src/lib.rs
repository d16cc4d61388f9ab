//! The C interface of certwright: the verbs of the library for programs that are not written in Rust.
//!
//! The header `certwright.h` is the manual. This crate only crosses the border: it checks pointers and text, catches panics,
//! and turns errors into objects that C can read. No decision is made here.
//!
//! One file for each noun of the header; four files carry the border itself: `guard` (panics and errors), `handle`
//! (who owns what a pointer points to), `text` (views in and out), `result` (the numbers).
#![expect(non_camel_case_types, reason = "types are named as C names them")]

mod access;
mod callback;
mod cancel;
mod config;
mod error;
mod guard;
mod handle;
mod lifecycle;
mod material;
mod report;
mod result;
mod spec;
mod text;
mod value;
mod version;

pub use access::*;
pub use callback::certwright_destroy;
pub use callback::clock::*;
pub use callback::failure::*;
pub use callback::log::*;
pub use callback::probe::*;
pub use callback::reloader::*;
pub use callback::solver::*;
pub use cancel::*;
pub use config::*;
pub use error::*;
pub use lifecycle::builder::*;
pub use lifecycle::options::*;
pub use lifecycle::verbs::*;
pub use material::*;
pub use report::*;
pub use result::*;
pub use spec::*;
pub use text::*;
pub use value::*;
pub use version::*;
