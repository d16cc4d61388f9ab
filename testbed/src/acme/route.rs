//! Where requests go: the URLs of this server, made and read in one place.

use std::fmt;

/// What a request is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Endpoint {
    /// RFC 8555 §7.1.1.
    Directory,
    /// RFC 8555 §7.2.
    NewNonce,
    /// RFC 8555 §7.3.
    NewAccount,
    /// One account: its contacts, its end (RFC 8555 §7.3.2, §7.3.6).
    Account,
    /// The orders of an account (RFC 8555 §7.1.2.1).
    Orders,
    /// RFC 8555 §7.3.5.
    KeyChange,
    /// RFC 8555 §7.4.
    NewOrder,
    /// An authorization before any order (RFC 8555 §7.4.1).
    NewAuthorization,
    /// One order (RFC 8555 §7.1.3).
    Order,
    /// RFC 8555 §7.5.
    Authorization,
    /// RFC 8555 §7.5.1.
    Challenge,
    /// RFC 8555 §7.4.
    Finalize,
    /// RFC 8555 §7.4.2.
    Certificate,
    /// RFC 8555 §7.6.
    RevokeCertificate,
    /// RFC 9773 §4.
    RenewalInfo,
    /// Nothing that is here.
    Unknown,
}

/// An endpoint with what its path says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Route {
    pub(crate) endpoint: Endpoint,
    pub(crate) first: usize,
    pub(crate) second: usize,
    pub(crate) text: String,
}

impl Route {
    /// Reads a path.
    pub(crate) fn of(path: &str) -> Self {
        let mut parts = path.strip_prefix('/').unwrap_or(path).split('/');
        let name = parts.next().unwrap_or_default();
        let text = parts.next().unwrap_or_default().to_owned();
        let rest: Vec<&str> = parts.collect();
        let number = |text: &str| text.parse::<usize>().ok().filter(|number| number.to_string() == text);
        let (first, second) = (number(&text), rest.last().and_then(|text| number(text)));
        let endpoint = match (name, text.is_empty(), first, rest.as_slice()) {
            ("directory", true, ..) => Endpoint::Directory,
            ("new-nonce", true, ..) => Endpoint::NewNonce,
            ("new-account", true, ..) => Endpoint::NewAccount,
            ("new-order", true, ..) => Endpoint::NewOrder,
            ("new-authorization", true, ..) => Endpoint::NewAuthorization,
            ("key-change", true, ..) => Endpoint::KeyChange,
            ("revoke-certificate", true, ..) => Endpoint::RevokeCertificate,
            ("renewal-info", false, _, []) => Endpoint::RenewalInfo,
            ("account", _, Some(_), []) => Endpoint::Account,
            ("account", _, Some(_), ["orders"]) => Endpoint::Orders,
            // The orders from this one on.
            ("account", _, Some(_), ["orders", _]) if second.is_some() => Endpoint::Orders,
            ("order", _, Some(_), []) => Endpoint::Order,
            ("order", _, Some(_), ["finalize"]) => Endpoint::Finalize,
            ("authorization", _, Some(_), []) => Endpoint::Authorization,
            ("challenge", _, Some(_), [_]) if second.is_some() => Endpoint::Challenge,
            ("certificate", _, Some(_), []) => Endpoint::Certificate,
            ("certificate", _, Some(_), [_]) if second.is_some() => Endpoint::Certificate,
            _ => Endpoint::Unknown,
        };
        Self { endpoint, first: first.unwrap_or_default(), second: second.unwrap_or_default(), text }
    }
}

/// Scheme, host and port of this server; the paths below it.
#[derive(Clone, Debug)]
pub(crate) struct Site(pub(crate) String);

impl Site {
    pub(crate) fn at(&self, path: impl fmt::Display) -> String {
        format!("{}/{path}", self.0)
    }

    pub(crate) fn account(&self, number: usize) -> String {
        self.at(format_args!("account/{number}"))
    }

    pub(crate) fn order(&self, number: usize) -> String {
        self.at(format_args!("order/{number}"))
    }

    pub(crate) fn authorization(&self, number: usize) -> String {
        self.at(format_args!("authorization/{number}"))
    }

    pub(crate) fn challenge(&self, authorization: usize, number: usize) -> String {
        self.at(format_args!("challenge/{authorization}/{number}"))
    }

    pub(crate) fn certificate(&self, number: usize) -> String {
        self.at(format_args!("certificate/{number}"))
    }

    /// The path of one of its own URLs.
    pub(crate) fn path<'a>(&self, url: &'a str) -> Option<&'a str> {
        url.strip_prefix(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_url_that_is_given_out_is_understood() {
        let site = Site("https://127.0.0.1:1".to_owned());
        let urls = [
            (site.at("directory"), Endpoint::Directory),
            (site.account(3), Endpoint::Account),
            (site.at("account/3/orders"), Endpoint::Orders),
            (site.at("account/3/orders/40"), Endpoint::Orders),
            (site.at("new-authorization"), Endpoint::NewAuthorization),
            (site.order(0), Endpoint::Order),
            (site.at("order/0/finalize"), Endpoint::Finalize),
            (site.authorization(1), Endpoint::Authorization),
            (site.challenge(1, 2), Endpoint::Challenge),
            (site.certificate(7), Endpoint::Certificate),
            (site.at("certificate/7/1"), Endpoint::Certificate),
            (site.at("renewal-info/aa.bb"), Endpoint::RenewalInfo),
        ];
        for (url, endpoint) in urls {
            assert_eq!(Route::of(site.path(&url).unwrap()).endpoint, endpoint, "{url}");
        }
        let route = Route::of("/challenge/12/1");
        assert_eq!((route.first, route.second), (12, 1));
    }

    #[test]
    fn one_thing_has_one_url() {
        for path in [
            "/",
            "/order",
            "/order/",
            "/order/01",
            "/order/+1",
            "/order/1/",
            "/order/1/x",
            "/account/1/orders/",
            "/account/1/orders/01",
            "/account/1/7",
            "/directory/1",
            "/../order/1",
        ] {
            assert_eq!(Route::of(path).endpoint, Endpoint::Unknown, "{path}");
        }
    }
}
