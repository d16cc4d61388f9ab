//! Signed messages (RFC 8945): our own are signed, and no answer is believed that is not.

use std::cell::RefCell;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hickory_proto::op::Message;
use hickory_proto::rr::rdata::tsig::{TsigAlgorithm as Algorithm, TsigError};
use hickory_proto::rr::{TSigVerifier, TSigner};
use zeroize::Zeroizing;

use super::exchange::Believe;
use super::parse;
use crate::ground::error::{Error, ErrorKind, Public, Result};
use crate::ground::time::Timestamp;
use crate::plan::spec::{TsigAlgorithm, TsigKey};

/// How far apart the clocks may be (RFC 8945 §10 recommends 300 seconds).
const FUDGE: u16 = 300;

/// A key that is ready to sign.
pub(in crate::issue::solve) struct Key {
    signer: TSigner,
    name: String,
}

impl Key {
    /// The key of this wish, with the content of its file: base64 on one line.
    pub(in crate::issue::solve) fn read(wish: &TsigKey, content: &[u8]) -> Result<Self> {
        let text = content.trim_ascii();
        let secret = STANDARD.decode(text).map(Zeroizing::new).ok().filter(|secret| !secret.is_empty());
        let secret = secret.ok_or_else(|| {
            Error::new(ErrorKind::InvalidSpec, "the file of the TSIG key does not hold one line of base64")
                .context("path", wish.secret_file.as_path())
                .context("key", Public(&wish.name))
                .hint("write the `secret` of the server's `key` statement into it, without quotes")
        })?;
        let algorithm = match wish.algorithm {
            TsigAlgorithm::HmacSha256 => Algorithm::HmacSha256,
            TsigAlgorithm::HmacSha384 => Algorithm::HmacSha384,
            TsigAlgorithm::HmacSha512 => Algorithm::HmacSha512,
        };
        let name = parse(&format!("{}.", wish.name))?;
        // The signer keeps a copy that is not wiped; it lives as long as one update.
        let signer = TSigner::new(secret.to_vec(), algorithm, name, FUDGE)
            .map_err(|source| Error::new(ErrorKind::Bug, "the TSIG key cannot be used").source(source))?;
        Ok(Self { signer, name: wish.name.clone() })
    }

    /// Sign a message; what comes back believes the answer to it alone.
    pub(super) fn sign(&self, message: &mut Message, now: Timestamp) -> Result<Signed<'_>> {
        let defect = || Error::new(ErrorKind::Bug, "a message cannot be signed");
        let now = u64::try_from(now.unix()).unwrap_or_default();
        let verifier = message.finalize(&self.signer, now).map_err(|source| defect().source(source))?;
        Ok(Signed { key: self, verifier: RefCell::new(verifier.ok_or_else(defect)?) })
    }
}

/// A message that was signed, waiting for its answer.
pub(super) struct Signed<'k> {
    key: &'k Key,
    verifier: RefCell<TSigVerifier>,
}

impl Believe for Signed<'_> {
    fn believe(&self, answer: &[u8]) -> Result<Message> {
        let doubt = || {
            Error::new(ErrorKind::Untrusted, "the answer of the name server is not signed as it has to be")
                .context("key", Public(&self.key.name))
                .hint("see whether this is the server that holds the key, and whether something in between answers for it")
        };
        let message = Message::from_vec(answer).map_err(|source| doubt().source(source))?;
        if let Some(refusal) = message.signature.as_ref().and_then(|signature| signature.data.error) {
            return Err(self.refused(&refusal));
        }
        match self.verifier.borrow_mut().verify(answer) {
            Ok(_) => Ok(message),
            Err(source) => Err(doubt().source(source)),
        }
    }
}

impl Signed<'_> {
    /// Why the server did not accept the signature. It cannot sign that it does not know the key (RFC 8945 §5.3.2), so
    /// anybody can say so; believing it does no more harm than no answer does.
    fn refused(&self, refusal: &TsigError) -> Error {
        let (code, hint) = match refusal {
            TsigError::BadSig => ("BADSIG", "compare the secret and the algorithm with the server's `key` statement"),
            // Knot says so of a key that it knows, too, when no rule lets it change anything.
            TsigError::BadKey => (
                "BADKEY",
                "compare the name and the algorithm of the key with the server's `key` statement, and see whether the zone \
                 lets this key change TXT records",
            ),
            TsigError::BadTime => ("BADTIME", "set the clocks of both machines; they are more than five minutes apart"),
            TsigError::BadTrunc => ("BADTRUNC", "let the server accept signatures of full length"),
            _ => ("an unknown error", "see in the server's log why"),
        };
        Error::new(ErrorKind::ChallengeFailed, "the name server does not accept the signature of the update")
            .context("key", Public(&self.key.name))
            .context("says", code)
            .hint(hint)
    }
}
