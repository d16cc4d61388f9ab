//! lego, uacme, dehydrated and certbot, as their users run them: each process gets one certificate.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

use super::Job;
use super::web::Web;
use crate::Fault;
use crate::site::well;

/// One of them.
pub(crate) struct Peer {
    pub(crate) name: &'static str,
    /// How many times the CPU of ours it shall take.
    pub(crate) cpu: f64,
    pub(crate) order: fn(&Job, &Web) -> Result<(), Fault>,
}

/// Each, in the order in which they are measured.
pub(crate) const ALL: [Peer; 4] = [
    Peer { name: "uacme", cpu: 3.0, order: uacme },
    Peer { name: "certbot", cpu: 40.0, order: certbot },
    Peer { name: "dehydrated", cpu: 3.0, order: dehydrated },
    Peer { name: "lego", cpu: 3.0, order: lego },
];

impl Peer {
    pub(crate) fn is_there(&self) -> bool {
        Command::new(self.name).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok()
    }
}

fn done(command: &mut Command) -> Result<(), Fault> {
    let output = command.stdin(Stdio::null()).output()?;
    if !output.status.success() {
        eprintln!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    }
    well(!output.status.success())
}

fn lego(job: &Job, web: &Web) -> Result<(), Fault> {
    let mut command = Command::new("lego");
    command.env("LEGO_CA_CERTIFICATES", &job.trust).args(["--server", &job.directory, "--accept-tos"]);
    command.args(["--email", "ops@example.org", "--key-type", "ec256", "--domains", &job.name, "--http"]);
    command.args(["--http.port", &job.http.to_string(), "--path"]).arg(&job.folder).arg("run");
    web.aside(&|| Ok(()))?;
    done(&mut command)
}

fn certbot(job: &Job, web: &Web) -> Result<(), Fault> {
    let at = |name: &str| job.folder.join(name);
    let mut command = Command::new("certbot");
    command.env("REQUESTS_CA_BUNDLE", &job.trust).args(["certonly", "--quiet", "--non-interactive", "--agree-tos"]);
    command.args(["--register-unsafely-without-email", "--key-type", "ecdsa", "--elliptic-curve", "secp256r1"]);
    command.args(["--server", &job.directory, "--domain", &job.name, "--webroot", "--webroot-path"]);
    command.arg(web.answers().ancestors().nth(2).unwrap_or(Path::new("/")));
    command.arg("--config-dir").arg(at("config")).arg("--work-dir").arg(at("work")).arg("--logs-dir").arg(at("logs"));
    web.during(|| done(&mut command))
}

fn dehydrated(job: &Job, web: &Web) -> Result<(), Fault> {
    let config = job.folder.join("config");
    let text = format!(
        "CA={}\nBASEDIR={folder}\nWELLKNOWN={}\nKEY_ALGO=prime256v1\nCURL_OPTS=\"--cacert {}\"\n",
        job.directory,
        web.answers().display(),
        job.trust.display(),
        folder = job.folder.display(),
    );
    std::fs::write(&config, text)?;
    let command = || {
        let mut command = Command::new("dehydrated");
        command.arg("--config").arg(&config);
        command
    };
    if !job.folder.join("accounts").exists() {
        done(command().args(["--register", "--accept-terms"]))?;
    }
    web.during(|| done(command().args(["--cron", "--domain", &job.name])))
}

/// It trusts the bundle of the system and no other, so it gets one in a namespace of its own.
fn uacme(job: &Job, web: &Web) -> Result<(), Fault> {
    let hook = job.folder.join("hook");
    if !hook.exists() {
        let text = format!(
            "#!/bin/sh\n[ \"$2\" = http-01 ] || exit 1\ncase \"$1\" in\nbegin) printf %s \"$5\" >\"{0}/$4\" ;;\n\
             *) rm -f \"{0}/$4\" ;;\nesac\n",
            web.answers().display(),
        );
        std::fs::write(&hook, text)?;
        std::fs::set_permissions(&hook, std::fs::Permissions::from_mode(0o755))?;
    }
    let command = |words: &[&str]| {
        let mut command = Command::new("unshare");
        command.args(["--mount", "sh", "-c"]);
        command.arg("mount --bind \"$0\" /etc/ssl/certs/ca-certificates.crt && exec uacme \"$@\"").arg(&job.trust);
        command.args(["-y", "-a", &job.directory, "-t", "EC", "-b", "256", "-c"]).arg(job.folder.join("uacme"));
        command.arg("-h").arg(&hook).args(words);
        command
    };
    if !job.folder.join("uacme").exists() {
        done(&mut command(&["new"]))?;
    }
    web.during(|| done(&mut command(&["issue", &job.name])))
}
