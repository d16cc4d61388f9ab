//! What is known of the programs that people run: how each tests its configuration, is made to re-read, is seen to run,
//! and what it insists on.
//!
//! A preset only fills in; whatever the configuration says by hand wins. Paths are those of Debian's packages, and each
//! can be said otherwise, so that a preset serves an instance elsewhere, without systemd, under any user.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use super::spec::{Address, Command, Endpoint, KeyRule, Reload, Running, StartTls};
use super::word::worded;

worded! {
    /// A program whose ways are known.
    pub enum Preset {
        /// nginx(8).
        ///
        /// *Check*: `nginx -t -q` opens every file that the configuration names, the certificate and key included, and
        /// compares the two; `-q` leaves errors alone. It makes the log and pid files that it does not find: where nginx
        /// itself does not begin as root, run the check as its user (setpriv(1)), or it cannot open them when it is started
        /// for the first time. *Reload*: SIGHUP to the master (nginx(8), "SIGNALS"). It keeps the
        /// old certificate when the new set is bad, and says so in its log only: the probe is what tells.
        Nginx = "nginx",
        /// haproxy(1).
        ///
        /// *Check*: `haproxy -c` loads certificates and exits 1 on a fault (without `-q`, which would hide the reason).
        /// *Reload*: SIGUSR2 to the master, which re-executes itself: this needs master-worker mode (`-W`, `-Ws`), where
        /// `-p` writes the master's pid. With `socket`, the runtime API replaces the certificate without a reload; where that
        /// cannot be done and `pid` or `unit` is said as well, it is reloaded in that way.
        /// HAProxy reads key and chain from one file: `bundle`.
        Haproxy = "haproxy",
        /// Apache httpd, Debian's `apache2`.
        ///
        /// *Check*: `apache2ctl -t`, which sets the variables of `/etc/apache2/envvars` that Debian's configuration needs;
        /// with `binary` or `config`, `apache2 -t -f FILE`. It finds syntax and missing files, and does not compare key and
        /// certificate. *Reload*: SIGUSR1, "graceful" (httpd manual, "Stopping and Restarting"). `apache2ctl graceful` is
        /// not used: it would start a server that was stopped on purpose.
        Apache = "apache",
        /// PostgreSQL.
        ///
        /// *Check*: only with both `binary` (the server, `/usr/lib/postgresql/15/bin/postgres`) and `config`:
        /// `postgres -C ssl_cert_file` parses the configuration, prints one setting and ends, and may be run as root
        /// (postgres(1), `-C`). *Reload*: SIGHUP to the postmaster, whose pid is the first line of `postmaster.pid`; a bad
        /// set keeps the old one and is logged only. *Running*: `postgresql.service` is an umbrella that is active whatever
        /// its clusters do; name the cluster's own unit, `postgresql@15-main.service`, or its pid file.
        /// *Key*: refused by its mode bits, see [`KeyRule::Postgres`].
        Postgresql = "postgresql",
        /// postfix(1). `config` is the configuration *directory*.
        ///
        /// *Check*: `postfix check` looks at ownership and permissions and reads `main.cf`; it does not open the
        /// certificate. *Reload*: `postfix reload`; with `pid`, SIGHUP to master(8), which is what that command sends.
        /// Running smtpd(8) processes end at their earliest convenience.
        Postfix = "postfix",
        /// dovecot(1).
        ///
        /// *Check*: `doveconf -n` parses the configuration; `dovecot -n` takes the same options, so `binary` may be either.
        /// *Reload*: `doveadm reload`; with `pid`, SIGHUP to the master (dovecot(1), "SIGNALS").
        Dovecot = "dovecot",
    }
}

/// What holds for one program wherever it is.
struct Facts {
    /// The program that tests the configuration, looked up in the path.
    tester: &'static str,
    /// The signal that makes it re-read.
    signal: &'static str,
    /// Its unit, as Debian's package names it.
    unit: &'static str,
    /// Where it usually listens, on the loopback address.
    port: u16,
    /// The lines of its configuration that name one generation.
    include: Option<&'static str>,
}

