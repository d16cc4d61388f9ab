//! A number of this machine, so that a fleet does not renew at one moment.

use crate::pki::digest::sha256;

/// From `/etc/machine-id` (machine-id(5)), else from the host name. Only its digest is used, as the manual asks.
pub(crate) fn number() -> u64 {
    #[expect(clippy::disallowed_methods, reason = "the machine's own number is not part of what is placed")]
    let id = std::fs::read("/etc/machine-id").ok().filter(|id| !id.trim_ascii().is_empty());
    let id = id.unwrap_or_else(|| rustix::system::uname().nodename().to_bytes().to_vec());
    let digest = sha256(&[b"certwright", id.trim_ascii()].concat());
    digest.as_bytes().iter().take(8).fold(0, |number, byte| number << 8 | u64::from(*byte))
}
