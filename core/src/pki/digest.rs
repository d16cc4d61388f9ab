//! SHA-256, the one digest used for fingerprints and for the files of a generation (FIPS 180-4), and SHA-1 for reading
//! what others show.

use crate::ground::id::Fingerprint;

/// The SHA-256 of these bytes.
pub(crate) fn sha256(bytes: &[u8]) -> Fingerprint {
    let digest = ring::digest::digest(&ring::digest::SHA256, bytes);
    let mut out = [0; 32];
    out.copy_from_slice(digest.as_ref());
    Fingerprint::from_bytes(out)
}

/// The SHA-1 of these bytes in upper-case hexadecimal: for comparing with what another program shows, never for trust.
pub(crate) fn sha1(bytes: &[u8]) -> String {
    let digest = ring::digest::digest(&ring::digest::SHA1_FOR_LEGACY_USE_ONLY, bytes);
    digest.as_ref().iter().map(|byte| format!("{byte:02X}")).collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn agrees_with_the_standards_example() {
        // FIPS 180-4, example "abc".
        let expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(super::sha256(b"abc").to_string(), expected);
        // FIPS 180-4, the same for SHA-1.
        assert_eq!(super::sha1(b"abc"), "A9993E364706816ABA3E25717850C26C9CD0D89D");
    }
}
