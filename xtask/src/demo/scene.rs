//! The machine of the demonstration: a directory, an nginx, and a person who types.

use std::fs;
use std::io::Write;
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::Outcome;
use crate::demo::authority::{Authority, free_port};
use crate::run::answer;
use crate::services::{PROGRAMS, is_root};

/// How long nginx has to start or end.
const PATIENCE: Duration = Duration::from_secs(10);

/// Everything that the demonstration has on the machine; taken away with it.
pub(super) struct Scene {
    folder: PathBuf,
    certwright: PathBuf,
    port: u16,
    /// User and group of nginx, when it is not run as who we are.
    identity: Option<(u32, u32)>,
    authority: Option<Authority>,
    nginx: Option<Child>,
    first: String,
}

impl Scene {
    /// A directory of its own, and an nginx that serves nothing yet.
    pub(super) fn set() -> Result<Self, String> {
        let here = std::env::current_exe().map_err(|fault| format!("this program has no path: {fault}"))?;
        let folder = std::env::temp_dir().join(format!("certwright-demo-{}", std::process::id()));
        let port = free_port()?;
        let identity = if is_root() { Some((number("-u")?, number("-g")?)) } else { None };
        let certwright = here.with_file_name("certwright");
        fs::create_dir(&folder).map_err(|fault| format!("cannot make `{}`: {fault}", folder.display()))?;
        let mut scene = Self { folder, certwright, port, identity, authority: None, nginx: None, first: String::new() };
        scene.authority = Some(Authority::start(&scene.certwright, &scene.folder)?);
        scene.start()?;
        Ok(scene)
    }

    fn start(&mut self) -> Outcome {
        let run = self.folder.join("run");
        let fault = |fault| format!("cannot make `{}`: {fault}", run.display());
        fs::create_dir(&run).map_err(fault)?;
        if let Some((uid, gid)) = self.identity {
            chown(&run, Some(uid), Some(gid)).map_err(fault)?;
        }
        self.write("nginx.conf", &self.nginx_conf(""))?;
        let mut nginx = Command::new(program("nginx")?);
        nginx.arg("-e").arg(run.join("error.log")).arg("-c").arg(self.folder.join("nginx.conf"));
        nginx.current_dir(&self.folder).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        if let Some((uid, gid)) = self.identity {
            nginx.uid(uid).gid(gid);
        }
        let child = nginx.spawn().map_err(|fault| format!("nginx cannot be started: {fault}"))?;
        let pid = child.id().to_string();
        self.nginx = Some(child);
        let start = Instant::now();
        while fs::read_to_string(run.join("pid")).unwrap_or_default().trim() != pid {
            let ended = self.nginx.as_mut().is_some_and(|nginx| !matches!(nginx.try_wait(), Ok(None)));
            if ended || start.elapsed() > PATIENCE {
                let log = fs::read_to_string(run.join("error.log")).unwrap_or_default();
                return Err(format!("nginx does not start; its log: {}", log.trim()));
            }
            pause();
        }
        Ok(())
    }

    /// A site in nginx's configuration, and the wish for its certificate.
    pub(super) fn site(&self, names: &[&str]) -> Outcome {
        let site = format!(
            "server {{\n  listen 127.0.0.1:{} ssl;\n  ssl_certificate {folder}/certs/www/current/fullchain.pem;\n  \
             ssl_certificate_key {folder}/certs/www/current/key.pem;\n  return 204;\n}}\n",
            self.port,
            folder = self.folder(),
        );
        self.write("nginx.conf", &self.nginx_conf(&site))?;
        let readers = if self.foreign_readers() { "readers = [\"user:www-data\", \"user:backup\"]\n" } else { "" };
        let (directory, http) = self.authority.as_ref().map_or(("", 0), |bed| (bed.directory.as_str(), bed.port));
        let issuer = format!(
            "[issuer.public]\ntype = \"acme\"\ndirectory = \"{directory}\"\ntrust = \"{}/bed/ca.pem\"\n\
             solver = {{ type = \"http-01\", listen = \"127.0.0.1:{http}\" }}\n",
            self.folder(),
        );
        let wish = format!(
            "version = 1\nroot = \"{folder}/certs\"\n\n{issuer}\n[lineage.www]\n\
             identifiers = {names:?}\nissuer = \"public\"\n{readers}\
             service = {{ preset = \"nginx\", binary = \"{binary}\", config = \"{folder}/nginx.conf\", pid = \"{folder}/run/pid\" }}\n\
             probe = [{{ address = \"127.0.0.1:{port}\", server_name = \"www.example.org\" }}]\n",
            folder = self.folder(),
            binary = program("nginx")?.display(),
            port = self.port,
        );
        self.write("certwright.toml", &wish)
    }

