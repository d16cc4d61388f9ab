//! Name constraints (RFC 5280 §4.2.1.10): for which names a CA may issue.

use std::net::IpAddr;

use rcgen::{CidrSubnet, GeneralSubtree, NameConstraints as Wish};

use super::der::{self, Element, Reader, SEQUENCE};
use super::leaf::Certificate;
use super::name::Name;
use crate::ground::name::{DnsName, Identifier};

pub(super) const RFC822_NAME: u8 = 0x81;
pub(super) const DNS_NAME: u8 = 0x82;
pub(super) const DIRECTORY_NAME: u8 = 0xa4;
pub(super) const URI: u8 = 0x86;
pub(super) const IP_ADDRESS: u8 = 0x87;

/// The constraints of one CA certificate.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Constraints {
    pub(super) permitted: Vec<Subtree>,
    pub(super) excluded: Vec<Subtree>,
}

/// A subtree of one form of name: the context tag of its GeneralName, and the content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Subtree {
    pub(super) tag: u8,
    pub(super) base: Vec<u8>,
}

impl Constraints {
    /// The constraints in a certificate; none when there is no such extension. One that cannot be read permits nothing.
    pub(super) fn of(certificate: &Certificate) -> Self {
        match certificate.name_constraints() {
            Some(value) => Self::read(value).unwrap_or_else(Self::nothing),
            None => Self::default(),
        }
    }

    /// From the value of the extension.
    pub(super) fn read(value: &[u8]) -> Option<Self> {
        let mut parts = Reader::new(der::only(value, SEQUENCE)?);
        let permitted = parts.optional(der::context(0)).map_or(Some(Vec::new()), subtrees)?;
        let excluded = parts.optional(der::context(1)).map_or(Some(Vec::new()), subtrees)?;
        parts.is_empty().then_some(Self { permitted, excluded })
    }

    /// Constraints that nothing satisfies: every name and address is below an excluded subtree.
    fn nothing() -> Self {
        let tree = |tag, base: &[u8]| Subtree { tag, base: base.to_vec() };
        let excluded = vec![
            tree(DNS_NAME, b""),
            tree(IP_ADDRESS, &[0; 8]),
            tree(IP_ADDRESS, &[0; 32]),
            tree(DIRECTORY_NAME, &[SEQUENCE, 0]),
        ];
        Self { permitted: Vec::new(), excluded }
    }

    /// How many subtrees there are.
    pub(super) fn len(&self) -> usize {
        self.permitted.len() + self.excluded.len()
    }

    /// The DNS names that are permitted, when only some are.
    pub(super) fn permitted_names(&self) -> Vec<String> {
        let names = self.permitted.iter().filter(|tree| tree.tag == DNS_NAME);
        names.map(|tree| String::from_utf8_lossy(&tree.base).into_owned()).collect()
    }

    /// Whether a certificate below may be for this identifier.
    pub(super) fn permit(&self, identifier: &Identifier) -> bool {
        match identifier {
            Identifier::Dns(_) | Identifier::Wildcard(_) => {
                self.permit_name(DNS_NAME, identifier.to_string().as_bytes())
            }
            Identifier::Ip(IpAddr::V4(address)) => self.permit_name(IP_ADDRESS, &address.octets()),
            Identifier::Ip(IpAddr::V6(address)) => self.permit_name(IP_ADDRESS, &address.octets()),
        }
    }

    /// The same for a GeneralName of any form, by its context tag and content. A form that cannot be compared is not
    /// permitted where there is a constraint on it: "either process the constraint or reject the certificate".
    pub(super) fn permit_name(&self, tag: u8, content: &[u8]) -> bool {
        let mut same = self.permitted.iter().filter(|tree| tree.tag == tag).peekable();
        let excluded = self.excluded.iter().filter(|tree| tree.tag == tag).any(|tree| tree.touches(content));
        let permitted = same.peek().is_none() || same.any(|tree| tree.contains(content));
        !excluded && permitted
    }
}

impl Subtree {
    /// Whether a name of the same form lies inside.
    fn contains(&self, content: &[u8]) -> bool {
        match self.tag {
            DNS_NAME => is_below(&lower(content), &lower(&self.base)),
            IP_ADDRESS => in_network(&self.base, content),
            RFC822_NAME => mailbox_matches(content, &self.base),
            URI => uri_host(content).is_some_and(|host| host_matches(&host, &lower(&self.base))),
            DIRECTORY_NAME => Name::new(content).is_below(Name::new(&self.base)),
            _ => false,
        }
    }

    /// Whether a name of the same form lies inside, or might stand for one that does, or cannot be compared.
    fn touches(&self, content: &[u8]) -> bool {
        let known = matches!(self.tag, DNS_NAME | IP_ADDRESS | RFC822_NAME | URI | DIRECTORY_NAME);
        !known || self.contains(content) || (self.tag == DNS_NAME && self.reached_by_wildcard(content))
    }

    /// A wildcard stands for names one label longer, which an excluded subtree may forbid.
    fn reached_by_wildcard(&self, content: &[u8]) -> bool {
        let (tree, name) = (lower(&self.base), lower(content));
        let label = name.strip_prefix('*').and_then(|rest| tree.strip_suffix(rest));
        label.is_some_and(|label| !label.is_empty() && !label.contains('.'))
    }
}

