//! The contracts: what each client calls its hook with, and when.

mod acme_sh;
mod certbot;
mod dehydrated;
mod lego;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::str::FromStr;

use certwright::{Error, ErrorKind, Result};

use crate::hook::act::{Act, Form};

/// The client that a hook was written for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Contract {
    /// One program for all events, with the event as first argument (dehydrated, `docs/examples/hook.sh`).
    Dehydrated,
    /// `--manual-auth-hook` and `--manual-cleanup-hook`, and `--pre-hook`, `--deploy-hook`, `--post-hook`.
    Certbot,
    /// The DNS provider `exec`, and the hooks of versions 4 and 5.
    Lego,
    /// A reload command, or a file with a function `NAME_deploy`.
    AcmeSh,
}

impl Contract {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Dehydrated, Self::Certbot, Self::Lego, Self::AcmeSh];

    /// The name of the client.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Dehydrated => "dehydrated",
            Self::Certbot => "certbot",
            Self::Lego => "lego",
            Self::AcmeSh => "acme.sh",
        }
    }

    /// The contract of a script, by what it mentions.
    pub(super) fn guess(script: &Path, text: &str) -> Self {
        let mentions = |words: &[&str]| words.iter().any(|word| text.contains(word));
        if mentions(&["deploy_cert", "deploy_challenge", "startup_hook"]) {
            Self::Dehydrated
        } else if mentions(&["CERTBOT_", "RENEWED_"]) {
            Self::Certbot
        } else if mentions(&["LEGO_", "present)", "present\"", "\"present"]) {
            Self::Lego
        } else if acme_sh::has_function(script, text)
            || mentions(&["CERT_FULLCHAIN_PATH", "CERT_KEY_PATH", "Le_Domain"])
        {
            Self::AcmeSh
        } else {
            Self::Dehydrated
        }
    }

    pub(super) fn acts(self, root: &Path, text: &str, script: &Path) -> Result<Vec<Act>> {
        match self {
            Self::Dehydrated => dehydrated::acts(root),
            Self::Certbot => certbot::acts(root, text),
            Self::Lego => lego::acts(root, text),
            Self::AcmeSh => acme_sh::acts(root, acme_sh::has_function(script, text)),
        }
    }

    /// Whether the client could start it at all.
    pub(super) fn accepts(self, script: &Path, text: &str) -> Result<()> {
        let sourced = self == Self::AcmeSh && acme_sh::has_function(script, text);
        let mode = fs::metadata(script).map(|facts| facts.permissions().mode()).unwrap_or_default();
        if sourced || mode & 0o111 != 0 {
            return Ok(());
        }
        let error = Error::new(ErrorKind::InvalidSpec, "the hook is not executable").context("path", script);
        Err(error.hint("run `chmod +x` on it: the client starts it as a program"))
    }
}

impl FromStr for Contract {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let found = Self::ALL.into_iter().find(|contract| contract.word() == text);
        found.ok_or_else(|| {
            let error = Error::new(ErrorKind::InvalidSpec, "there is no contract of this name");
            error.hint("say dehydrated, certbot, lego or acme.sh")
        })
    }
}

/// How a file with a function is called, and how a command line.
const fn form(sourced: bool) -> Form {
    if sourced { Form::Function } else { Form::Shell }
}

/// The names of the certificate that is made up. The domain of RFC 2606.
pub(super) const NAMES: [&str; 2] = ["www.example.org", "example.org"];
/// A token, and the key authorization that goes with it (RFC 8555 §8.1).
const TOKEN: &str = "evaGxfADs6pSRb2LAv9IZf17Dt3juxGJ-PCt92wr-oA";
const AUTHORIZATION: &str = "evaGxfADs6pSRb2LAv9IZf17Dt3juxGJ-PCt92wr-oA.nP1qzpXGymHBrUEepNY9HCsQk7K8KhOypzEt62jcerQ";
/// The value of a TXT record: SHA-256 in base64url.
const TXT: &str = "LoqXcYV8q5ONbJQxbmR7SCTNo3tiAXDfowyjxAjEuX0";
/// The same for another name.
const OTHER_TOKEN: &str = "LoqXcYV8q5ONbJQxbmR7SCTNo3tiAXDfowyjxAjEuX1";
const OTHER_TXT: &str = "q5ONbJQxbmR7SCTNo3tiAXDfowyjxAjEuX0LoqXcYV8";