    /// A mistake that a person makes in the configuration, apart from any certificate.
    pub(super) fn break_nginx(&self) -> Outcome {
        let text = fs::read_to_string(self.folder.join("nginx.conf")).unwrap_or_default();
        self.write("nginx.conf", &text.replace("return 204", "retrun 204"))
    }

    fn nginx_conf(&self, site: &str) -> String {
        let run = self.folder.join("run");
        let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .iter()
            .map(|kind| format!("{kind}_temp_path {}/{kind};\n", run.display()))
            .collect();
        format!(
            "daemon off;\nworker_processes 1;\npid {run}/pid;\nerror_log {run}/error.log notice;\nevents {{}}\n\
             http {{\naccess_log off;\n{temporary}{site}}}\n",
            run = run.display(),
        )
    }

    fn write(&self, name: &str, text: &str) -> Outcome {
        let path = self.folder.join(name);
        fs::write(&path, text).map_err(|fault| format!("cannot write `{}`: {fault}", path.display()))
    }

    /// Run a verb of the command line, said aloud.
    pub(super) fn certwright(&self, words: &[&str]) -> Result<Told, String> {
        self.type_in("certwright", &self.certwright, words)
    }

    /// Run another program, said aloud.
    pub(super) fn typed(&self, name: &str, words: &[&str]) -> Result<Told, String> {
        self.type_in(name, Path::new(name), words)
    }

    fn type_in(&self, name: &str, program: &Path, words: &[&str]) -> Result<Told, String> {
        let shown = format!("{name} {}", words.join(" "));
        println!("$ {shown}");
        let output = Command::new(program)
            .args(words)
            .current_dir(&self.folder)
            .env("CERTWRIGHT_CONFIG", self.folder.join("certwright.toml"))
            .stdin(Stdio::null())
            .output()
            .map_err(|fault| format!("`{shown}` cannot be started: {fault}"))?;
        let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        let text = text.replace(&format!("{}/", self.folder()), "");
        Ok(Told { shown, text, status: output.status.code() })
    }

