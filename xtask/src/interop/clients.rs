//! The clients, what each can do, and why it cannot do the rest.

use std::fs;
use std::path::{Path, PathBuf};

use crate::interop::{package_version, version_in};
use crate::run::{answer, command, run_logged};
use crate::services::PROGRAMS;

/// What is tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is a word of RFC 8555")]
pub enum Column {
    Http01,
    Dns01,
    TlsAlpn01,
    Wildcard,
    Eab,
    Renew,
    Revoke,
}

impl Column {
    /// All of them.
    pub const ALL: [Self; 7] =
        [Self::Http01, Self::Dns01, Self::TlsAlpn01, Self::Wildcard, Self::Eab, Self::Renew, Self::Revoke];

    /// The argument of the scripts.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Http01 => "http-01",
            Self::Dns01 => "dns-01",
            Self::TlsAlpn01 => "tls-alpn-01",
            Self::Wildcard => "wildcard",
            Self::Eab => "eab",
            Self::Renew => "renew",
            Self::Revoke => "revoke",
        }
    }

    /// What the story of the test bed has to have in it.
    pub(crate) const fn seen(self) -> &'static [&'static str] {
        match self {
            Self::Http01 => &["\"type\":\"http-01\""],
            Self::Dns01 => &["\"type\":\"dns-01\""],
            Self::TlsAlpn01 => &["\"type\":\"tls-alpn-01\""],
            Self::Wildcard => &["\"type\":\"dns-01\"", "\"*.example.org\""],
            Self::Eab | Self::Renew => &[],
            Self::Revoke => &["\"revoked\":"],
        }
    }
}

/// One client.
pub struct Client {
    /// As people call it, with a version where there are two.
    pub name: &'static str,
    /// The row of [`PROGRAMS`], when it is installed from there.
    pub installed: Option<&'static str>,
    /// How it is had otherwise.
    had: Had,
    /// The variable in which the script looks for the program.
    pub variable: &'static str,
    /// What it does, column by column.
    pub script: &'static str,
    /// What it cannot do, and why.
    cannot: &'static [(Column, &'static str)],
}

enum Had {
    /// It is in [`PROGRAMS`].
    Installed,
    /// The newest release of its own package index, in a virtual environment below `target/`.
    Python,
    /// Debian's package, unpacked below `target/`: installed, it would start.
    Unpacked(&'static str),
}

const NO_ALPN: &str = "it does not know tls-alpn-01";

/// All of them.
pub const CLIENTS: [Client; 8] = [
    Client {
        name: "certbot",
        installed: Some("certbot"),
        had: Had::Installed,
        variable: "CERTBOT",
        script: include_str!("certbot.sh"),
        cannot: &[(Column::TlsAlpn01, NO_ALPN)],
    },
    Client {
        name: "certbot (PyPI)",
        installed: None,
        had: Had::Python,
        variable: "CERTBOT",
        script: include_str!("certbot.sh"),
        cannot: &[(Column::TlsAlpn01, NO_ALPN)],
    },
    Client {
        name: "lego",
        installed: Some("lego"),
        had: Had::Installed,
        variable: "LEGO",
        script: include_str!("lego.sh"),
        cannot: &[],
    },
    Client {
        name: "dehydrated",
        installed: Some("dehydrated"),
        had: Had::Installed,
        variable: "DEHYDRATED",
        script: include_str!("dehydrated.sh"),
        cannot: &[],
    },
    Client {
        name: "uacme",
        installed: Some("uacme"),
        had: Had::Installed,
        variable: "UACME",
        script: include_str!("uacme.sh"),
        cannot: &[],
    },
    Client {
        name: "acmetool",
        installed: Some("acmetool"),
        had: Had::Installed,
        variable: "ACMETOOL",
        script: include_str!("acmetool.sh"),
        cannot: &[
            (Column::TlsAlpn01, NO_ALPN),
            (Column::Eab, "it has no option for external account binding"),
            (
                Column::Revoke,
                "`acmetool revoke` marks the certificate on disk, and asks the server for nothing, then or later",
            ),
        ],
    },
    Client {
        name: "acme-tiny",
        installed: Some("acme-tiny"),
        had: Had::Installed,
        variable: "ACME_TINY",
        script: include_str!("acme-tiny.sh"),
        cannot: &[
            (Column::Dns01, "http-01 is all that it knows"),
            (Column::TlsAlpn01, "http-01 is all that it knows"),
            (Column::Wildcard, "http-01 is all that it knows"),
            (Column::Eab, "it has no option for external account binding"),
            (Column::Revoke, "it does not revoke"),
        ],
    },
    Client {
        name: "Caddy",
        installed: None,
        had: Had::Unpacked("caddy"),
        variable: "CADDY",
        script: include_str!("caddy.sh"),
        cannot: &[
            (Column::Dns01, "Debian's has no module for a DNS provider"),
            (Column::Wildcard, "Debian's has no module for a DNS provider"),
            (
                Column::Renew,
                "it renews when two thirds of the life are over, by its own clock, and has no command for it",
            ),
            (Column::Revoke, "it has no command for it"),
        ],
    },
];

impl Client {
    /// Why it does not do this; `None` when it does.
    pub fn reason(&self, column: Column) -> Option<&'static str> {
        self.cannot.iter().find(|(other, _)| *other == column).map(|(_, reason)| *reason)
    }

