//! A program that tells the service: the command of an operator, and systemctl(1) in the place where it is looked for.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use certwright::{Command, Material, Reload};
use certwright_tests::conformance::reloader::{Bench, CASES, Mood, Service};
use certwright_tests::conformance::{Outcome, PATIENCE};
use certwright_tests::namespace::in_mount;
use certwright_tests::scratch::Scratch;
use certwright_tests::served::{self, Leaf};

use super::made;

/// What it does when it is called, by the files beside it; the `used.pem` of the service is a copy of `active.pem`.
const RELOAD: &str = "echo told >> told\n\
                      { env; tr '\\0' '\\n' < /proc/$$/cmdline; } >> seen\n\
                      if test -e Hanging; then touch reached; exec sleep 1000; fi\n\
                      if test -e Refusing; then echo 'no such key' >&2; exit 1; fi\n\
                      test -e Deaf || cp active.pem used.pem\n";

/// A directory with a program in it, and the service that it tells.
struct Script {
    directory: PathBuf,
    program: &'static str,
    text: String,
    thing: String,
    _scratch: Option<Scratch>,
}

impl Script {
    fn path(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }

    fn write(&self) -> io::Result<()> {
        fs::write(self.path(self.program), &self.text)?;
        fs::set_permissions(self.path(self.program), Permissions::from_mode(0o755))
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_default()
    }
}

impl Service for Script {
    fn activate(&self, material: &Material) -> io::Result<()> {
        fs::write(self.path("active.pem"), material.chain().fullchain_pem())
    }

    fn set(&self, mood: Mood) -> io::Result<bool> {
        for mood in [Mood::Refusing, Mood::Deaf, Mood::Hanging, Mood::Gone] {
            match fs::remove_file(self.path(&format!("{mood:?}"))) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        fs::write(self.path(&format!("{mood:?}")), "")?;
        match mood {
            // systemctl is there without the unit.
            Mood::Gone if self.program == "reload" => fs::remove_file(self.path(self.program))?,
            _ => self.write()?,
        }
        Ok(true)
    }

    fn uses(&self) -> io::Result<Leaf> {
        served::leaf_of(&self.path("used.pem"))
    }

    fn told(&self) -> Option<usize> {
        Some(self.read("told").lines().count())
    }

    fn is_reached(&self) -> io::Result<()> {
        fs::metadata(self.path("reached")).map(drop)
    }

    fn thing(&self) -> String {
        self.thing.clone()
    }

    fn seen(&self) -> String {
        let seen = self.read("seen");
        assert!(seen.contains("PATH="), "{seen}");
        seen
    }
}

fn command() -> io::Result<Bench> {
    let scratch = Scratch::on_disk()?;
    let directory = scratch.path().to_owned();
    let thing = directory.join("reload").display().to_string();
    let text = format!("#!/bin/sh\ncd {}\n{RELOAD}", directory.display());
    let service = Script { directory, program: "reload", text, thing: thing.clone(), _scratch: Some(scratch) };
    service.write()?;
    let wish = Command::new([thing.as_str(), "www", "now"]);
    let mut hurried = wish.clone();
    hurried.limit = Duration::from_millis(500);
    Ok(Bench {
        reloader: made(&Reload::Command(wish)),
        hurried: Some(made(&Reload::Command(hurried))),
        service: Arc::new(service),
        patience: PATIENCE,
    })
}

mod by_command {
    certwright_tests::reloader_suite!(super::command);
}

/// systemctl in this directory, which stands in the place where programs are looked for first.
fn unit(directory: &Path) -> io::Result<Bench> {
    for entry in fs::read_dir(directory)? {
        fs::remove_file(entry?.path())?;
    }
    let text = format!(
        "#!/bin/sh\ncd {}\n\
         case \"$1\" in\n\
         show) if test -e Gone; then state=inactive; else state=active; fi\n\
         printf 'LoadState=loaded\\nActiveState=%s\\nCanReload=yes\\n' \"$state\"; exit 0;;\n\
         status) echo 'www.service - web'; exit 3;;\n\
         reload) ;;\n\
         *) exit 64;;\n\
         esac\n\
         test ! -e Gone || exit 5\n{RELOAD}",
        directory.display()
    );
    let thing = "www.service".to_owned();
    let service = Script { directory: directory.to_owned(), program: "systemctl", text, thing, _scratch: None };
    service.write()?;
    Ok(Bench {
        reloader: made(&Reload::Unit("www.service".to_owned())),
        hurried: None,
        service: Arc::new(service),
        patience: PATIENCE,
    })
}

#[test]
fn by_unit_as_root() -> Outcome {
    let place = "mount --bind \"$0\" /usr/local/sbin";
    if in_mount("script::by_unit_as_root", place)?.is_none() {
        return Ok(());
    }
    for (name, case) in CASES {
        case(&unit(Path::new("/usr/local/sbin"))?).map_err(|found| format!("{name}: {found}"))?;
    }
    Ok(())
}
