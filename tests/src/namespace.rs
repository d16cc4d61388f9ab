//! A file system or a network of its own for one test: the test runs again, alone, in a namespace where it has that.

use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::process::run;
use crate::scratch::Scratch;

const MARK: &str = "CERTWRIGHT_TEST_MOUNT";
const LIMIT: Duration = Duration::from_secs(120);

/// Where the file system is, for the second run; `None` for the first one, when the second has ended well.
///
/// `test` is the caller's full name, as the test runner lists it. `mount` is a shell script that mounts on `"$0"`.
///
/// # Errors
///
/// When the namespace or the mount cannot be made (it needs root), or the second run failed: then with what it printed.
pub fn in_mount(test: &str, mount: &str) -> io::Result<Option<PathBuf>> {
    if let Some(there) = std::env::var_os(MARK) {
        return Ok(Some(there.into()));
    }
    let scratch = Scratch::on_disk()?;
    let script = format!("{mount}\nexec \"$@\"");
    again(test, &["--mount", "--propagation", "private"], &script, scratch.path())?;
    Ok(None)
}

/// Whether this is the second run, in a network of its own that has nothing but its loopback interface: every port is free,
/// and nobody outside can be reached. The first run gets `false` when the second has ended well.
///
/// `test` is the caller's full name, as the test runner lists it.
///
/// # Errors
///
/// As [`in_mount`].
pub fn in_network(test: &str) -> io::Result<bool> {
    if std::env::var_os(MARK).is_some() {
        return Ok(true);
    }
    again(test, &["--net"], "ip link set lo up\nexec \"$@\"", Path::new("network"))?;
    Ok(false)
}

/// The same, in a world where names are asked for at port 53 of 127.0.0.1, by whoever goes by resolv.conf(5).
///
/// `test` is the caller's full name, as the test runner lists it.
///
/// # Errors
///
/// As [`in_mount`].
pub fn in_world(test: &str) -> io::Result<bool> {
    if std::env::var_os(MARK).is_some() {
        return Ok(true);
    }
    let scratch = Scratch::on_disk()?;
    let servers = scratch.join("resolv.conf");
    std::fs::write(&servers, "nameserver 127.0.0.1\n")?;
    let script = "mount --bind \"$0\" /etc/resolv.conf\nip link set lo up\nexec \"$@\"";
    again(test, &["--net", "--mount", "--propagation", "private"], script, &servers)?;
    Ok(false)
}

/// Runs one test again, in namespaces of its own.
fn again(test: &str, namespaces: &[&str], script: &str, mark: &Path) -> io::Result<()> {
    let mut command = Command::new("unshare");
    command
        .args(namespaces)
        .args(["sh", "-euc", script])
        .arg(mark)
        .arg(std::env::current_exe()?)
        .args(["--exact", test, "--nocapture"])
        .env(MARK, mark);
    let output = run(&mut command, LIMIT)?;
    let printed = String::from_utf8_lossy(&output.stdout);
    // A name that fits no test would pass as well.
    if output.status.success() && printed.contains("test result: ok. 1 passed") {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(io::Error::other(format!("{test} in its namespace ended with {}:\n{printed}{said}", output.status)))
}