impl Preset {
    const fn facts(self) -> Facts {
        match self {
            Self::Nginx => Facts {
                tester: "nginx",
                signal: "HUP",
                unit: "nginx.service",
                port: 443,
                include: Some(
                    "ssl_certificate {generation}/fullchain.pem;\nssl_certificate_key {generation}/key.pem;\n",
                ),
            },
            Self::Haproxy => Facts {
                tester: "haproxy",
                signal: "USR2",
                unit: "haproxy.service",
                port: 443,
                include: Some("{generation}/bundle.pem\n"),
            },
            Self::Apache => Facts {
                tester: "apache2ctl",
                signal: "USR1",
                unit: "apache2.service",
                port: 443,
                include: Some(
                    "SSLCertificateFile {generation}/fullchain.pem\nSSLCertificateKeyFile {generation}/key.pem\n",
                ),
            },
            Self::Postgresql => Facts {
                tester: "postgres",
                signal: "HUP",
                unit: "postgresql.service",
                port: 5432,
                include: Some("ssl_cert_file = '{generation}/fullchain.pem'\nssl_key_file = '{generation}/key.pem'\n"),
            },
            Self::Postfix => {
                Facts { tester: "postfix", signal: "HUP", unit: "postfix.service", port: 25, include: None }
            }
            Self::Dovecot => Facts {
                tester: "doveconf",
                signal: "HUP",
                unit: "dovecot.service",
                port: 993,
                include: Some("ssl_cert = <{generation}/fullchain.pem\nssl_key = <{generation}/key.pem\n"),
            },
        }
    }

    /// The text of a pinned include file, with `{generation}` in place of the generation's path: two directives for a
    /// server block of nginx or a virtual host of Apache, a line of a HAProxy `crt-list`, two settings for PostgreSQL's
    /// `include` or Dovecot 2.3's `!include`. Postfix has no include; name one bundle in `smtpd_tls_chain_files`.
    pub const fn include(self) -> Option<&'static str> {
        self.facts().include
    }

    /// The lines to write once into the program's own configuration, for a lineage in `directory`.
    ///
    /// # Examples
    ///
    /// ```
    /// use certwright::Preset;
    ///
    /// let lines = Preset::Haproxy.lines("/var/lib/certwright/www".as_ref());
    /// assert_eq!(lines, "bind :443 ssl crt /var/lib/certwright/www/current/bundle.pem\n");
    /// ```
    pub fn lines(self, directory: &Path) -> String {
        let lines = match self {
            Self::Haproxy => "bind :443 ssl crt {generation}/bundle.pem\n",
            Self::Postfix => "smtpd_tls_chain_files = {generation}/bundle.pem\n",
            other => other.facts().include.unwrap_or_default(),
        };
        lines.replace("{generation}", &directory.join("current").to_string_lossy())
    }

    /// What the program insists on for the mode bits of its key.
    pub const fn key_rule(self) -> KeyRule {
        match self {
            Self::Postgresql => KeyRule::Postgres,
            _ => KeyRule::None,
        }
    }

    /// The dialect that the program speaks before TLS on this port. PostgreSQL speaks its own on every port; for mail the
    /// registered ports of implicit TLS (465, 993, 995: RFC 8314 §7) have none.
    pub const fn starttls(self, port: u16) -> Option<StartTls> {
        match (self, port) {
            (Self::Postgresql, _) => Some(StartTls::Postgres),
            (Self::Postfix, 465) => None,
            (Self::Postfix, _) => Some(StartTls::Smtp),
            (Self::Dovecot, 143) => Some(StartTls::Imap),
            (Self::Dovecot, 110) => Some(StartTls::Pop3),
            (Self::Dovecot, 587) => Some(StartTls::Smtp),
            _ => None,
        }
    }

    /// Where the program usually listens, asked in the dialect that it speaks there. The server name is left open.
    pub const fn endpoint(self) -> Endpoint {
        let port = self.facts().port;
        let mut endpoint = Endpoint::new(Address::Socket(SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port)));
        endpoint.starttls = self.starttls(port);
        endpoint
    }
}

