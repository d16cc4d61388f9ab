//! The order in flight: the URL that the issuer gave it and the key that it is for, in one file that is replaced in one
//! durable step. A run that dies after the order was finalized costs no second one.

use std::ffi::OsStr;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::atomic::{self, found};
use super::filesystem::{Node, Open};
use super::lineage::{LineageDirectory, make_directory};
use crate::ground::error::{Error, ErrorKind, Result};
use crate::ground::id::IssuerName;
use crate::ground::name::{Identifier, Sans};
use crate::ground::secret::SecretBytes;
use crate::pki::key::PrivateKey;

const DIRECTORY: &str = "order";
const NAME: &str = "order.json";
const VERSION: u32 = 1;

/// An order that an issuer works on.
#[derive(Clone, Debug)]
pub(crate) struct Order {
    /// Who was asked.
    pub(crate) issuer: IssuerName,
    /// What for.
    pub(crate) identifiers: Sans,
    /// Where the order is.
    pub(crate) url: String,
    /// The key that the certificate will be for.
    pub(crate) key: PrivateKey,
}

#[derive(Serialize, Deserialize)]
struct Shape {
    version: u32,
    issuer: String,
    identifiers: Vec<String>,
    url: String,
    /// PKCS#8, PEM.
    key: String,
}

impl Drop for Shape {
    fn drop(&mut self) {
        use zeroize::Zeroize as _;
        self.key.zeroize();
    }
}

impl Order {
    pub(crate) fn to_bytes(&self) -> Result<SecretBytes> {
        let bug = |source| Error::new(ErrorKind::Bug, "the order cannot be written as JSON").source(source);
        let shape = Shape {
            version: VERSION,
            issuer: self.issuer.to_string(),
            identifiers: self.identifiers.iter().map(Identifier::to_string).collect(),
            url: self.url.clone(),
            key: String::from_utf8_lossy(self.key.to_pem().expose()).into_owned(),
        };
        // Room for all of it, so that no copy of the key is left behind by a reallocation.
        let names: usize = shape.identifiers.iter().map(|name| name.len() + 4).sum();
        let mut bytes =
            zeroize::Zeroizing::new(Vec::with_capacity(2 * (shape.key.len() + shape.url.len() + names) + 512));
        serde_json::to_writer(&mut *bytes, &shape).map_err(bug)?;
        Ok(bytes.into())
    }

    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let shape: Shape = serde_json::from_slice(bytes).ok().filter(|shape: &Shape| shape.version == VERSION)?;
        let identifiers = shape.identifiers.iter().map(|name| name.parse()).collect::<Result<_>>().ok()?;
        Some(Self {
            issuer: shape.issuer.parse().ok()?,
            identifiers: Sans::new(identifiers).ok()?,
            url: shape.url.clone(),
            key: PrivateKey::from_pem(shape.key.as_bytes()).ok()?,
        })
    }
}

impl LineageDirectory {
    /// The order that an earlier run left in flight. One that cannot be read costs a second order, and no more.
    pub(crate) fn order(&self) -> Result<Option<Order>> {
        let Some(directory) = self.order_directory()? else { return Ok(None) };
        let bytes = self.read(&directory, NAME)?.map(SecretBytes::from);
        Ok(bytes.and_then(|bytes| Order::from_bytes(bytes.expose())))
    }

    /// Keep an order, durably, in the place of any other.
    pub(crate) fn keep_order(&self, order: &Order) -> Result<()> {
        let bytes = order.to_bytes()?;
        make_directory(&*self.fs, &self.node, OsStr::new(DIRECTORY))
            .and_then(|directory| atomic::replace(&*self.fs, &directory, NAME, bytes.expose()))
            .map_err(|source| self.fault("the order in flight cannot be written", DIRECTORY, source))
    }

    /// Forget the order in flight, and its key.
    pub(crate) fn forget_order(&self) -> Result<()> {
        let Some(directory) = self.order_directory()? else { return Ok(()) };
        let fs = &*self.fs;
        let removed = || {
            for name in fs.list(&directory)? {
                fs.remove_file(&directory, &name)?;
            }
            fs.remove_directory(&self.node, OsStr::new(DIRECTORY))?;
            fs.sync(&self.node)
        };
        removed().map_err(|source| self.fault("the order in flight cannot be removed", DIRECTORY, source))
    }

    fn order_directory(&self) -> Result<Option<Node>> {
        found(self.fs.open(Some(&self.node), Path::new(DIRECTORY), Open::Directory))
            .map_err(|source| self.fault("the order in flight cannot be opened", DIRECTORY, source))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pki::key::KeyAlgorithm;

    fn order() -> Order {
        let names = ["a.example", "*.b.example", "192.0.2.1"].map(|name| name.parse().unwrap());
        Order {
            issuer: "public".parse().unwrap(),
            identifiers: Sans::new(names.to_vec()).unwrap(),
            url: "https://ca.example/order/1?x=\"\n".to_owned(),
            key: PrivateKey::generate(KeyAlgorithm::EcdsaP256).unwrap(),
        }
    }

    #[test]
    fn is_read_as_it_was_written() {
        let order = order();
        let read = Order::from_bytes(order.to_bytes().unwrap().expose()).unwrap();
        assert_eq!((&read.issuer, &read.identifiers, &read.url), (&order.issuer, &order.identifiers, &order.url));
        assert_eq!(read.key.public_key_der(), order.key.public_key_der());
    }

    #[test]
    fn what_cannot_be_used_is_no_order() {
        let text = String::from_utf8(order().to_bytes().unwrap().expose().to_vec()).unwrap();
        for (from, to) in [
            ("\"version\":1", "\"version\":2"),
            ("public", "../x"),
            ("a.example", "a..example"),
            ("BEGIN PRIVATE KEY", "BEGIN NOTHING"),
        ] {
            let other = text.replace(from, to);
            assert_ne!(other, text);
            assert!(Order::from_bytes(other.as_bytes()).is_none(), "{from} → {to}");
        }
        for cut in 0..text.len() {
            assert!(Order::from_bytes(&text.as_bytes()[..cut]).is_none());
        }
    }
}