fn subtrees(content: &[u8]) -> Option<Vec<Subtree>> {
    let mut list = Reader::new(content);
    let mut trees = Vec::new();
    while !list.is_empty() {
        let mut tree = Reader::new(list.expect(SEQUENCE)?);
        let Element { tag, content, .. } = tree.element()?;
        // "minimum MUST be zero, and maximum MUST be absent", and zero is the default, which is not written.
        if !tree.is_empty() {
            return None;
        }
        trees.push(Subtree { tag, base: content.to_vec() });
    }
    Some(trees)
}

fn lower(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).to_ascii_lowercase()
}

/// "Any DNS name that can be constructed by simply adding zero or more labels to the left-hand side of the name". A leading
/// dot, which others write, asks for at least one label.
fn is_below(name: &str, tree: &str) -> bool {
    match name.strip_suffix(tree) {
        Some("") => true,
        Some(left) => tree.is_empty() || tree.starts_with('.') || left.ends_with('.'),
        None => false,
    }
}

/// Network and mask, each as long as the address.
fn in_network(network: &[u8], address: &[u8]) -> bool {
    let Some((base, mask)) = network.split_at_checked(address.len()) else { return false };
    let same = |((octet, base), mask): ((&u8, &u8), &u8)| (octet ^ base) & mask == 0;
    mask.len() == address.len() && address.iter().zip(base).zip(mask).all(same)
}

/// "A particular mailbox, all addresses at a particular host, or all mailboxes in a domain."
fn mailbox_matches(mailbox: &[u8], tree: &[u8]) -> bool {
    let (mailbox, tree) = (String::from_utf8_lossy(mailbox), String::from_utf8_lossy(tree));
    let Some((local, host)) = mailbox.rsplit_once('@') else { return false };
    match tree.rsplit_once('@') {
        Some((wanted, at)) => local == wanted && host.eq_ignore_ascii_case(at),
        None => host_matches(&host.to_ascii_lowercase(), &tree.to_ascii_lowercase()),
    }
}

/// A host, or with a leading dot everything below one.
fn host_matches(host: &str, tree: &str) -> bool {
    if tree.starts_with('.') { host.ends_with(tree) } else { host == tree }
}

fn uri_host(uri: &[u8]) -> Option<String> {
    let uri = std::str::from_utf8(uri).ok()?;
    let authority = uri.split_once("://")?.1.split(['/', '?', '#']).next()?;
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let host = host.rsplit_once(':').map_or(host, |(host, _)| host);
    (!host.is_empty()).then(|| host.to_ascii_lowercase())
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
    use crate::pki::forge;

    fn trees(tag: u8, bases: &[&[u8]]) -> Vec<Subtree> {
        bases.iter().map(|base| Subtree { tag, base: base.to_vec() }).collect()
    }

    fn permits(constraints: &Constraints, name: &str) -> bool {
        constraints.permit(&name.parse().unwrap())
    }

    #[test]
    fn names_below_a_subtree() {
        let below = Constraints {
            permitted: trees(DNS_NAME, &[b"Example.org"]),
            excluded: trees(DNS_NAME, &[b"secret.example.org"]),
        };
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
        let network = [0xc0, 0, 2, 0, 0xff, 0xff, 0xff, 0];
        let inside = Constraints { permitted: trees(IP_ADDRESS, &[&network]), excluded: Vec::new() };
        assert!(permits(&inside, "192.0.2.200") && permits(&inside, "any.example"));
        assert!(!permits(&inside, "192.0.3.1") && !permits(&inside, "2001:db8::1"));
    }

    #[test]
    fn mailboxes_hosts_and_domains() {
        for (tree, mailbox, inside) in [
            ("root@example.org", "root@EXAMPLE.org", true),
            ("root@example.org", "Root@example.org", false),
            ("example.org", "a@example.org", true),
            ("example.org", "a@mail.example.org", false),
            (".example.org", "a@mail.example.org", true),
            (".example.org", "a@example.org", false),
        ] {
            let only = Constraints { permitted: trees(RFC822_NAME, &[tree.as_bytes()]), excluded: Vec::new() };
            assert_eq!(only.permit_name(RFC822_NAME, mailbox.as_bytes()), inside, "{tree} {mailbox}");
        }
        let only = Constraints { permitted: trees(URI, &[b".example.org"]), excluded: Vec::new() };
        assert!(only.permit_name(URI, b"https://u@www.example.org:443/x"));
        assert!(!only.permit_name(URI, b"https://example.com/.example.org"));
    }

    #[test]
    fn directory_names_and_forms_that_cannot_be_compared() {
        let organization = forge::name(&[(10, "Lab")]);
        let only = Constraints { permitted: trees(DIRECTORY_NAME, &[&organization]), excluded: Vec::new() };
        assert!(only.permit_name(DIRECTORY_NAME, &forge::name(&[(10, "LAB"), (3, "x")])));
        assert!(!only.permit_name(DIRECTORY_NAME, &forge::name(&[(10, "Other"), (3, "x")])));
        let other = Constraints { permitted: Vec::new(), excluded: trees(0xa0, &[b"x"]) };
        assert!(!other.permit_name(0xa0, b"y") && other.permit_name(DNS_NAME, b"a.example"));
    }

    #[test]
    fn what_cannot_be_read_permits_nothing() {
        // A GeneralSubtree with a minimum of 1.
        let minimum = [&[0x30, 18, 0xa0, 16, 0x30, 14, 0x82, 9][..], b"b.example", &[0x80, 1, 1]].concat();
        assert_eq!(Constraints::read(&minimum), None);
        assert_eq!(Constraints::read(&[0x30, 0]), Some(Constraints::default()));
    }
}
