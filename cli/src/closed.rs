//! Whether standard output was closed by whoever started the command (`>&-`).
//!
//! It cannot be seen from a failed write: Rust's start-up code opens the null device in place of a standard stream that is
//! closed, so that no other file gets its number. It does so for reading and writing, and whoever throws an output away on
//! purpose (`> /dev/null`, a unit with `StandardOutput=null`) opens it for writing alone.

use std::fs;
use std::os::unix::fs::{FileTypeExt, MetadataExt};

/// The null device is number 1:3 (Linux, Documentation/admin-guide/devices.txt).
const NULL: u64 = 0x103;

/// The bits of `flags` in `/proc/PID/fdinfo` that are the access mode, and reading and writing (open(2), proc(5)).
const MODE: u32 = 0o3;
const READ_WRITE: u32 = 0o2;

/// Whether it was closed. Where `/proc` cannot tell, it was not.
pub(crate) fn standard_output() -> bool {
    let null = fs::metadata("/proc/self/fd/1").is_ok_and(|it| it.file_type().is_char_device() && it.rdev() == NULL);
    null && fs::read_to_string("/proc/self/fdinfo/1").is_ok_and(|facts| is_read_write(&facts))
}

fn is_read_write(facts: &str) -> bool {
    let flags = facts.lines().find_map(|line| line.strip_prefix("flags:"));
    flags.and_then(|flags| u32::from_str_radix(flags.trim(), 8).ok()).is_some_and(|flags| flags & MODE == READ_WRITE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_access_mode_is_read_from_the_flags() {
        // As proc(5) shows them; 0100000 is O_LARGEFILE, 02000000 O_CLOEXEC.
        let facts = |flags: &str| format!("pos:\t0\nflags:\t{flags}\nmnt_id:\t19\nino:\t5\n");
        for (flags, read_write) in
            [("0100002", true), ("02100002", true), ("0100001", false), ("0100000", false), ("x", false)]
        {
            assert_eq!(is_read_write(&facts(flags)), read_write, "{flags}");
        }
        assert!(!is_read_write(""));
    }
}
