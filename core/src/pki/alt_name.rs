//! The names in a subjectAltName (RFC 5280 §4.2.1.6) as identifiers, as far as they are some.

use std::net::IpAddr;

use x509_parser::extensions::{GeneralName, SubjectAlternativeName};

use super::name;
use crate::ground::name::{DnsName, Identifier};

/// Identifiers in their order, and the other entries as text.
#[derive(Clone, Debug, Default)]
pub(super) struct AltNames {
    pub(super) identifiers: Vec<Identifier>,
    pub(super) others: Vec<String>,
}

impl AltNames {
    pub(super) fn read(extension: &SubjectAlternativeName<'_>) -> Self {
        let mut names = Self::default();
        for entry in &extension.general_names {
            match identifier(entry) {
                Some(identifier) => names.identifiers.push(identifier),
                None => names.others.push(describe(entry)),
            }
        }
        names
    }
}

/// The identifier that an entry is. A name must be one that DNS can hold: an address written as a dNSName is none.
fn identifier(entry: &GeneralName<'_>) -> Option<Identifier> {
    match entry {
        GeneralName::DNSName(text) if text.is_ascii() => match text.strip_prefix("*.") {
            Some(base) => base.parse::<DnsName>().ok().filter(|base| base.parent().is_some()).map(Identifier::Wildcard),
            None => text.parse().ok().map(Identifier::Dns),
        },
        GeneralName::IPAddress(bytes) => address(bytes).map(Identifier::Ip),
        _ => None,
    }
}

fn address(bytes: &[u8]) -> Option<IpAddr> {
    let v4 = <[u8; 4]>::try_from(bytes).ok().map(IpAddr::from);
    v4.or_else(|| <[u8; 16]>::try_from(bytes).ok().map(IpAddr::from))
}

fn describe(entry: &GeneralName<'_>) -> String {
    match entry {
        GeneralName::DNSName(text) => format!("dNSName `{}`", name::escape(text)),
        GeneralName::RFC822Name(text) => format!("rfc822Name `{}`", name::escape(text)),
        GeneralName::URI(text) => format!("URI `{}`", name::escape(text)),
        GeneralName::IPAddress(bytes) => format!("iPAddress of {} bytes", bytes.len()),
        GeneralName::DirectoryName(directory) => format!("directoryName `{}`", name::Name::new(directory.as_raw())),
        GeneralName::OtherName(oid, _) => format!("otherName {}", oid.to_id_string()),
        GeneralName::RegisteredID(oid) => format!("registeredID {}", oid.to_id_string()),
        GeneralName::X400Address(_) => "x400Address".to_owned(),
        GeneralName::EDIPartyName(_) => "ediPartyName".to_owned(),
        GeneralName::Invalid(tag, bytes) => format!("unreadable entry [{}] {}", tag.0, name::hex(bytes)),
    }
}
