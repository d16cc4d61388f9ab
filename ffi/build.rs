//! Gives the shared library its name for the dynamic linker.

fn main() {
    // Before 1.0 every minor version may change the binary interface, from 1.0 on only a major one: see `docs/c.md`.
    let part = |name: &str| std::env::var(name).unwrap_or_default();
    let (major, minor) = (part("CARGO_PKG_VERSION_MAJOR"), part("CARGO_PKG_VERSION_MINOR"));
    let number = if major == "0" { format!("0.{minor}") } else { major };
    println!("cargo:rustc-cdylib-link-arg=-Wl,-soname,libcertwright.so.{number}");
    println!("cargo:rerun-if-changed=build.rs");
}
