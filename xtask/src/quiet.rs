//! Keeping a freshly installed service from starting, now and at the next boot.
//!
//! Debian's packages start what they install. Three things stand in the way: `policy-rc.d` answers "forbidden" while apt
//! runs, the units are masked before they arrive, and PostgreSQL is told not to make a cluster.

use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use crate::Outcome;
use crate::run::{command, run_logged};

const POLICY: &str = "/usr/sbin/policy-rc.d";
const POLICY_KEPT: &str = "/usr/sbin/policy-rc.d.before-xtask";
/// Exit status 101 is "action forbidden by policy" (invoke-rc.d(8)).
const FORBID: &str = "#!/bin/sh\n# Put here by `cargo xtask services` while it installs; safe to remove when it does not run.\nexit 101\n";
const UNITS: &str = "/etc/systemd/system";
const CLUSTERS: &str = "/etc/postgresql-common/createcluster.conf";

/// While this lives, no package can start its service. Dropping it puts back what was there before.
pub(crate) struct Quiet {
    policy: PathBuf,
    kept: PathBuf,
}

impl Quiet {
    /// Forbid starting.
    ///
    /// # Errors
    ///
    /// When the policy cannot be written.
    pub(crate) fn begin() -> Result<Self, String> {
        Self::at(POLICY.into(), POLICY_KEPT.into())
    }

    fn at(policy: PathBuf, kept: PathBuf) -> Result<Self, String> {
        // A run that was killed left both files: what it kept is the original, what stands is ours.
        if !kept.exists() {
            match fs::rename(&policy, &kept) {
                Err(fault) if fault.kind() != ErrorKind::NotFound => {
                    return Err(format!("cannot set `{}` aside: {fault}", policy.display()));
                }
                _ => {}
            }
        }
        let quiet = Self { policy, kept };
        fs::write(&quiet.policy, FORBID)
            .and_then(|()| fs::set_permissions(&quiet.policy, fs::Permissions::from_mode(0o755)))
            .map_err(|fault| format!("cannot write `{}`: {fault}", quiet.policy.display()))?;
        Ok(quiet)
    }
}

impl Drop for Quiet {
    fn drop(&mut self) {
        let back = match fs::rename(&self.kept, &self.policy) {
            Err(fault) if fault.kind() == ErrorKind::NotFound => fs::remove_file(&self.policy),
            other => other,
        };
        if let Err(fault) = back {
            println!("cannot put `{}` back as it was: {fault}", self.policy.display());
        }
    }
}

/// Mask units that are about to be installed, so that no boot starts them either.
///
/// # Errors
///
/// When a mask cannot be written.
pub(crate) fn mask(units: &[&str]) -> Outcome {
    let folder = Path::new(UNITS);
    if !folder.is_dir() {
        return Ok(());
    }
    for unit in units {
        match symlink("/dev/null", folder.join(unit)) {
            Ok(()) => println!("masked {unit} (`systemctl unmask {unit}` undoes it)"),
            Err(fault) if fault.kind() == ErrorKind::AlreadyExists => {}
            Err(fault) => return Err(format!("cannot mask `{unit}`: {fault}")),
        }
    }
    Ok(())
}

/// Without systemd: take the start links of the installed services away.
///
/// # Errors
///
/// When `update-rc.d` fails.
pub(crate) fn disable(services: &[&str]) -> Outcome {
    if Path::new("/run/systemd/system").is_dir() {
        return Ok(());
    }
    for service in services {
        if Path::new("/etc/init.d").join(service).exists() {
            run_logged(command("update-rc.d", [service, "disable"]), "update-rc.d.log")?;
        }
    }
    Ok(())
}

/// Tell the packages of PostgreSQL, before they arrive, not to make a cluster of their own.
///
/// # Errors
///
/// When the setting cannot be written.
pub(crate) fn no_cluster() -> Outcome {
    let path = Path::new(CLUSTERS);
    if path.exists() {
        return Ok(());
    }
    let folder = path.parent().unwrap_or(path);
    fs::create_dir_all(folder)
        .and_then(|()| fs::write(path, "create_main_cluster = false\n"))
        .map_err(|fault| format!("cannot write `{CLUSTERS}`: {fault}"))?;
    println!("wrote {CLUSTERS}: no cluster is made by the packages");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("xtask-quiet-{name}-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        folder
    }

    #[test]
    fn what_was_there_before_comes_back() {
        let folder = folder("back");
        let (policy, kept) = (folder.join("policy"), folder.join("kept"));
        fs::write(&policy, "theirs").unwrap();
        let quiet = Quiet::at(policy.clone(), kept.clone()).unwrap();
        assert_eq!(fs::read_to_string(&policy).unwrap(), FORBID);
        // Killed here, and started again: the original must survive.
        std::mem::forget(quiet);
        drop(Quiet::at(policy.clone(), kept.clone()).unwrap());
        assert_eq!(fs::read_to_string(&policy).unwrap(), "theirs");
        assert!(!kept.exists());
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn nothing_stays_where_nothing_was() {
        let folder = folder("nothing");
        let (policy, kept) = (folder.join("policy"), folder.join("kept"));
        drop(Quiet::at(policy.clone(), kept).unwrap());
        assert!(!policy.exists());
        fs::remove_dir_all(folder).unwrap();
    }
}
