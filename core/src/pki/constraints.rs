//! Name constraints (RFC 5280 §4.2.1.10): which names a CA may issue for.

use std::net::IpAddr;

use rcgen::{CidrSubnet, GeneralSubtree, NameConstraints as Wish};
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::{GeneralName, ParsedExtension};
use x509_parser::prelude::FromDer;

use super::leaf::Certificate;
use crate::ground::name::{DnsName, Identifier};

/// The constraints of one CA certificate, for DNS names and addresses.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Constraints {
    permitted: Subtrees,
    excluded: Subtrees,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Subtrees {
    names: Vec<String>,
    /// Address and mask, 8 or 32 bytes.
    networks: Vec<Vec<u8>>,
}

impl Constraints {
    /// The constraints in a certificate; none when there is no such extension. One that cannot be read permits nothing.
    pub(super) fn of(certificate: &Certificate) -> Self {
        let Ok((_, parsed)) = X509Certificate::from_der(certificate.der()) else { return Self::nothing() };
        let mut extensions = parsed.extensions().iter();
        let Some(found) =
            extensions.find(|extension| extension.oid == x509_parser::oid_registry::OID_X509_EXT_NAME_CONSTRAINTS)
        else {
            return Self::default();
        };
        let ParsedExtension::NameConstraints(read) = found.parsed_extension() else { return Self::nothing() };
        let subtrees = |list: &Option<Vec<x509_parser::extensions::GeneralSubtree<'_>>>| {
            let mut subtrees = Subtrees::default();
            for tree in list.iter().flatten() {
                match &tree.base {
                    GeneralName::DNSName(name) => subtrees.names.push(name.to_ascii_lowercase()),
                    GeneralName::IPAddress(network) => subtrees.networks.push(network.to_vec()),
                    _ => {}
                }
            }
            subtrees
        };
        Self { permitted: subtrees(&read.permitted_subtrees), excluded: subtrees(&read.excluded_subtrees) }
    }

    /// Constraints that nothing satisfies: every name and address is below an excluded subtree.
    fn nothing() -> Self {
        let everything = Subtrees { names: vec![String::new()], networks: vec![vec![0; 8], vec![0; 32]] };
        Self { permitted: Subtrees::default(), excluded: everything }
    }

    /// The names that are permitted, when only some are.
    pub(super) fn permitted_names(&self) -> &[String] {
        &self.permitted.names
    }

    /// Whether a certificate below may be for this identifier.
    pub(super) fn permit(&self, identifier: &Identifier) -> bool {
        match identifier {
            Identifier::Dns(name) => self.permit_name(name.as_str()),
            Identifier::Wildcard(base) => {
                // A wildcard reaches names that an excluded subtree one label further down forbids.
                let reaches = |tree: &String| {
                    let label = tree.strip_suffix(base.as_str()).and_then(|left| left.strip_suffix('.'));
                    label.is_some_and(|label| !label.contains('.'))
                };
                self.permit_name(&identifier.to_string()) && !self.excluded.names.iter().any(reaches)
            }
            Identifier::Ip(address) => {
                let inside = |networks: &[Vec<u8>]| networks.iter().any(|network| contains(network, *address));
                !inside(&self.excluded.networks)
                    && (self.permitted.networks.is_empty() || inside(&self.permitted.networks))
            }
        }
    }

    /// The same for text that may be a DNS name, such as a common name.
    pub(super) fn permit_name(&self, name: &str) -> bool {
        let below = |trees: &[String]| trees.iter().any(|tree| is_below(name, tree));
        !below(&self.excluded.names) && (self.permitted.names.is_empty() || below(&self.permitted.names))
    }
}

/// "Any DNS name that can be constructed by simply adding zero or more labels to the left-hand side of the name"
/// (RFC 5280 §4.2.1.10). A leading dot, which others write, asks for at least one label.
fn is_below(name: &str, tree: &str) -> bool {
    match name.strip_suffix(tree) {
        Some("") => true,
        Some(left) => tree.is_empty() || tree.starts_with('.') || left.ends_with('.'),
        None => false,
    }
}

fn contains(network: &[u8], address: IpAddr) -> bool {
    let octets = match address {
        IpAddr::V4(v4) => v4.octets().to_vec(),
        IpAddr::V6(v6) => v6.octets().to_vec(),
    };
    let Some((base, mask)) = network.split_at_checked(octets.len()) else { return false };
    mask.len() == octets.len()
        && octets.iter().zip(base).zip(mask).all(|((octet, base), mask)| (octet ^ base) & mask == 0)
}

/// Constraints that permit names at and below these and no address; `None` when there is no name.
pub(super) fn only_below(names: &[DnsName]) -> Option<Wish> {
    let subtree = |name: &DnsName| GeneralSubtree::DnsName(name.as_str().to_owned());
    (!names.is_empty()).then(|| Wish {
        permitted_subtrees: names.iter().map(subtree).collect(),
        // A constraint on names says nothing about addresses, so these have to be shut out on their own.
        excluded_subtrees: vec![
            GeneralSubtree::IpAddress(CidrSubnet::V4([0; 4], [0; 4])),
            GeneralSubtree::IpAddress(CidrSubnet::V6([0; 16], [0; 16])),
        ],
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn constraints(permitted: &[&str], excluded: &[&str]) -> Constraints {
        let trees = |names: &[&str]| Subtrees {
            names: names.iter().map(|name| (*name).to_owned()).collect(),
            ..Default::default()
        };
        Constraints { permitted: trees(permitted), excluded: trees(excluded) }
    }

    fn permits(constraints: &Constraints, name: &str) -> bool {
        constraints.permit(&name.parse().unwrap())
    }

    #[test]
    fn names_below_a_subtree() {
        let below = constraints(&["example.org"], &["secret.example.org"]);
        for name in ["example.org", "a.example.org", "a.b.example.org", "*.a.example.org"] {
            assert!(permits(&below, name), "{name}");
        }
        for name in
            ["example.com", "badexample.org", "org", "secret.example.org", "a.secret.example.org", "*.example.org"]
        {
            assert!(!permits(&below, name), "{name}");
        }
        assert!(permits(&below, "192.0.2.1"));
        assert!(!permits(&Constraints::nothing(), "a.example") && !permits(&Constraints::nothing(), "::1"));
        assert!(permits(&Constraints::default(), "a.example") && permits(&Constraints::default(), "::1"));
    }

    #[test]
    fn addresses_inside_a_network() {
        // "192.0.2.0/24 (mask 255.255.255.0) ... C0 00 02 00 FF FF FF 00" (RFC 5280 §4.2.1.10).
        let network = vec![0xc0, 0, 2, 0, 0xff, 0xff, 0xff, 0];
        let inside =
            Constraints { permitted: Subtrees { networks: vec![network], ..Default::default() }, ..Default::default() };
        assert!(permits(&inside, "192.0.2.200") && permits(&inside, "any.example"));
        assert!(!permits(&inside, "192.0.3.1") && !permits(&inside, "2001:db8::1"));
    }
}
