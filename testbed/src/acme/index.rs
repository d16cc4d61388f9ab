//! What is looked up often, found without a search.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use certwright::{Certificate, Identifier};

use crate::acme::authorization::{Authorization, Span, Status};
use crate::acme::certificate::Certified;
use crate::acme::jwk::Jwk;
use crate::acme::world::World;

/// Numbers of things, by what they are looked up by. Everything here follows from the lists of the [`World`].
#[derive(Debug, Default)]
pub(crate) struct Index {
    /// Accounts by the thumbprints of their keys.
    accounts: HashMap<String, usize>,
    /// External accounts that have an account.
    bound: BTreeSet<String>,
    /// Authorizations that were valid once, by what they allow.
    valid: BTreeMap<(usize, Identifier, Span), Vec<usize>>,
    /// Certificates by serial number.
    certificates: HashMap<String, usize>,
    /// Orders by the id of the certificate that they take the place of.
    replacing: HashMap<String, Vec<usize>>,
    /// The sets of identifiers that there are certificates for.
    sets: BTreeSet<Vec<Identifier>>,
}

impl Index {
    pub(crate) fn account(&self, key: &Jwk) -> Option<usize> {
        self.accounts.get(key.thumbprint()).copied()
    }

    pub(crate) fn add_account(&mut self, key: &Jwk, number: usize) {
        self.accounts.insert(key.thumbprint().to_owned(), number);
    }

    pub(crate) fn change_key(&mut self, old: &Jwk, new: &Jwk, number: usize) {
        self.accounts.remove(old.thumbprint());
        self.add_account(new, number);
    }

    pub(crate) fn is_bound(&self, external: &str) -> bool {
        self.bound.contains(external)
    }

    pub(crate) fn bind(&mut self, external: &str) {
        self.bound.insert(external.to_owned());
    }

    pub(crate) fn add_valid(&mut self, authorization: &Authorization, number: usize) {
        let Authorization { account, identifier, span, .. } = authorization;
        self.valid.entry((*account, identifier.clone(), *span)).or_default().push(number);
    }

    pub(crate) fn add_certificate(&mut self, leaf: &Certificate, number: usize) {
        self.certificates.insert(leaf.serial(), number);
        self.sets.insert(sorted(leaf.identifiers()));
    }

    pub(crate) fn certificate(&self, serial: &str) -> Option<usize> {
        self.certificates.get(serial).copied()
    }

    pub(crate) fn add_replacing(&mut self, id: &str, order: usize) {
        self.replacing.entry(id.to_owned()).or_default().push(order);
    }

    pub(crate) fn replacing(&self, id: &str) -> &[usize] {
        self.replacing.get(id).map_or(&[], Vec::as_slice)
    }

    /// Whether there was a certificate for exactly these.
    pub(crate) fn was_issued(&self, identifiers: &[Identifier]) -> bool {
        self.sets.contains(&sorted(identifiers))
    }
}

impl World {
    /// An authorization that is valid now: the newest. What is so no longer is forgotten on the way.
    pub(crate) fn valid_authorization(
        &mut self,
        account: usize,
        identifier: &Identifier,
        span: Span,
        wanted: impl Fn(&Authorization) -> bool,
    ) -> Option<usize> {
        let now = self.now();
        let numbers = self.index.valid.get_mut(&(account, identifier.clone(), span))?;
        let authorizations = &self.authorizations;
        let at = |number: &usize| authorizations.get(*number);
        numbers.retain(|number| at(number).is_some_and(|have| have.status_at(now) == Status::Valid));
        numbers.iter().rev().find(|number| at(number).is_some_and(&wanted)).copied()
    }

    /// The certificate with these bytes.
    pub(crate) fn certificate_of(&self, der: &[u8]) -> Option<usize> {
        let leaf = Certificate::from_der(der).ok()?;
        let number = self.index.certificate(&leaf.serial())?;
        self.certificates.get(number).filter(|certified| certified.leaf.der() == der).map(|_| number)
    }

    /// Builds it anew from the lists.
    pub(crate) fn reindex(&mut self) {
        let mut index = Index::default();
        for (number, account) in self.accounts.iter().enumerate() {
            index.add_account(&account.key, number);
            account.bound_to.iter().for_each(|external| index.bind(external));
        }
        for (number, authorization) in self.authorizations.iter().enumerate() {
            if authorization.status == Status::Valid {
                index.add_valid(authorization, number);
            }
        }
        for (number, Certified { leaf, .. }) in self.certificates.iter().enumerate() {
            index.add_certificate(leaf, number);
        }
        for (number, order) in self.orders.iter().enumerate() {
            if let Some(id) = &order.replaces {
                index.add_replacing(id, number);
            }
            if let Some(account) = self.accounts.get_mut(order.account) {
                account.orders.push(number);
            }
        }
        self.index = index;
    }
}

/// Two orders for the same names are for the same set, whatever their order.
pub(crate) fn sorted(identifiers: &[Identifier]) -> Vec<Identifier> {
    let mut sorted = identifiers.to_vec();
    sorted.sort();
    sorted
}
