//! Where zones begin. There is no zone data to look at: every name is in some zone, and which one has to be what clients
//! expect that walk from a name towards the root until a SOA record answers them.

use hickory_proto::rr::Name;

use crate::dns::name;

/// The apex of the zone that a name is in, where nothing else was said: the domain that somebody could have registered, by
/// the public suffix list; the suffix itself above that.
pub(crate) fn registered(of: &Name) -> Name {
    // `_acme-challenge` and its like are never registered.
    let service = of.iter().take_while(|label| label.first() == Some(&b'_')).count();
    let mut bare = of.clone();
    for _ in 0..service {
        bare = bare.base_name();
    }
    let text = name::text(&bare.to_lowercase());
    let labels = psl::domain_str(&text).map_or_else(|| bare.iter().count(), |domain| domain.split('.').count());
    // The list's labels have no dots in them, however a label of ours is written.
    bare.trim_to(labels)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zone_begins_where_a_domain_can_be_registered() {
        for (name, apex) in [
            ("_acme-challenge.www.example.com", "example.com"),
            ("example.com", "example.com"),
            ("EXAMPLE.com", "EXAMPLE.com"),
            ("a.b.example.co.uk", "example.co.uk"),
            ("co.uk", "co.uk"),
            ("com", "com"),
            ("_acme-challenge.localhost", "localhost"),
            ("_acme-challenge._x.a.corp.internal", "corp.internal"),
            ("1.0.0.127.in-addr.arpa", "127.in-addr.arpa"),
            ("me.github.io", "me.github.io"),
            (".", "."),
        ] {
            let read = name::parse(name, None).unwrap();
            assert_eq!(name::text(&registered(&read)), apex, "{name}");
        }
    }
}
