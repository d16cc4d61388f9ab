//! Values that a wish is made of, as numbers.

use certwright::{Encoding, Form, KeyAlgorithm, StartTls, Strategy};

use crate::guard::Failure;

const NO_NUMBER: &str = "the enumeration has no such number";

/// The algorithm of a key.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum certwright_key_algorithm {
    /// ECDSA on P-256 (the default).
    EcdsaP256 = 0,
    /// ECDSA on P-384.
    EcdsaP384 = 1,
    /// Ed25519.
    Ed25519 = 2,
    /// RSA, 2048 bits.
    Rsa2048 = 3,
    /// RSA, 3072 bits.
    Rsa3072 = 4,
    /// RSA, 4096 bits.
    Rsa4096 = 5,
}

impl certwright_key_algorithm {
    pub(crate) fn meant(argument: &'static str, number: u32) -> Result<KeyAlgorithm, Failure> {
        Ok(match number {
            0 => KeyAlgorithm::EcdsaP256,
            1 => KeyAlgorithm::EcdsaP384,
            2 => KeyAlgorithm::Ed25519,
            3 => KeyAlgorithm::Rsa2048,
            4 => KeyAlgorithm::Rsa3072,
            5 => KeyAlgorithm::Rsa4096,
            _ => return Err(Failure::argument(argument, NO_NUMBER)),
        })
    }
}

/// How an output changes from one generation to the next.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum certwright_strategy {
    /// A symbolic link at a fixed path outside, set once, that leads through `current/`.
    Link = 0,
    /// A one-line include file that names the generation, replaced by one rename.
    Pinned = 1,
    /// A real file at a fixed path, replaced by one rename.
    Replace = 2,
}

impl certwright_strategy {
    pub(crate) fn meant(argument: &'static str, number: u32) -> Result<Strategy, Failure> {
        Ok(match number {
            0 => Strategy::Link,
            1 => Strategy::Pinned,
            2 => Strategy::Replace,
            _ => return Err(Failure::argument(argument, NO_NUMBER)),
        })
    }
}

/// What is in a file.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum certwright_form {
    /// The private key.
    Key = 0,
    /// The end-entity certificate.
    Leaf = 1,
    /// Intermediates, leaf side first, without root.
    Chain = 2,
    /// Leaf and chain.
    Fullchain = 3,
    /// Key, leaf and chain.
    Bundle = 4,
}

impl certwright_form {
    pub(crate) fn meant(argument: &'static str, number: u32) -> Result<Form, Failure> {
        Ok(match number {
            0 => Form::Key,
            1 => Form::Leaf,
            2 => Form::Chain,
            3 => Form::Fullchain,
            4 => Form::Bundle,
            _ => return Err(Failure::argument(argument, NO_NUMBER)),
        })
    }
}

/// How a file is written.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum certwright_encoding {
    /// Text armour (RFC 7468).
    Pem = 0,
    /// DER, one object in a file.
    Der = 1,
    /// PKCS#12 (RFC 7292).
    Pkcs12 = 2,
}

impl certwright_encoding {
    pub(crate) fn meant(argument: &'static str, number: u32) -> Result<Encoding, Failure> {
        Ok(match number {
            0 => Encoding::Pem,
            1 => Encoding::Der,
            2 => Encoding::Pkcs12,
            _ => return Err(Failure::argument(argument, NO_NUMBER)),
        })
    }
}

/// A dialect that upgrades a plain connection to TLS.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum certwright_starttls {
    /// None: TLS from the first byte.
    None = 0,
    /// SMTP `STARTTLS` (RFC 3207).
    Smtp = 1,
    /// IMAP `STARTTLS` (RFC 9051 §6.2.1).
    Imap = 2,
    /// POP3 `STLS` (RFC 2595 §4).
    Pop3 = 3,
    /// PostgreSQL `SSLRequest`.
    Postgres = 4,
}

impl certwright_starttls {
    pub(crate) fn meant(number: u32) -> Result<Option<StartTls>, Failure> {
        Ok(match number {
            0 => None,
            1 => Some(StartTls::Smtp),
            2 => Some(StartTls::Imap),
            3 => Some(StartTls::Pop3),
            4 => Some(StartTls::Postgres),
            _ => return Err(Failure::argument("starttls", NO_NUMBER)),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whatever the library has, C can say, and by one number each.
    #[test]
    fn every_value_has_a_number() {
        macro_rules! reached {
            ($($of:ident by $name:ident),+) => {$(
                let reached: Vec<_> = (0..100).filter_map(|number| $name::meant("", number).ok()).collect();
                assert_eq!(reached.len(), $of::ALL.len());
                assert!($of::ALL.iter().all(|value| reached.contains(value)), "{reached:?}");
            )+};
        }
        reached!(
            KeyAlgorithm by certwright_key_algorithm,
            Strategy by certwright_strategy,
            Form by certwright_form,
            Encoding by certwright_encoding
        );
        let dialects: Vec<_> = (0..100).filter_map(|number| certwright_starttls::meant(number).ok()?).collect();
        assert_eq!(dialects, StartTls::ALL);
    }
}