/// One instance of a program: a preset, and what is not at its usual place.
///
/// # Examples
///
/// ```
/// use certwright::{Preset, Service};
///
/// let mut service = Service::new(Preset::Nginx);
/// service.config = Some("/srv/web/nginx.conf".into());
/// let check = service.check().expect("nginx has one");
/// assert_eq!(check.argv, ["nginx", "-t", "-q", "-c", "/srv/web/nginx.conf"]);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Service {
    /// Which program it is.
    pub preset: Preset,
    /// Its configuration file; for Postfix the configuration directory.
    pub config: Option<PathBuf>,
    /// Its pid file. With one it is reloaded by signal and seen to run by its process.
    pub pid: Option<PathBuf>,
    /// The program that tests the configuration.
    pub binary: Option<PathBuf>,
    /// Its systemd unit.
    pub unit: Option<String>,
    /// The admin socket of HAProxy.
    pub socket: Option<PathBuf>,
}

impl Service {
    /// The program at its usual place.
    pub const fn new(preset: Preset) -> Self {
        Self { preset, config: None, pid: None, binary: None, unit: None, socket: None }
    }

    /// The program's own configuration test, where it has one.
    pub fn check(&self) -> Option<Command> {
        let mut argv = Argv::new(self.binary.as_deref(), self.preset.facts().tester);
        match self.preset {
            Preset::Nginx => argv.words(&["-t", "-q"]).option("-c", self.config.as_deref()),
            Preset::Haproxy => argv
                .words(&["-c"])
                .option("-f", Some(self.config.as_deref().unwrap_or(Path::new("/etc/haproxy/haproxy.cfg")))),
            Preset::Apache => {
                if self.binary.is_none() && self.config.is_some() {
                    argv = Argv::new(None, "apache2");
                }
                argv.words(&["-t"]).option("-f", self.config.as_deref())
            }
            Preset::Postgresql => {
                let (Some(_), Some(config)) = (&self.binary, &self.config) else { return None };
                // `-C` has to come first, or the server refuses to be run by root. The directory is where the server looks
                // for what the file does not name.
                argv.words(&["-C", "ssl_cert_file"])
                    .option("-D", config.parent())
                    .words(&[&format!("--config-file={}", config.display())])
            }
            Preset::Postfix => argv.option("-c", self.config.as_deref()).words(&["check"]),
            Preset::Dovecot => argv.option("-c", self.config.as_deref()).words(&["-n"]),
        };
        Some(Command::of_service(argv.0))
    }

    /// How the program is made to re-read: HAProxy's `socket` before a pid file, a pid file before a unit, a named unit
    /// before the program's own command, that command before the usual unit. `certificate` is the path that HAProxy loaded
    /// the bundle from.
    pub fn reload(&self, certificate: &Path) -> Reload {
        let facts = self.preset.facts();
        let said = self.said_reload();
        if let (Preset::Haproxy, Some(socket)) = (self.preset, &self.socket) {
            let otherwise = said.map(Box::new);
            return Reload::Haproxy { socket: socket.clone(), certificate: certificate.to_owned(), otherwise };
        }
        if let Some(said) = said {
            return said;
        }
        let mut argv = match self.preset {
            Preset::Postfix => Argv::new(self.binary.as_deref(), "postfix"),
            Preset::Dovecot => Argv::new(None, "doveadm"),
            _ => return Reload::Unit(facts.unit.to_owned()),
        };
        argv.option("-c", self.config.as_deref()).words(&["reload"]);
        Reload::Command(Command::of_service(argv.0))
    }

