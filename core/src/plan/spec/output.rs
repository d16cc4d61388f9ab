//! Which files a program reads: where, what is in them, how they change.

use std::path::PathBuf;

use super::access::AccessWish;
use super::service::KeyRule;
use crate::plan::word::worded;

/// One file that a program reads.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Output {
    /// Where it is: absolute, and outside the root.
    pub path: PathBuf,
    /// How it changes.
    pub strategy: Strategy,
    /// What is in it. An include file ([`Strategy::Pinned`]) holds no part of the set and has [`Form::Fullchain`] here,
    /// which is public.
    pub form: Form,
    /// How it is written.
    pub encoding: Encoding,
    /// Its own access; the lineage's when `None`.
    pub access: Option<AccessWish>,
    /// For [`Strategy::Pinned`]: the text of the include file, with `{generation}` in place of the generation's path.
    pub template: Option<String>,
    /// For [`Encoding::Pkcs12`]: file that holds the pass phrase.
    pub passphrase_file: Option<PathBuf>,
    /// What the program that reads this file insists on.
    pub key_rule: KeyRule,
}

impl Output {
    /// A PEM file with the lineage's access.
    pub fn new(path: impl Into<PathBuf>, strategy: Strategy, form: Form) -> Self {
        Self {
            path: path.into(),
            strategy,
            form,
            encoding: Encoding::Pem,
            access: None,
            template: None,
            passphrase_file: None,
            key_rule: KeyRule::None,
        }
    }
}

worded! {
    /// How an output changes from one generation to the next.
    pub enum Strategy {
        /// A symbolic link at a fixed path outside, set once, that leads through `current/`.
        Link = "link",
        /// A one-line include file that names the generation, replaced by one rename.
        Pinned = "pinned",
        /// A real file at a fixed path, replaced by one rename.
        Replace = "replace",
    }
}

worded! {
    /// What is in a file.
    pub enum Form {
        /// The private key.
        Key = "key",
        /// The end-entity certificate.
        Leaf = "leaf",
        /// Intermediates, leaf side first, without root.
        Chain = "chain",
        /// Leaf and chain.
        Fullchain = "fullchain",
        /// Key, leaf and chain.
        Bundle = "bundle",
    }
}

impl Form {
    /// The name of the file in a generation.
    pub const fn file_name(self) -> &'static str {
        match self {
            Self::Key => "key.pem",
            Self::Leaf => "leaf.pem",
            Self::Chain => "chain.pem",
            Self::Fullchain => "fullchain.pem",
            Self::Bundle => "bundle.pem",
        }
    }

    /// The two forms that it is put together from, when it is.
    pub(crate) const fn pieces(self) -> Option<[Self; 2]> {
        match self {
            Self::Key | Self::Leaf | Self::Chain => None,
            Self::Fullchain => Some([Self::Leaf, Self::Chain]),
            Self::Bundle => Some([Self::Key, Self::Fullchain]),
        }
    }

    /// Whether it holds the private key.
    pub const fn is_secret(self) -> bool {
        matches!(self, Self::Key | Self::Bundle)
    }
}

worded! {
    /// How a file is written.
    #[derive(Default)]
    pub enum Encoding {
        /// Text armour (RFC 7468).
        #[default]
        Pem = "pem",
        /// DER, one object per file.
        Der = "der",
        /// PKCS#12 (RFC 7292), encrypted by PBES2 with AES-256.
        Pkcs12 = "pkcs12",
    }
}
