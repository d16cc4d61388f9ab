//! acme2certifier: an ACME server by somebody else that suggests when to renew (RFC 9773). It looks for answers at port 80 of
//! where the system's resolver says a name is, so it takes a world of its own (see [`crate::namespace::in_world`]).

use std::fs::{self, File};
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use certwright::{Clock, SystemClock};
use rustix::process::Signal;
use serde_json::Value;

use super::LIMIT;
use crate::http::Web;
use crate::materials::Authority;
use crate::openssl::printed;
use crate::process::Running;
use crate::program::python;
use crate::scratch::Scratch;
use crate::until::until;

/// What it is told to do.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// The subject of what it issues.
    pub subject: Subject,
    /// The share of the life, in percent, after which it suggests to renew.
    pub share: u8,
    /// How long the suggested window is.
    pub window: Duration,
    /// When it wishes to be asked again.
    pub ask_again: Duration,
}

/// The subject of a certificate whose request had none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// None, as it is shipped.
    Empty,
    /// The first of its names.
    Named,
}

/// The days that its certificates live.
pub const DAYS: u32 = 30;

/// One that answers. It ends when it is dropped.
#[derive(Debug)]
pub struct Acme2certifier {
    /// Where everything begins.
    pub directory: String,
    /// The roots (a PEM file) that its own TLS is trusted by.
    pub trust: PathBuf,
    /// The root that it issues under, PEM.
    pub root: PathBuf,
    web: Web,
    running: Option<Running>,
    home: Scratch,
}

impl Acme2certifier {
    /// Starts one, and waits until its directory answers.
    ///
    /// # Errors
    ///
    /// With its last words, when it ends or does not answer in time.
    pub fn start(options: Options) -> io::Result<Self> {
        let home = Scratch::on_disk()?;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 443));
        let (trust, now) = (home.join("trust.pem"), SystemClock.now());
        let authority = Authority::new(now);
        let material = authority.leaf(&[&address.ip().to_string()], now);
        fs::write(&trust, authority.root_pem())?;
        fs::write(home.join("tls.pem"), material.chain().fullchain_pem())?;
        fs::write(home.join("tls-key.pem"), material.key().to_pem().expose())?;
        fs::create_dir(home.join("issued"))?;
        let root = home.join("root.pem");
        let mut server = Self {
            directory: format!("https://{}/directory", address.ip()),
            web: Web::secure(address, &trust)?,
            trust,
            root,
            running: None,
            home,
        };
        server.make_authority()?;
        server.restart(options)?;
        Ok(server)
    }

    /// A root, and an authority below it.
    fn make_authority(&self) -> io::Result<()> {
        let at = |name: &str| self.home.join(name).display().to_string();
        let key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "3650"];
        let signs =
            ["-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign,cRLSign"];
        let made = |subject: &str, name: &str, more: &[String]| {
            let files =
                ["-keyout".to_owned(), at(&format!("{name}.key")), "-out".to_owned(), at(&format!("{name}.pem"))];
            let words = ["req", "-x509", "-subj", subject].into_iter().chain(key).chain(signs).map(str::to_owned);
            printed(words.chain(files).chain(more.iter().cloned())).map(drop)
        };
        made("/CN=Foreign Root", "root", &[])?;
        made("/CN=Foreign Authority", "ca", &["-CA".to_owned(), at("root.pem"), "-CAkey".to_owned(), at("root.key")])
    }

    /// Starts it once more, told otherwise; what it knows stays.
    ///
    /// # Errors
    ///
    /// As [`Acme2certifier::start`].
    pub fn restart(&mut self, options: Options) -> io::Result<()> {
        self.stop();
        let config = self.home.join("acme_srv.cfg");
        fs::write(&config, self.configuration(options))?;
        let log = File::create(self.home.join("output.log"))?;
        let mut command = Command::new(python("acme2certifier"));
        command.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/foreign/over_tls.py"));
        command.args(["tls.pem", "tls-key.pem", "requests"].map(|name| self.home.join(name)));
        // No proxy, no search path, no configuration of whoever runs the tests.
        command.env_clear().env("ACME_SRV_CONFIGFILE", &config).env("PYTHONDONTWRITEBYTECODE", "1");
        command.current_dir(self.home.path()).stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        self.running = Some(Running::start(&mut command)?);
        let ready = until(LIMIT, "the directory answers", || {
            if let Some(Ok(status)) = self.running.as_mut().map(|running| running.wait(Duration::ZERO)) {
                return Ok(Err(io::Error::other(format!("acme2certifier ended with {status}"))));
            }
            self.web.get("/directory").map(|_| Ok(()))
        });
        ready
            .and_then(|ready| ready)
            .map_err(|error| io::Error::new(error.kind(), format!("{error}; it said: {}", self.said())))?;
        // What made sure that it answers was asked by nobody.
        fs::write(self.home.join("requests"), "")
    }

    fn configuration(&self, options: Options) -> String {
        let home = self.home.path().display();
        let (window, again) = (options.window.as_secs(), options.ask_again.as_secs());
        format!(
            "[DEFAULT]\ndebug: False\n\
             [CAhandler]\nhandler_module: acme2certifier.cahandlers.openssl_ca_handler\n\
             issuing_ca_key: {home}/ca.key\nissuing_ca_cert: {home}/ca.pem\nissuing_ca_crl: {home}/ca.crl\n\
             cert_save_path: {home}/issued\ncert_validity_days: {DAYS}\ncn_enforce: {}\n\
             [DBhandler]\nhandler_module: acme2certifier.dbhandlers.wsgi_handler\ndbfile: {home}/acme.db\n\
             [Renewalinfo]\nrenewalthreshold_pctg: {}\nrenewal_window_duration: {window}\n\
             retry_after_timeout: {again}\n",
            if options.subject == Subject::Named { "True" } else { "False" },
            options.share,
        )
    }

    /// The requests that it took since it started last, in order: `method`, `path`, and what was `signed`.
    ///
    /// # Errors
    ///
    /// When the list cannot be read.
    pub fn requests(&self) -> io::Result<Vec<Value>> {
        let text = fs::read_to_string(self.home.join("requests"))?;
        text.lines().map(|line| serde_json::from_str(line).map_err(io::Error::from)).collect()
    }

    /// What it says about a certificate of this name in renewal information (RFC 9773 §4.1).
    ///
    /// # Errors
    ///
    /// When it says nothing.
    pub fn renewal_information(&self, path: &str) -> io::Result<Value> {
        Ok(serde_json::from_slice(&self.web.get(path)?.body)?)
    }

    /// What it printed.
    pub fn said(&self) -> String {
        String::from_utf8_lossy(&fs::read(self.home.join("output.log")).unwrap_or_default()).into_owned()
    }

    fn stop(&mut self) {
        if let Some(mut running) = self.running.take() {
            let _ = running.signal(Signal::TERM);
            let _ = running.wait(LIMIT);
        }
    }
}

impl Drop for Acme2certifier {
    fn drop(&mut self) {
        self.stop();
    }
}
