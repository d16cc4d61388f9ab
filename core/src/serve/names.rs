//! Which lineages a client may mean by the name that it asks for.

use std::collections::BTreeMap;

use crate::ground::name::Identifier;
use crate::pki::key::KeyAlgorithm;
use crate::plan::spec::Spec;

/// Places of lineages by the names in their wishes. Where several have the same name, those whose keys are quicker to sign
/// with come first.
#[derive(Debug, Default)]
pub(super) struct Names {
    exact: BTreeMap<String, Vec<usize>>,
    below: BTreeMap<String, Vec<usize>>,
    nameless: Vec<usize>,
}

impl Names {
    /// The names of these wishes, by their places.
    pub(super) fn of<'a>(specs: impl IntoIterator<Item = &'a Spec>) -> Self {
        let mut specs: Vec<(usize, &Spec)> = specs.into_iter().enumerate().collect();
        let only = specs.len() == 1;
        specs.sort_by_key(|(_, spec)| is_slow(spec.key));
        let mut names = Self::default();
        for (place, spec) in specs {
            for identifier in spec.identifiers.iter() {
                match identifier {
                    Identifier::Dns(name) => names.exact.entry(name.as_str().to_owned()).or_default().push(place),
                    Identifier::Wildcard(base) => names.below.entry(base.as_str().to_owned()).or_default().push(place),
                    Identifier::Ip(_) => {}
                }
            }
            let has_address = spec.identifiers.iter().any(|identifier| matches!(identifier, Identifier::Ip(_)));
            if only || has_address {
                names.nameless.push(place);
            }
        }
        names
    }

    /// The lineages for a client that asks for this name, or for none as one does that connects to an address.
    pub(super) fn find(&self, name: Option<&str>) -> &[usize] {
        let Some(name) = name else { return &self.nameless };
        let exact = self.exact.get(name);
        let below = || name.split_once('.').and_then(|(_, base)| self.below.get(base));
        exact.or_else(below).map_or(&[], Vec::as_slice)
    }
}

fn is_slow(key: KeyAlgorithm) -> bool {
    matches!(key, KeyAlgorithm::Rsa2048 | KeyAlgorithm::Rsa3072 | KeyAlgorithm::Rsa4096)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ground::name::Sans;

    fn spec(name: &str, identifiers: &[&str]) -> Spec {
        let identifiers = Sans::new(identifiers.iter().map(|name| name.parse().unwrap()).collect()).unwrap();
        Spec::new(name.parse().unwrap(), identifiers)
    }

    #[test]
    fn an_exact_name_wins_over_a_wildcard_and_a_wildcard_is_one_label() {
        let (one, two) = (spec("a", &["*.example.org", "example.org"]), spec("b", &["www.example.org"]));
        let names = Names::of([&one, &two]);
        assert_eq!(names.find(Some("www.example.org")), [1]);
        assert_eq!(names.find(Some("mail.example.org")), [0]);
        assert_eq!(names.find(Some("example.org")), [0]);
        for other in ["a.b.example.org", "example.net", "org", ""] {
            assert!(names.find(Some(other)).is_empty(), "{other}");
        }
    }

    #[test]
    fn a_client_without_a_name_means_the_only_lineage_or_one_with_an_address() {
        let (one, two) = (spec("a", &["a.example"]), spec("b", &["b.example", "192.0.2.1"]));
        assert_eq!(Names::of([&one]).find(None), [0]);
        assert_eq!(Names::of([&one, &two]).find(None), [1]);
        assert!(Names::of([&one, &one]).find(None).is_empty());
    }

    #[test]
    fn of_two_lineages_with_one_name_rsa_comes_last() {
        let (mut one, two) = (spec("a", &["a.example"]), spec("b", &["a.example"]));
        one.key = KeyAlgorithm::Rsa2048;
        assert_eq!(Names::of([&one, &two]).find(Some("a.example")), [1, 0]);
    }
}
