//! Which library this is.

use crate::text::certwright_str;

/// `env!` has text; the header and the packed number need numbers.
const fn number(text: &str) -> u32 {
    let bytes = text.as_bytes();
    let (mut value, mut at) = (0, 0);
    while at < bytes.len() {
        value = value * 10 + (bytes[at] - b'0') as u32;
        at += 1;
    }
    value
}

/// The version of the header: what changed incompatibly.
pub const CERTWRIGHT_VERSION_MAJOR: u32 = 0;
/// The version of the header: what was added (with major 0: what changed).
pub const CERTWRIGHT_VERSION_MINOR: u32 = 1;
/// The version of the header: what was mended.
pub const CERTWRIGHT_VERSION_PATCH: u32 = 0;
/// The version of the header as one number: `major << 16 | minor << 8 | patch`. Compare it with what
/// [`certwright_version_number`] says of the library that was loaded.
pub const CERTWRIGHT_VERSION_NUMBER: u32 = 256;

const PACKED: u32 = number(env!("CARGO_PKG_VERSION_MAJOR")) << 16
    | number(env!("CARGO_PKG_VERSION_MINOR")) << 8
    | number(env!("CARGO_PKG_VERSION_PATCH"));
const _: () = assert!(
    PACKED == CERTWRIGHT_VERSION_NUMBER
        && PACKED == CERTWRIGHT_VERSION_MAJOR << 16 | CERTWRIGHT_VERSION_MINOR << 8 | CERTWRIGHT_VERSION_PATCH,
    "the version macros and the package's version are not the same"
);

/// The version of the library that was loaded: `major << 16 | minor << 8 | patch`.
///
/// Threads: any. Effects: none.
#[unsafe(no_mangle)]
pub extern "C" fn certwright_version_number() -> u32 {
    PACKED
}

/// The version of the library that was loaded, such as `0.1.0`.
///
/// Ownership: the text lives as long as the program. Threads: any. Effects: none.
#[unsafe(no_mangle)]
pub extern "C" fn certwright_version_text() -> certwright_str {
    const TEXT: &str = concat!(env!("CARGO_PKG_VERSION"), "\0");
    certwright_str { data: TEXT.as_ptr().cast(), len: TEXT.len() - 1 }
}
