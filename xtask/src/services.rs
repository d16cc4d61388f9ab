//! `cargo xtask services`: the real programs that the tests run against, from Debian's packages and a few from the
//! Python Package Index, never started.

use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

use crate::Outcome;
use crate::python;
use crate::quiet::{Quiet, disable, mask, no_cluster};
use crate::run::{answer, command, run_logged};
use crate::step_ca;

/// One program that something here runs.
pub struct Program {
    /// Its name.
    pub name: &'static str,
    /// The Debian package that brings it.
    pub package: &'static str,
    /// What needs it.
    pub purpose: Purpose,
    /// The services that the package would start, each also the name of its systemd unit (a suffix says otherwise).
    pub starts: &'static [&'static str],
}

/// What a program is for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// `cargo xtask test`.
    Tests,
    /// The benchmark alone: a peer to measure against.
    Bench,
    /// `cargo xtask interop` alone: a client that is slow by design.
    Interop,
}

const fn needed(name: &'static str, package: &'static str, starts: &'static [&'static str]) -> Program {
    Program { name, package, purpose: Purpose::Tests, starts }
}

/// Every program, its package, and what has to be kept from starting.
pub const PROGRAMS: &[Program] = &[
    needed("nginx", "nginx", &["nginx"]),
    needed("haproxy", "haproxy", &["haproxy"]),
    needed("apache2", "apache2", &["apache2", "apache-htcacheclean"]),
    needed("apache2ctl", "apache2", &[]),
    needed("postgres", "postgresql-15", &["postgresql"]),
    needed("initdb", "postgresql-15", &[]),
    needed("pg_ctl", "postgresql-15", &[]),
    needed("psql", "postgresql-client-15", &[]),
    needed("postfix", "postfix", &["postfix"]),
    needed("postconf", "postfix", &[]),
    needed("dovecot", "dovecot-core", &["dovecot", "dovecot.socket"]),
    needed("doveconf", "dovecot-core", &[]),
    needed("doveadm", "dovecot-core", &[]),
    needed("imap-login", "dovecot-imapd", &[]),
    needed("pop3-login", "dovecot-pop3d", &[]),
    needed("getfacl", "acl", &[]),
    needed("setfacl", "acl", &[]),
    needed("mke2fs", "e2fsprogs", &[]),
    needed("chattr", "e2fsprogs", &[]),
    needed("openssl", "openssl", &[]),
    needed("strace", "strace", &[]),
    needed("pebble", "pebble", &[]),
    needed("pebble-challtestsrv", "pebble", &[]),
    needed("lego", "lego", &[]),
    needed("named", "bind9", &["named"]),
    needed("nsupdate", "bind9-dnsutils", &[]),
    needed("dig", "bind9-dnsutils", &[]),
    needed("host", "bind9-host", &[]),
    needed("curl", "curl", &[]),
    needed("uacme", "uacme", &[]),
    needed("gcc", "gcc", &[]),
    needed("g++", "g++", &[]),
    needed("clang", "clang", &[]),
    needed("clang++", "clang", &[]),
    needed("pkg-config", "pkgconf", &[]),
    needed("valgrind", "valgrind", &[]),
    needed("ssl.h", "libssl-dev", &[]),
    needed("make", "make", &[]),
    needed("cmake", "cmake", &[]),
    needed("meson", "meson", &[]),
    needed("ninja", "ninja-build", &[]),
    needed("nm", "binutils", &[]),
    needed("readelf", "binutils", &[]),
    needed("python3", "python3", &[]),
    needed("knotd", "knot", &["knot"]),
    needed("ip", "iproute2", &[]),
    needed("systemd-analyze", "systemd", &[]),
    needed("go", "golang-go", &[]),
    needed("ualpn", "uacme", &[]),
    needed("dehydrated", "dehydrated", &[]),
    needed("acme-tiny", "acme-tiny", &[]),
    Program { name: "certbot", package: "certbot", purpose: Purpose::Bench, starts: &["certbot.timer"] },
    Program { name: "acmetool", package: "acmetool", purpose: Purpose::Interop, starts: &["acmetool.timer"] },
];

/// Where Debian keeps programs that are not on everybody's `PATH`.
const FOLDERS: &[&str] = &[
    "/usr/sbin",
    "/sbin",
    "/usr/bin",
    "/bin",
    "/usr/lib/postgresql/15/bin",
    "/usr/lib/dovecot",
    "/usr/include/openssl",
];

impl Program {
    /// The path of the executable, when it is installed. `PATH` comes first.
    pub fn find(&self) -> Option<PathBuf> {
        let path = std::env::var_os("PATH").unwrap_or_default();
        std::env::split_paths(&path).chain(FOLDERS.iter().map(PathBuf::from)).map(|folder| folder.join(self.name)).find(
            |file| file.metadata().is_ok_and(|facts| facts.is_file() && (facts.mode() & 0o111 != 0 || is_header(file))),
        )
    }
}

