//! SHA-256, the one digest used for fingerprints and for the files of a generation (FIPS 180-4).

use crate::ground::id::Fingerprint;

/// The SHA-256 of these bytes.
pub(crate) fn sha256(bytes: &[u8]) -> Fingerprint {
    let digest = ring::digest::digest(&ring::digest::SHA256, bytes);
    let mut out = [0; 32];
    out.copy_from_slice(digest.as_ref());
    Fingerprint::from_bytes(out)
}

#[cfg(test)]
mod tests {
    #[test]
    fn agrees_with_the_standards_example() {
        // FIPS 180-4, example "abc".
        let expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(super::sha256(b"abc").to_string(), expected);
    }
}
