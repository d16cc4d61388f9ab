//! As much of a DNS client as a challenge needs: look-ups, signed updates, and a look at every authoritative server.

pub(super) mod exchange;
pub(super) mod lookup;
pub(super) mod tsig;
pub(super) mod update;
pub(super) mod visible;
pub(super) mod watch;

use hickory_proto::rr::Name;

use crate::ground::error::{Error, ErrorKind, Public, Result};
use crate::ground::name::Identifier;

/// The record of a `dns-01` challenge (RFC 8555 §8.4): `_acme-challenge` at the name, without `*.` for a wildcard.
pub(super) fn challenge_name(identifier: &Identifier) -> Result<Name> {
    below("_acme-challenge", identifier)
}

/// The record of a `dns-persist-01` challenge (draft-ietf-acme-dns-persist-01, section 4).
pub(super) fn persistent_name(identifier: &Identifier) -> Result<Name> {
    below("_validation-persist", identifier)
}

fn below(label: &str, identifier: &Identifier) -> Result<Name> {
    let (Identifier::Dns(name) | Identifier::Wildcard(name)) = identifier else {
        return Err(Error::new(
            ErrorKind::Unsupported,
            "an address has no record that a challenge could be answered with",
        )
        .context("identifier", identifier)
        .hint("prove addresses by http-01 or tls-alpn-01"));
    };
    parse(&format!("{label}.{name}."))
}

/// A name in its absolute form.
pub(super) fn parse(text: &str) -> Result<Name> {
    let mut name = Name::from_ascii(text).map_err(|source| {
        Error::new(ErrorKind::InvalidSpec, "this is too long for a name in DNS")
            .context("record", Public(text))
            .hint("use a shorter name, or prove it by http-01")
            .source(source)
    })?;
    name.set_fqdn(true);
    Ok(name)
}
