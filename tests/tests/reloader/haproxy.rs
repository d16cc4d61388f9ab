//! A real HAProxy, told through its runtime API.

use std::fs;
use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use certwright::{Material, Reload};
use certwright_tests::conformance::PATIENCE;
use certwright_tests::conformance::reloader::{Bench, Mood, Service};
use certwright_tests::materials::Authority;
use certwright_tests::scratch::Scratch;
use certwright_tests::served::{self, Leaf};
use certwright_tests::servers::{Server, User, haproxy};
use certwright_tests::stage_play::START;
use certwright_tests::until::until;
use rustix::process::{Pid, Signal, kill_process};

use super::made;

struct Haproxy {
    server: Mutex<Server>,
    socket: PathBuf,
    bundle: PathBuf,
    /// The worker that was stopped.
    stopped: Mutex<Option<Pid>>,
    _scratch: Scratch,
}

impl Haproxy {
    /// The process that answers on the admin socket.
    fn worker(&self) -> io::Result<Pid> {
        let mut stream = UnixStream::connect(&self.socket)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.write_all(b"show info\n")?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        let number = answer.lines().find_map(|line| line.strip_prefix("Pid: "));
        let pid = number.and_then(|number| number.parse().ok()).and_then(Pid::from_raw);
        pid.ok_or_else(|| io::Error::other(format!("no number in {answer}")))
    }

    fn go_on(&self) -> io::Result<()> {
        match self.stopped.lock().unwrap().take() {
            Some(worker) => Ok(kill_process(worker, Signal::CONT)?),
            None => Ok(()),
        }
    }

    fn with_level(&self, level: &str) -> io::Result<()> {
        let mut server = self.server.lock().unwrap();
        server.stop()?;
        let text = fs::read_to_string(&server.config)?;
        let line = |line: &str| match line.split_once(" level ") {
            Some((before, _)) => format!("{before} level {level}\n"),
            None => format!("{line}\n"),
        };
        fs::write(&server.config, text.lines().map(line).collect::<String>())?;
        server.start()?;
        // The socket of the admin is bound after those of the clients.
        until(PATIENCE, "it answers on its admin socket", || self.worker()).map(drop)
    }
}

impl Drop for Haproxy {
    fn drop(&mut self) {
        // One that stands still could not be ended.
        let _ = self.go_on();
    }
}

impl Service for Haproxy {
    fn activate(&self, material: &Material) -> io::Result<()> {
        fs::write(&self.bundle, material.bundle_pem().expose())
    }

    fn set(&self, mood: Mood) -> io::Result<bool> {
        self.go_on()?;
        match mood {
            Mood::Well => self.with_level("admin")?,
            Mood::Refusing => self.with_level("operator")?,
            Mood::Deaf => return Ok(false),
            Mood::Hanging => {
                let worker = self.worker()?;
                kill_process(worker, Signal::STOP)?;
                *self.stopped.lock().unwrap() = Some(worker);
            }
            Mood::Gone => self.server.lock().unwrap().stop()?,
        }
        Ok(true)
    }

    fn uses(&self) -> io::Result<Leaf> {
        let place = self.server.lock().unwrap().places[0];
        served::leaf(place, Some("www.example.org"))
    }

    fn told(&self) -> Option<usize> {
        None
    }

    fn is_reached(&self) -> io::Result<()> {
        // The kernel takes the connection for it, and nobody can see whether something waits in it.
        Ok(())
    }

    fn thing(&self) -> String {
        self.socket.display().to_string()
    }

    fn seen(&self) -> String {
        String::new()
    }
}

fn bench() -> io::Result<Bench> {
    let scratch = Scratch::on_disk()?;
    let bundle = scratch.join("www.pem");
    let mut server = haproxy::reading(User::STRANGER, &bundle)?;
    let now = START.parse().map_err(io::Error::other)?;
    fs::write(&bundle, Authority::new(now).leaf(&["www.example.org"], now).bundle_pem().expose())?;
    std::os::unix::fs::chown(&bundle, Some(User::STRANGER.uid), Some(User::STRANGER.gid))?;
    server.start()?;
    let socket = haproxy::socket(&server);
    let wish = Reload::Haproxy { socket: socket.clone(), certificate: bundle.clone(), otherwise: None };
    let service = Haproxy { server: Mutex::new(server), socket, bundle, stopped: Mutex::default(), _scratch: scratch };
    Ok(Bench { reloader: made(&wish), hurried: None, service: Arc::new(service), patience: PATIENCE })
}

mod as_root {
    certwright_tests::reloader_suite!(super::bench);
}