    /// By the pid file or the unit that was named.
    fn said_reload(&self) -> Option<Reload> {
        let by_pid =
            |pid: &PathBuf| Reload::Signal { signal: self.preset.facts().signal.to_owned(), pid_file: pid.clone() };
        self.pid.as_ref().map(by_pid).or_else(|| self.unit.clone().map(Reload::Unit))
    }

    /// How the program is seen to run: its pid file when one is known, else its unit.
    pub fn running(&self) -> Running {
        match (&self.pid, &self.unit, self.preset) {
            (Some(pid), _, _) => Running::PidFile(pid.clone()),
            (None, Some(unit), _) => Running::Unit(unit.clone()),
            (None, None, Preset::Postfix) => Running::PidFile("/var/spool/postfix/pid/master.pid".into()),
            (None, None, Preset::Dovecot) => Running::PidFile("/run/dovecot/master.pid".into()),
            (None, None, preset) => Running::Unit(preset.facts().unit.to_owned()),
        }
    }
}

/// An argument vector in the making.
struct Argv(Vec<String>);

impl Argv {
    fn new(binary: Option<&Path>, usual: &str) -> Self {
        Self(vec![binary.map_or_else(|| usual.to_owned(), |path| path.to_string_lossy().into_owned())])
    }

    fn words(&mut self, words: &[&str]) -> &mut Self {
        self.0.extend(words.iter().map(|word| (*word).to_owned()));
        self
    }

