//! certwright
#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::disallowed_methods,
        reason = "a failing test may panic, and prepares the disk it tests on"
    )
)]
mod ground;
mod pki;
mod place;
mod plan;
pub use ground::cancel::Cancel;
pub use ground::error::{Aftermath, ContextValue, Error, ErrorKind, Phase, Public, Result, Retry};
pub use ground::id::{Fingerprint, GenerationId, IssuerName, LineageName};
pub use ground::identity::Identity;
pub use ground::name::{DnsName, Identifier, Sans};
pub use ground::secret::SecretBytes;
pub use ground::time::{Clock, ManualClock, Timestamp, Window};
pub use place::clock::SystemClock;
pub use place::filesystem::{AclKind, Filesystem, Node, NodeKind, Open, Rename, Space, Stat};
pub use place::os::OsFilesystem;
