//! `certbot renew` with nothing to do, where certbot is installed.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::Fault;
use crate::measure::{Goal, children, in_turn};
use crate::site::{Site, well};

const LINEAGES: u32 = 100;
const PAIRS: usize = 5;

/// The line: CPU of one lineage, when there are a hundred.
pub(crate) fn line(site: &Site, ours: &dyn Fn() -> Result<f64, Fault>) -> Result<(), Fault> {
    let installed = Command::new("certbot").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    if installed.is_err() {
        println!(
            "apply with nothing to do, 100 lineages, against certbot renew\n    not measured: certbot is not there"
        );
        return Ok(());
    }
    let folder = site.folder().join("certbot");
    lineages(site, &folder)?;
    let flag = |name: &str| format!("{name}={}", folder.display());
    let theirs = || {
        let used = children(|| {
            let done = Command::new("certbot")
                .args(["renew", "--quiet", "--no-random-sleep-on-renew"])
                .args([flag("--config-dir"), flag("--work-dir"), flag("--logs-dir")])
                .status()?;
            well(!done.success())
        })?;
        Ok(used / f64::from(LINEAGES))
    };
    let pairs = in_turn(PAIRS, ours, theirs)?;
    pairs.line("apply with nothing to do, 100 lineages, CPU of each", "certbot renew", Goal::Faster(200.0));
    Ok(())
}

/// A hundred lineages as certbot keeps them, with the material of ours.
fn lineages(site: &Site, folder: &Path) -> Result<(), Fault> {
    let current = std::fs::read_dir(site.root())?
        .filter_map(|entry| Some(entry.ok()?.path().join("current")))
        .find(|path| path.join("key.pem").exists())
        .ok_or("there is no lineage to copy")?;
    let files = [("privkey", "key"), ("cert", "leaf"), ("chain", "chain"), ("fullchain", "fullchain")];
    std::fs::create_dir_all(folder.join("renewal"))?;
    for number in 0..LINEAGES {
        let name = format!("www-{number}");
        let (live, archive) = (folder.join("live").join(&name), folder.join("archive").join(&name));
        std::fs::create_dir_all(&live)?;
        std::fs::create_dir_all(&archive)?;
        // Ours live for 30 days, at which certbot would renew them: nothing is to be done on this side either.
        let mut renewal =
            format!("version = 2.1.0\nrenew_before_expiry = 1 day\narchive_dir = {}\n", archive.display());
        for (theirs, ours) in files {
            std::fs::copy(current.join(format!("{ours}.pem")), archive.join(format!("{theirs}1.pem")))?;
            let target = PathBuf::from(format!("../../archive/{name}/{theirs}1.pem"));
            let link = live.join(format!("{theirs}.pem"));
            std::os::unix::fs::symlink(target, &link)?;
            renewal.push_str(&format!("{theirs} = {}\n", link.display()));
        }
        renewal.push_str("\n[renewalparams]\nauthenticator = standalone\nserver = https://127.0.0.1:1/directory\n");
        std::fs::write(folder.join("renewal").join(format!("{name}.conf")), renewal)?;
    }
    Ok(())
}
