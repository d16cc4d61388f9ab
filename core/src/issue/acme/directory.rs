//! The directory of an authority (RFC 8555 §7.1.1): where everything else is.

use serde_json::Value;

use crate::ground::error::{Error, ErrorKind, Public, Result};

/// What the directory says. Every URL in it is compared with the directory's own host when it is used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Directory {
    pub(super) new_nonce: String,
    pub(super) new_account: String,
    pub(super) key_change: Option<String>,
    pub(super) revoke: Option<String>,
    pub(super) renewal_info: Option<String>,
    /// The URL of the terms of service.
    pub(super) terms: Option<String>,
    /// The names of the profiles that can be asked for; `None` where there are none.
    pub(super) profiles: Option<Vec<String>>,
    pub(super) binding: Binding,
}

/// Whether an account has to be bound to one elsewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Binding {
    Required,
    Optional,
}

impl Directory {
    /// Read it.
    ///
    /// # Errors
    ///
    /// `Protocol` when it is no directory.
    pub(super) fn read(body: &[u8], url: &str) -> Result<Self> {
        let fault = || {
            Error::new(ErrorKind::Protocol, "this is no directory of an ACME server")
                .context("url", Public(url))
                .hint("check `directory`: the authority publishes its URL, which often ends with `/directory`")
        };
        let value: Value = serde_json::from_slice(body).map_err(|source| fault().source(source))?;
        let text = |name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
        let meta = value.get("meta");
        let profiles = meta.and_then(|meta| meta.get("profiles")).and_then(Value::as_object);
        let required = meta.and_then(|meta| meta.get("externalAccountRequired")) == Some(&Value::Bool(true));
        text("newOrder").ok_or_else(fault)?;
        Ok(Self {
            new_nonce: text("newNonce").ok_or_else(fault)?,
            new_account: text("newAccount").ok_or_else(fault)?,
            key_change: text("keyChange"),
            revoke: text("revokeCert"),
            renewal_info: text("renewalInfo"),
            terms: meta.and_then(|meta| meta.get("termsOfService")).and_then(Value::as_str).map(str::to_owned),
            profiles: profiles.map(|profiles| profiles.keys().cloned().collect()),
            binding: if required { Binding::Required } else { Binding::Optional },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 8555 §7.1.1, with the members of RFC 9773 §3 and of the profiles draft.
    const EXAMPLE: &str = r#"{
        "newNonce": "https://example.com/acme/new-nonce",
        "newAccount": "https://example.com/acme/new-account",
        "newOrder": "https://example.com/acme/new-order",
        "newAuthz": "https://example.com/acme/new-authz",
        "revokeCert": "https://example.com/acme/revoke-cert",
        "keyChange": "https://example.com/acme/key-change",
        "renewalInfo": "https://example.com/acme/renewal-info",
        "meta": {
            "termsOfService": "https://example.com/acme/terms/2017-5-30",
            "website": "https://www.example.com/",
            "caaIdentities": ["example.com"],
            "profiles": { "classic": "as ever", "shortlived": "six days" },
            "externalAccountRequired": true
        }
    }"#;

    #[test]
    fn the_example_of_rfc_8555() {
        let directory = Directory::read(EXAMPLE.as_bytes(), "u").unwrap();
        assert_eq!(directory.renewal_info.as_deref(), Some("https://example.com/acme/renewal-info"));
        assert_eq!(directory.profiles.unwrap(), ["classic", "shortlived"]);
        assert_eq!(directory.binding, Binding::Required);
    }

    #[test]
    fn what_is_no_directory_is_said_with_its_url() {
        let directory = Directory::read(EXAMPLE.replace("newOrder", "order").as_bytes(), "u");
        for read in [directory, Directory::read(b"<html>", "u"), Directory::read(b"[]", "u"), Directory::read(b"", "u")]
        {
            let error = read.unwrap_err();
            assert_eq!((error.kind(), error.fact("url")), (ErrorKind::Protocol, Some("u")));
        }
        let bare =
            r#"{"newNonce":"a","newAccount":"b","newOrder":"c","meta":{"profiles":[],"externalAccountRequired":"x"}}"#;
        let bare = Directory::read(bare.as_bytes(), "u").unwrap();
        assert_eq!((bare.profiles, bare.binding, bare.revoke), (None, Binding::Optional, None));
    }
}