/// What a compiler reads is no program, and comes from a package all the same.
fn is_header(file: &std::path::Path) -> bool {
    file.extension().is_some_and(|kind| kind == "h")
}

/// The programs that are not installed.
pub(crate) fn missing(purpose: Purpose) -> Vec<&'static Program> {
    PROGRAMS.iter().filter(|program| program.purpose == purpose && program.find().is_none()).collect()
}

/// The verb: install what the tests need, or with `bench` what the benchmark compares with.
///
/// # Errors
///
/// When something is missing and cannot be installed.
pub fn verb(arguments: &[String]) -> Outcome {
    match arguments {
        [] => install(Purpose::Tests),
        [word] if word == "bench" => install(Purpose::Bench),
        _ => Err("usage: cargo xtask services [bench]".to_owned()),
    }
}

/// Install what is missing for this purpose; does nothing when nothing is.
///
/// # Errors
///
/// When apt fails, a program is still missing afterwards, or step-ca cannot be built.
pub fn install(purpose: Purpose) -> Outcome {
    let wanted = missing(purpose);
    // A library has no program that could be looked for.
    let code: &[&str] = if purpose == Purpose::Tests && !step_ca::has_code() { &[step_ca::PACKAGE] } else { &[] };
    if wanted.is_empty() && code.is_empty() {
        let count = PROGRAMS.iter().filter(|program| program.purpose == purpose).count();
        println!("services: all {count} programs are installed");
    } else {
        bring(&wanted, code)?;
    }
    if purpose == Purpose::Tests {
        python::install()?;
        step_ca::build()?;
    }
    Ok(())
}

/// Install those of these programs that are missing.
///
/// # Errors
///
/// As [`install`].
pub fn install_named(names: &[&str]) -> Outcome {
    let wanted: Vec<&Program> =
        PROGRAMS.iter().filter(|program| names.contains(&program.name) && program.find().is_none()).collect();
    if wanted.is_empty() { Ok(()) } else { bring(&wanted, &[]) }
}

/// Install these programs, and packages that bring none.
fn bring(wanted: &[&Program], more: &[&'static str]) -> Outcome {
    let mut packages: Vec<&str> = wanted.iter().map(|program| program.package).chain(more.iter().copied()).collect();
    packages.sort_unstable();
    packages.dedup();
    if !is_root() {
        return Err(format!("run `apt-get install {}` as root", packages.join(" ")));
    }
    println!("services: installing {}; none of them is started", packages.join(", "));

    // A package brings what its row and its sister rows name, whichever of them was missing.
    let starts =
        PROGRAMS.iter().filter(|program| packages.contains(&program.package)).flat_map(|program| program.starts);
    let services: Vec<&str> = starts.copied().collect();
    let units: Vec<String> = services
        .iter()
        .map(|service| if service.contains('.') { (*service).to_owned() } else { format!("{service}.service") })
        .collect();
    {
        let _quiet = Quiet::begin()?;
        mask(&units.iter().map(String::as_str).collect::<Vec<_>>())?;
        if packages.iter().any(|package| package.starts_with("postgresql")) {
            no_cluster()?;
        }
        debian(&packages)?;
        disable(&services)?;
    }
    match wanted.iter().find(|program| program.find().is_none()) {
        Some(program) => Err(format!("`{}` brought no `{}`", program.package, program.name)),
        None => Ok(()),
    }
}

/// Install packages that start nothing, or whose services are kept from starting by the caller.
pub(crate) fn debian(packages: &[&str]) -> Outcome {
    run_logged(apt(["update"]), "apt-update.log")?;
    let options = ["install", "--yes", "--no-install-recommends", "--no-remove"];
    let keep = ["--option", "Dpkg::Options::=--force-confold"];
    run_logged(apt(options.into_iter().chain(keep).chain(packages.iter().copied())), "apt-install.log")
        .map_err(|fault| format!("{fault}; nothing is removed to make room, so try it in a container"))
}

fn apt<'a>(arguments: impl IntoIterator<Item = &'a str>) -> std::process::Command {
    let mut apt = command("apt-get", arguments);
    apt.env("DEBIAN_FRONTEND", "noninteractive");
    apt
}

/// Whether this process can take on other identities: user id 0, and not in a user namespace that maps nobody else.
pub(crate) fn is_root() -> bool {
    let others = |map: String| map.lines().count() > 1 || !map.trim_end().ends_with(" 1");
    answer(command("id", ["-u"])).as_deref() == Some("0")
        && std::fs::read_to_string("/proc/self/uid_map").is_ok_and(others)
}
