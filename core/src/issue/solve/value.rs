//! What the kinds of challenge make of a key authorization.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::issue::solver::Challenge;
use crate::pki::digest::sha256;

/// The content of a `dns-01` record: the digest in base64url without padding (RFC 8555 §8.4).
pub(super) fn txt(challenge: &Challenge) -> String {
    URL_SAFE_NO_PAD.encode(sha256(challenge.key_authorization().expose()).as_bytes())
}

/// The digest in lower-case hexadecimal.
pub(super) fn hex(challenge: &Challenge) -> String {
    sha256(challenge.key_authorization().expose()).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::spec::ChallengeKind;

    #[test]
    fn agrees_with_openssl() {
        // printf %s evaGxfADs6pSRb2LAv9IZf17Dt3juxGJ-PCt92wr-oA.9jg46WB3rR_AHD-EBXdN7cBkH1WOu0tA3M9fm21mqTI |
        // openssl dgst -sha256 -binary | basenc --base64url; without its padding.
        let (token, thumbprint) =
            ("evaGxfADs6pSRb2LAv9IZf17Dt3juxGJ-PCt92wr-oA", "9jg46WB3rR_AHD-EBXdN7cBkH1WOu0tA3M9fm21mqTI");
        let challenge = Challenge::new(ChallengeKind::Dns01, "a.example".parse().unwrap(), token, thumbprint).unwrap();
        assert_eq!(txt(&challenge), "lCM7cZyQXcVHK2nnW3jjAhNT3Fvm18UN-kWZZknKoYM");
        assert_eq!(hex(&challenge), "94233b719c905dc5472b69e75b78e3021353dc5be6d7c50dfa45996649caa183");
    }
}
