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

#[cfg(test)]
mod tests {
    use hickory_proto::op::{OpCode, Query};
    use hickory_proto::rr::{RecordType, TSigVerifier};

    use super::*;

    const KEY: &str = "hmac-sha256:k.example:MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";
    const NOW: u64 = 1_900_000_000;

    fn keys() -> Keys {
        Keys::read(&[KEY.to_owned()]).unwrap()
    }

    /// A message that the library's client signed at a time, and who believes the answer to it.
    fn signed(time: u64) -> (Message, Vec<u8>, TSigVerifier) {
        let mut message = Message::query();
        message.metadata.op_code = OpCode::Update;
        message.add_query(Query::query(name::parse("a.example", None).unwrap(), RecordType::SOA));
        let verifier = message.finalize(&key(KEY).unwrap(), time).unwrap().unwrap();
        let bytes = message.to_vec().unwrap();
        (Message::from_vec(&bytes).unwrap(), bytes, verifier)
    }

    fn check(time: u64, clocks: &[u64]) -> Signed {
        let (message, bytes, _) = signed(time);
        keys().check(&message, &bytes, clocks, &[])
    }

    #[test]
    fn clocks_may_be_five_minutes_apart_and_no_more() {
        for (time, right) in [(NOW, true), (NOW - 300, true), (NOW + 300, true), (NOW - 301, false), (NOW + 301, false)]
        {
            assert_eq!(matches!(check(time, &[NOW]), Signed::By { .. }), right, "{time}");
        }
        // The clock of the world is as good as the machine's.
        assert!(matches!(check(NOW + 86_400, &[NOW, NOW + 86_400]), Signed::By { .. }));
        for time in [0, (1 << 48) - 1] {
            assert!(matches!(check(time, &[NOW]), Signed::Refused { error: TsigError::BadTime, .. }), "{time}");
        }
    }

    #[test]
    fn an_answer_is_believed_by_who_signed_the_question() {
        let (request, bytes, mut verifier) = signed(NOW);
        let keys = keys();
        let verdict = keys.check(&request, &bytes, &[NOW], &[]);
        let reply = || Message::response(request.metadata.id, OpCode::Update);
        let answer = keys.sign(reply(), &request, &verdict, NOW).unwrap().to_vec().unwrap();
        verifier.verify(&answer).unwrap();
        // Not by who signed another one: the MAC of the question is in that of the answer (RFC 8945 §5.3).
        let (_, _, mut other) = signed(NOW + 1);
        assert!(other.verify(&answer).is_err());
    }

    #[test]
    fn a_wrong_time_is_answered_with_the_right_one_and_signed() {
        let (request, bytes, _) = signed(NOW - 3_600);
        let verdict = keys().check(&request, &bytes, &[NOW], &[]);
        let reply = Message::response(request.metadata.id, OpCode::Update);
        let answer = keys().sign(reply, &request, &verdict, NOW).unwrap();
        let TSIG { time, mac, other, error, .. } = answer.signature.unwrap().data;
        // RFC 8945 §5.2.3: the time that was signed, and ours in six bytes.
        assert_eq!((time, error, mac.len()), (NOW - 3_600, Some(TsigError::BadTime), 32));
        assert_eq!(other, NOW.to_be_bytes()[2..]);
    }

    #[test]
    fn what_is_wrong_with_a_signature_is_said() {
        let cut = |length: usize, spoil: u8| {
            let (mut request, _, _) = signed(NOW);
            let signature = request.signature.as_mut().unwrap();
            signature.data.mac.truncate(length);
            signature.data.mac[0] ^= spoil;
            let bytes = request.to_vec().unwrap();
            keys().check(&request, &bytes, &[NOW], &[])
        };
        assert!(matches!(cut(32, 0), Signed::By { .. }));
        assert_eq!(cut(32, 1), Signed::Doubted { error: TsigError::BadSig });
        // RFC 8945 §5.2.2.1 and §5.2.4: half of it is too short for us, and less is no signature.
        assert!(matches!(cut(16, 0), Signed::Refused { error: TsigError::BadTrunc, .. }));
        assert_eq!(cut(16, 1), Signed::Doubted { error: TsigError::BadSig });
        assert_eq!(cut(15, 0), Signed::Malformed);
        let (request, bytes, _) = signed(NOW);
        let other = Keys::read(&[KEY.replace("sha256", "sha512")]).unwrap();
        assert_eq!(other.check(&request, &bytes, &[NOW], &[]), Signed::Doubted { error: TsigError::BadKey });
        let none = Message::query();
        assert_eq!(keys().check(&none, &none.to_vec().unwrap(), &[NOW], &[]), Signed::Not);
    }

    #[test]
    fn a_key_is_read_without_its_secret_being_told() {
        for broken in [
            "",
            "hmac-md5:a:c2VjcmV0",
            "hmac-sha256:a",
            "hmac-sha256:a:",
            "hmac-sha256:a..b:c2VjcmV0",
            "hmac-sha256:a:c2VjcmV0!",
        ] {
            let error = Keys::read(&[broken.to_owned()]).unwrap_err();
            assert!(!format!("{error:#} {error:?}").contains("c2VjcmV0"), "{error:?}");
        }
        assert!(!format!("{:?}", keys()).contains("MDEy"));
    }
}
