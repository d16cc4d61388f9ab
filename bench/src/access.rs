//! May this user read that path? Against the system calls that any answer needs, and against `getfacl`.

use std::path::Path;
use std::process::{Command, Stdio};

use certwright::access::{Permissions, explain};
use certwright::{Identity, OsFilesystem};

use crate::Fault;
use crate::bare::way;
use crate::measure::{Goal, in_turn, wall};

const PAIRS: usize = 300;
/// Answers to one measurement: one alone is too short for the clock.
const ANSWERS: u32 = 50;

/// The lines.
pub(crate) fn lines(folder: &Path) -> Result<(), Fault> {
    // Six names with the file's own.
    let site = crate::site::Site::new(folder, "access")?;
    let mut deep = site.folder().to_owned();
    while deep.components().count() < 6 {
        deep.push("directory");
    }
    std::fs::create_dir_all(&deep)?;
    let path = deep.join("key.pem");
    std::fs::write(&path, "a key")?;
    let done = Command::new("setfacl").args(["-m", "u:nobody:r--"]).arg(&path).status()?;
    crate::site::well(!done.success())?;

    let (files, who) = (OsFilesystem::new(), Identity::new(65_534, 65_534, vec![]));
    let ask = || -> Result<f64, Fault> {
        let all = wall(|| {
            for _ in 0..ANSWERS {
                if !std::hint::black_box(explain(&files, &path, &who, Permissions::READ)?).is_allow() {
                    return Err("the reader cannot read".into());
                }
            }
            Ok(())
        })?;
        Ok(all / f64::from(ANSWERS))
    };
    let raw = || -> Result<f64, Fault> {
        let all = wall(|| (0..ANSWERS).try_for_each(|_| Ok(way::read(&path)?)))?;
        Ok(all / f64::from(ANSWERS))
    };
    let name = "access answer for a path of six components, uncached";
    in_turn(PAIRS, ask, raw)?.line(name, "the same raw system calls", Goal::AtMost(1.5));
    let spawned = || {
        wall(|| {
            let done = Command::new("getfacl").arg("-p").arg(&path).stdout(Stdio::null()).status()?;
            crate::site::well(!done.success())
        })
    };
    in_turn(PAIRS, ask, spawned)?.line(name, "one spawned getfacl", Goal::Faster(100.0));
    Ok(())
}
