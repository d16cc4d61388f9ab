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

mod deploy;
mod ground;
mod issue;
mod pki;
mod place;
mod plan;

pub use deploy::probe::{Observation, Place, Probe, ProbeCallback, Seen};
pub use deploy::reload::{ReloadCallback, ReloadContext, Reloaded, Reloader};
pub use ground::cancel::Cancel;
pub use ground::error::{Aftermath, ContextValue, Error, ErrorKind, Phase, Public, Result, Retry};
pub use ground::id::{Fingerprint, GenerationId, IssuerName, LineageName};
pub use ground::identity::Identity;
pub use ground::name::{DnsName, Identifier, Sans};
pub use ground::secret::SecretBytes;
pub use ground::time::{Clock, ManualClock, Timestamp, Window};
pub use issue::issuer::{Issued, Issuer, RenewalInfo, Request, RevocationReason};
pub use issue::local::LocalCa;
pub use pki::chain::Chain;
pub use pki::csr::Csr;
pub use pki::finding::{Finding, Severity};
pub use pki::inspect::{Input, Inspection, Part, Question, inspect};
pub use pki::key::{KeyAlgorithm, PrivateKey};
pub use pki::leaf::Certificate;
pub use pki::material::Material;
pub use pki::trust::Roots;
pub use place::clock::SystemClock;
pub use place::filesystem::{AclKind, Filesystem, Node, NodeKind, Open, Rename, Space, Stat};
pub use place::os::OsFilesystem;
pub use plan::decide::{Decision, Plan, Standing};
pub use plan::file::{schema, starter_file};
pub use plan::preset::{Preset, Service};
pub use plan::reason::Reason;
pub use plan::spec::{
    AccessWish, AclWish, Address, Command, Config, Encoding, Endpoint, Failover, Form, IssuerSpec, KeyChange, KeyRule,
    LocalIssuer, Output, Principal, Privacy, Reload, Retain, Running, Spec, StartTls, Strategy,
};

/// Who may read a file and why; the smallest access that a wish needs, and its proof.
pub mod access {
    pub use crate::place::access::acl::{Acl, EntryKind, Named, UNMAPPED};
    pub use crate::place::access::drift::{Change, Drift, compare};
    pub use crate::place::access::explain::{PathVerdict, explain};
    pub use crate::place::access::inode::Access;
    pub use crate::place::access::model::{allows, allows_capable};
    pub use crate::place::access::names::{Names, Numbers, Reader};
    pub use crate::place::access::permissions::Permissions;
    pub use crate::place::access::prove::{AccessProof, Evidence, Secrecy, prove};
    pub use crate::place::access::readership::{Grant, Grantee, who_can_read};
    pub use crate::place::access::solve::{directory, public_file, secret_file};
    pub use crate::place::access::trust::trusted;
    pub use crate::place::access::verdict::{Capabilities, Doubt, Rule, Verdict};
    pub use crate::place::access::walk::PathFacts;
}
