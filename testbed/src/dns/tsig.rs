//! Signed messages (RFC 8945): who signed, and the signature of the answer.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use certwright::{Error, ErrorKind, Public, Result};
use hickory_proto::op::Message;
use hickory_proto::rr::rdata::tsig::{TSIG, TsigAlgorithm, TsigError, make_tsig_record, signed_bitmessage_to_buf};
use hickory_proto::rr::{Name, TSigner};

use crate::dns::faults::NameFault;
use crate::dns::name;

/// How far apart clocks may be (RFC 8945 §10).
const FUDGE: u16 = 300;

/// The most that a signature adds to a message: its name and the algorithm's, 64 bytes of MAC, and the rest.
pub(crate) const ROOM: u16 = 255 + 26 + 64 + 40;

/// The keys that updates may be signed with.
pub(crate) struct Keys(Vec<TSigner>);

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.0.iter().map(|key| name::text(key.signer_name()))).finish()
    }
}

/// What is to be said about the signature of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Signed {
    /// There is none.
    Not,
    /// By this key of ours, and so is the answer.
    By { key: usize, mac: Vec<u8> },
    /// The clock of who signed is wrong, or the signature is too short; the answer is signed and says so.
    Refused { key: usize, mac: Vec<u8>, error: TsigError, time: u64 },
    /// Nobody knows whose it is; the answer says so, and is not signed.
    Doubted { error: TsigError },
    /// It is no signature at all.
    Malformed,
}

impl Keys {
    /// Reads `ALGORITHM:NAME:BASE64`.
    pub(crate) fn read(lines: &[String]) -> Result<Self> {
        lines.iter().map(|line| key(line)).collect::<Result<_>>().map(Self)
    }

    /// Who signed a message, with these faults. Right is a clock that agrees with one of these.
    pub(crate) fn check(&self, request: &Message, bytes: &[u8], clocks: &[u64], faults: &[NameFault]) -> Signed {
        let Some(record) = request.signature.as_deref() else { return Signed::Not };
        let tsig = &record.data;
        let known = |key: &TSigner| *key.signer_name() == record.name && *key.algorithm() == tsig.algorithm;
        let Some((number, key)) =
            self.0.iter().enumerate().find(|(_, key)| known(key)).filter(|_| !faults.contains(&NameFault::BadKey))
        else {
            return Signed::Doubted { error: TsigError::BadKey };
        };
        // What is signed: the message without its last record, and fields of that record (RFC 8945 §4.3).
        let Ok((covered, _)) = signed_bitmessage_to_buf(bytes, None, true) else { return Signed::Malformed };
        let Ok(right) = key.sign(&covered) else { return Signed::Malformed };
        // RFC 8945 §5.2.2.1.
        if tsig.mac.len() > right.len() || tsig.mac.len() < 10.max(right.len() / 2) {
            return Signed::Malformed;
        }
        if !right.starts_with(&tsig.mac) || faults.contains(&NameFault::BadSignature) {
            return Signed::Doubted { error: TsigError::BadSig };
        }
        let mac = tsig.mac.clone();
        let refused = |error| Signed::Refused { key: number, mac: tsig.mac.clone(), error, time: tsig.time };
        let in_time = clocks.iter().any(|now| now.abs_diff(tsig.time) <= u64::from(tsig.fudge));
        if !in_time || faults.contains(&NameFault::BadTime) {
            return refused(TsigError::BadTime);
        }
        if tsig.mac.len() < right.len() {
            return refused(TsigError::BadTrunc);
        }
        Signed::By { key: number, mac }
    }

    /// The answer with the signature that it has to have (RFC 8945 §5.3).
    pub(crate) fn sign(&self, mut reply: Message, request: &Message, signed: &Signed, now: u64) -> Option<Message> {
        let asked = request.signature.as_deref();
        let record = match (signed, asked) {
            (Signed::Not | Signed::Malformed, _) | (_, None) => return Some(reply),
            (Signed::Doubted { error }, Some(asked)) => {
                let TSIG { algorithm, time, fudge, .. } = asked.data.clone();
                let tsig = TSIG::new(algorithm, time, fudge, Vec::new(), request.metadata.id, Some(*error), Vec::new());
                make_tsig_record(asked.name.clone(), tsig)
            }
            (Signed::By { key, mac }, _) => {
                self.signature(*key, &reply, mac, |key| stub(key, now, request.metadata.id, None, Vec::new()))?
            }
            (Signed::Refused { key, mac, error, time }, _) => {
                // With the time that was signed, and ours beside it (RFC 8945 §5.2.3).
                let (time, other) = match error {
                    TsigError::BadTime => (*time, now.to_be_bytes().get(2..)?.to_vec()),
                    _ => (now, Vec::new()),
                };
                self.signature(*key, &reply, mac, |key| stub(key, time, request.metadata.id, Some(*error), other))?
            }
        };
        reply.signature = Some(Box::new(record));
        Some(reply)
    }

    fn signature(
        &self,
        key: usize,
        reply: &Message,
        asked: &[u8],
        stub: impl FnOnce(&TSigner) -> TSIG,
    ) -> Option<hickory_proto::rr::Record<TSIG>> {
        let key = self.0.get(key)?;
        let stub = stub(key);
        let covered = key.encode_response_tbs(asked, &reply.to_vec().ok()?, &stub).ok()?;
        Some(make_tsig_record(key.signer_name().clone(), stub.set_mac(key.sign(&covered).ok()?)))
    }
}

fn stub(key: &TSigner, time: u64, id: u16, error: Option<TsigError>, other: Vec<u8>) -> TSIG {
    TSIG::new(key.algorithm().clone(), time, FUDGE, Vec::new(), id, error, other)
}

fn key(line: &str) -> Result<TSigner> {
    let defect = || {
        // The secret is not repeated.
        let shown = line.rsplit_once(':').map_or("", |(shown, _)| shown);
        Error::new(ErrorKind::InvalidSpec, "this is no key for updates")
            .context("key", Public(shown))
            .hint("write `hmac-sha256:NAME:BASE64`, or with `hmac-sha384` or `hmac-sha512`")
    };
    let mut parts = line.splitn(3, ':');
    let (Some(algorithm), Some(named), Some(secret)) = (parts.next(), parts.next(), parts.next()) else {
        return Err(defect());
    };
    let algorithm = match algorithm.to_ascii_lowercase().as_str() {
        "hmac-sha256" => TsigAlgorithm::HmacSha256,
        "hmac-sha384" => TsigAlgorithm::HmacSha384,
        "hmac-sha512" => TsigAlgorithm::HmacSha512,
        _ => return Err(defect()),
    };
    let named: Name = name::parse(named, None)?;
    let secret = STANDARD.decode(secret).ok().filter(|secret| !secret.is_empty()).ok_or_else(defect)?;
    TSigner::new(secret, algorithm, named, FUDGE).map_err(|source| defect().source(source))
}
