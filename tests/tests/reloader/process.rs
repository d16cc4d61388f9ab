//! A process that re-reads at a signal.

use std::fs;
use std::io;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};

use certwright::{Material, Reload};
use certwright_tests::conformance::PATIENCE;
use certwright_tests::conformance::reloader::{Bench, Mood, Service};
use certwright_tests::process::Running;
use certwright_tests::scratch::Scratch;
use certwright_tests::served::{self, Leaf};
use certwright_tests::until::until;

use super::made;

struct Daemon {
    scratch: Scratch,
    running: Mutex<Option<Running>>,
}

impl Daemon {
    fn path(&self, name: &str) -> PathBuf {
        self.scratch.join(name)
    }

    /// Another process takes the place of the one that ran.
    fn start(&self, trap: &str) -> io::Result<()> {
        self.stop();
        let script = format!(
            "trap '{trap}' HUP\necho $$ > pid.new\nmv pid.new pid\nwhile :; do sleep 1000 & wait $!; kill $!; done"
        );
        let mut command = Command::new("/bin/sh");
        command.args(["-c", &script]).current_dir(self.scratch.path());
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        *self.running.lock().unwrap() = Some(Running::start(&mut command)?);
        until(PATIENCE, "the pid file", || fs::metadata(self.path("pid")).map(drop))
    }

    /// Its pid file stays behind, as after a crash, unless another process comes.
    fn stop(&self) {
        let stopped = self.running.lock().unwrap().take();
        drop(stopped);
    }
}

impl Service for Daemon {
    fn activate(&self, material: &Material) -> io::Result<()> {
        fs::write(self.path("active.pem"), material.chain().fullchain_pem())
    }

    fn set(&self, mood: Mood) -> io::Result<bool> {
        let trap = match mood {
            // The copy is whole when it gets its name.
            Mood::Well => "echo told >> told; cp active.pem used.new; mv used.new used.pem",
            Mood::Refusing => "",
            Mood::Deaf => ":",
            Mood::Hanging => return Ok(false),
            Mood::Gone => {
                self.stop();
                return Ok(true);
            }
        };
        self.stop();
        let _ = fs::remove_file(self.path("pid"));
        self.start(trap).map(|()| true)
    }

    fn uses(&self) -> io::Result<Leaf> {
        served::leaf_of(&self.path("used.pem"))
    }

    fn told(&self) -> Option<usize> {
        Some(fs::read_to_string(self.path("told")).unwrap_or_default().lines().count())
    }

    fn is_reached(&self) -> io::Result<()> {
        Ok(())
    }

    fn thing(&self) -> String {
        self.path("pid").display().to_string()
    }

    fn seen(&self) -> String {
        String::new()
    }
}

fn bench() -> io::Result<Bench> {
    let service = Daemon { scratch: Scratch::on_disk()?, running: Mutex::default() };
    service.set(Mood::Well)?;
    let wish = Reload::Signal { signal: "HUP".to_owned(), pid_file: service.path("pid") };
    Ok(Bench { reloader: made(&wish), hurried: None, service: Arc::new(service), patience: PATIENCE })
}

mod by_signal {
    certwright_tests::reloader_suite!(super::bench);
}