    /// The first eight digits of the fingerprint that OpenSSL sees at the port.
    pub(super) fn openssl(&self) -> Result<String, String> {
        let address = format!("127.0.0.1:{}", self.port);
        println!("$ openssl s_client -connect {address} </dev/null | openssl x509 -noout -fingerprint -sha256");
        let openssl = program("openssl")?;
        let fault = |fault| format!("openssl cannot be run: {fault}");
        let connect = ["s_client", "-connect", &address, "-servername", "www.example.org"];
        let seen = Command::new(&openssl).args(connect).stdin(Stdio::null()).output().map_err(fault)?;
        let mut reader = Command::new(&openssl)
            .args(["x509", "-noout", "-fingerprint", "-sha256"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(fault)?;
        if let Some(mut input) = reader.stdin.take() {
            // A reader that has seen enough may close first.
            let _ = input.write_all(&seen.stdout);
        }
        let output = reader.wait_with_output().map_err(fault)?;
        let text = String::from_utf8_lossy(&output.stdout);
        let Some((word, digits)) = text.trim().split_once('=') else {
            return Err(format!("nothing is served at {address}: {}", String::from_utf8_lossy(&seen.stderr).trim()));
        };
        let short: String = digits.chars().take(11).collect();
        println!("  {word}={short}…");
        Ok(short.replace(':', "").to_lowercase())
    }

    /// The generation that `current` names.
    pub(super) fn active(&self) -> Result<String, String> {
        let link = self.folder.join("certs/www/current");
        let target = fs::read_link(&link).map_err(|fault| format!("cannot read `{}`: {fault}", link.display()))?;
        Ok(target.file_name().unwrap_or_default().to_string_lossy().into_owned())
    }

    /// Keep in mind which generation was the first.
    pub(super) fn remember(&mut self, generation: String) {
        self.first = generation;
    }

    /// The generation that was the first.
    pub(super) fn first(&self) -> &str {
        &self.first
    }

    /// The directory.
    pub(super) fn folder(&self) -> std::path::Display<'_> {
        self.folder.display()
    }

    /// Whether nginx and the readers are other users than this one.
    pub(super) const fn foreign_readers(&self) -> bool {
        self.identity.is_some()
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        if let Some(mut nginx) = self.nginx.take() {
            // The master ends its workers when it is asked to; killed, it would leave them behind.
            let ask = ["-c", "kill -TERM \"$1\"", "kill", &nginx.id().to_string()];
            let _ = Command::new("sh").args(ask).stderr(Stdio::null()).status();
            let start = Instant::now();
            while matches!(nginx.try_wait(), Ok(None)) {
                if start.elapsed() > PATIENCE {
                    let _ = nginx.kill();
                }
                pause();
            }
        }
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// What a command said, and how it ended.
pub(super) struct Told {
    shown: String,
    text: String,
    status: Option<i32>,
}

impl Told {
    /// It has to have ended with this status.
    pub(super) fn ends(self, status: i32) -> Result<Self, String> {
        if self.status == Some(status) {
            return Ok(self);
        }
        Err(self.fault(&format!("ended with {:?} instead of {status}", self.status)))
    }

    /// It has to have said this.
    pub(super) fn says(self, what: &str) -> Result<Self, String> {
        if self.text.contains(what) { Ok(self) } else { Err(self.fault(&format!("does not say `{what}`"))) }
    }

    /// Show the lines that begin so, cut to the screen, and the status when it is not 0.
    pub(super) fn show(&self, wanted: &[&str]) {
        let lines = self.text.lines().map(str::trim_start);
        let mut lines = lines.filter(|line| wanted.iter().any(|start| line.starts_with(start))).peekable();
        while let Some(line) = lines.next() {
            let mut cut: String = line.chars().take(WIDTH).collect();
            if cut.len() < line.len() {
                cut.push('…');
            }
            match self.status {
                Some(status @ 1..) if lines.peek().is_none() => println!("  {cut}  [exit status {status}]"),
                _ => println!("  {cut}"),
            }
        }
    }

    fn fault(&self, what: &str) -> String {
        format!("`{}` {what}; it said:\n{}", self.shown, self.text.trim_end())
    }
}

/// Between two looks at another process, which tells nobody when it is ready.
#[expect(clippy::disallowed_methods, reason = "a pid file and a process that ends have no event to wait for")]
fn pause() {
    std::thread::sleep(Duration::from_millis(20));
}

/// The columns of a usual terminal, less margin and exit status.
const WIDTH: usize = 98;

/// The number of the user or group `www-data`.
fn number(option: &str) -> Result<u32, String> {
    let mut id = Command::new("id");
    id.args([option, "www-data"]);
    answer(id).and_then(|text| text.parse().ok()).ok_or_else(|| "there is no user `www-data`".to_owned())
}

fn program(name: &str) -> Result<PathBuf, String> {
    let found = PROGRAMS.iter().find(|program| program.name == name).and_then(|program| program.find());
    found.ok_or_else(|| format!("`{name}` is not installed"))
}