    fn option(&mut self, name: &str, path: Option<&Path>) -> &mut Self {
        if let Some(path) = path {
            self.0.extend([name.to_owned(), path.to_string_lossy().into_owned()]);
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn elsewhere(preset: Preset) -> Service {
        Service {
            config: Some("/c/file".into()),
            pid: Some("/c/pid".into()),
            binary: Some("/c/program".into()),
            ..Service::new(preset)
        }
    }

    fn argv(command: Option<Command>) -> String {
        command.map_or_else(|| "none".to_owned(), |command| command.argv.join(" "))
    }

    fn shown(reload: &Reload) -> String {
        match reload {
            Reload::Command(command) => command.argv.join(" "),
            Reload::Signal { signal, pid_file } => format!("{signal} {}", pid_file.display()),
            Reload::Unit(unit) => unit.clone(),
            Reload::Haproxy { socket, certificate, otherwise } => {
                let otherwise = otherwise.as_deref().map_or_else(|| "or nothing".to_owned(), shown);
                format!("{} {} {otherwise}", socket.display(), certificate.display())
            }
        }
    }

    /// The command lines of the manuals, at the usual place and elsewhere.
    #[test]
    fn each_program_is_checked_in_its_own_way() {
        for (preset, usual, other) in [
            (Preset::Nginx, "nginx -t -q", "/c/program -t -q -c /c/file"),
            (Preset::Haproxy, "haproxy -c -f /etc/haproxy/haproxy.cfg", "/c/program -c -f /c/file"),
            (Preset::Apache, "apache2ctl -t", "/c/program -t -f /c/file"),
            (Preset::Postgresql, "none", "/c/program -C ssl_cert_file -D /c --config-file=/c/file"),
            (Preset::Postfix, "postfix check", "/c/program -c /c/file check"),
            (Preset::Dovecot, "doveconf -n", "/c/program -c /c/file -n"),
        ] {
            assert_eq!(argv(Service::new(preset).check()), usual);
            assert_eq!(argv(elsewhere(preset).check()), other);
        }
        let config = Some(PathBuf::from("/c/file"));
        assert_eq!(argv(Service { config, ..Service::new(Preset::Apache) }.check()), "apache2 -t -f /c/file");
    }

    #[test]
    fn each_program_is_reloaded_in_its_own_way() {
        for (preset, usual, by_pid, by_command) in [
            (Preset::Nginx, "nginx.service", "HUP /c/pid", "nginx.service"),
            (Preset::Haproxy, "haproxy.service", "USR2 /c/pid", "haproxy.service"),
            (Preset::Apache, "apache2.service", "USR1 /c/pid", "apache2.service"),
            (Preset::Postgresql, "postgresql.service", "HUP /c/pid", "postgresql.service"),
            (Preset::Postfix, "postfix reload", "HUP /c/pid", "/c/program -c /c/file reload"),
            (Preset::Dovecot, "doveadm reload", "HUP /c/pid", "doveadm -c /c/file reload"),
        ] {
            let reload = |service: &Service| shown(&service.reload(Path::new("/c/bundle")));
            assert_eq!(reload(&Service::new(preset)), usual);
            assert_eq!(reload(&elsewhere(preset)), by_pid);
            assert_eq!(reload(&Service { pid: None, ..elsewhere(preset) }), by_command);
            let unit = Some("x@1.service".to_owned());
            assert_eq!(reload(&Service { pid: None, unit, ..elsewhere(preset) }), "x@1.service");
        }
        let socket = Some(PathBuf::from("/c/sock"));
        let haproxy = Service { socket, ..elsewhere(Preset::Haproxy) };
        let unit = Some("x.service".to_owned());
        for (service, otherwise) in [
            (haproxy.clone(), "USR2 /c/pid"),
            (Service { pid: None, unit, ..haproxy.clone() }, "x.service"),
            (Service { pid: None, ..haproxy }, "or nothing"),
        ] {
            assert_eq!(shown(&service.reload(Path::new("/c/bundle"))), format!("/c/sock /c/bundle {otherwise}"));
        }
    }

    #[test]
    fn each_program_is_seen_to_run() {
        for preset in Preset::ALL {
            assert_eq!(elsewhere(preset).running(), Running::PidFile("/c/pid".into()));
            let unit = Some("x.service".to_owned());
            assert_eq!(Service { unit, ..Service::new(preset) }.running(), Running::Unit("x.service".to_owned()));
        }
        assert_eq!(Service::new(Preset::Nginx).running(), Running::Unit("nginx.service".to_owned()));
        let dovecot = Running::PidFile("/run/dovecot/master.pid".into());
        assert_eq!(Service::new(Preset::Dovecot).running(), dovecot);
    }

    #[test]
    fn every_line_names_the_files_of_one_generation() {
        for preset in Preset::ALL {
            let lines = preset.lines(Path::new("/r/www"));
            assert!(lines.contains("/r/www/current/") && !lines.contains('{'), "{lines}");
            assert_eq!(lines.matches("key.pem").count(), usize::from(!lines.contains("bundle.pem")), "{lines}");
            if let Some(include) = preset.include() {
                assert!(include.contains("{generation}/") && include.ends_with('\n'), "{include}");
            }
        }
    }

    /// RFC 8314 §7.3 and §7.1, and the protocol manual of PostgreSQL.
    #[test]
    fn the_dialect_goes_by_program_and_port() {
        for (preset, port, dialect) in [
            (Preset::Nginx, 443, None),
            (Preset::Nginx, 25, None),
            (Preset::Postfix, 25, Some(StartTls::Smtp)),
            (Preset::Postfix, 587, Some(StartTls::Smtp)),
            (Preset::Postfix, 465, None),
            (Preset::Dovecot, 143, Some(StartTls::Imap)),
            (Preset::Dovecot, 110, Some(StartTls::Pop3)),
            (Preset::Dovecot, 993, None),
            (Preset::Dovecot, 995, None),
            (Preset::Postgresql, 6432, Some(StartTls::Postgres)),
        ] {
            assert_eq!(preset.starttls(port), dialect, "{preset} {port}");
        }
        for preset in Preset::ALL {
            assert_eq!(preset.endpoint().starttls, preset.starttls(preset.endpoint().address.port().unwrap()));
        }
    }
}