    /// Where it is; it is brought when it is not there.
    ///
    /// # Errors
    ///
    /// When it cannot be had.
    pub fn program(&self) -> Result<PathBuf, String> {
        let folder = crate::root().join("target/interop");
        match self.had {
            Had::Installed => {
                let row = PROGRAMS.iter().find(|row| Some(row.name) == self.installed);
                row.and_then(|row| row.find()).ok_or_else(|| format!("`{}` is not installed", self.name))
            }
            Had::Python => {
                let program = folder.join("certbot/bin/certbot");
                if !program.exists() {
                    let place = folder.join("certbot").display().to_string();
                    run_logged(command("python3", ["-m", "venv", &place]), "interop-venv.log")?;
                    let pip = format!("{place}/bin/pip");
                    run_logged(command(&pip, ["install", "--quiet", "certbot"]), "interop-pip.log")?;
                }
                Ok(program)
            }
            Had::Unpacked(package) => {
                let place = folder.join(package);
                let program = place.join("usr/bin").join(package);
                if !program.exists() {
                    fs::create_dir_all(&place).map_err(|fault| format!("`{}`: {fault}", place.display()))?;
                    let mut download = command("apt-get", ["download", package]);
                    download.current_dir(&place);
                    run_logged(download, "interop-download.log")?;
                    let archive = archive(&place)?;
                    let unpacked = place.display().to_string();
                    run_logged(command("dpkg", ["--extract", &archive, &unpacked]), "interop-unpack.log")?;
                }
                Ok(program)
            }
        }
    }

    /// Its version, as far as it tells.
    pub fn version(&self, program: &Path) -> String {
        let row = PROGRAMS.iter().find(|row| Some(row.name) == self.installed);
        let version = match (&self.had, row) {
            (Had::Installed, Some(row)) => package_version(row.package),
            _ => ["--version", "version"]
                .iter()
                .find_map(|word| version_in(&answer(command(&program.to_string_lossy(), [word]))?)),
        };
        version.unwrap_or_else(|| "?".to_owned())
    }
}

fn archive(place: &Path) -> Result<String, String> {
    let entries = fs::read_dir(place).map_err(|fault| format!("`{}`: {fault}", place.display()))?;
    let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
    let found = paths.into_iter().find(|path| path.extension().is_some_and(|end| end == "deb"));
    found.map(|path| path.display().to_string()).ok_or_else(|| format!("no package came into `{}`", place.display()))
}
