//! The real command, killed with SIGKILL at every system call that changes something, on the disk at hand and in memory.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a failing test may panic; the points are printed"
)]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use certwright::{Chain, Material, PrivateKey};
use certwright_tests::campaign::tell;
use certwright_tests::cli::certwright_bin;
use certwright_tests::program::program;
use certwright_tests::scratch::Scratch;

/// The calls of a switch that change something, and the ones that make it last.
const CALLS: &[&str] = &[
    "openat2",
    "mkdirat",
    "write",
    "fchown",
    "fchmod",
    "fsetxattr",
    "fremovexattr",
    "fsync",
    "renameat2",
    "renameat",
    "symlinkat",
    "unlinkat",
    "flock",
];

/// A lineage that another client issues, with every strategy of output that writes, and a first deployment.
struct Site {
    scratch: Scratch,
}

impl Site {
    fn new(scratch: Scratch) -> Self {
        let site = Self { scratch };
        fs::create_dir(site.path().join("out")).unwrap();
        let here = site.path().display();
        let config = format!(
            r#"
version = 1
root = "{here}/store"
[lineage.www]
identifiers = ["www.example.org"]
readers = ["user:65533"]
[[lineage.www.output]]
path = "{here}/out/bundle.pem"
strategy = "replace"
form = "bundle"
[[lineage.www.output]]
path = "{here}/out/pinned.conf"
strategy = "pinned"
template = "ssl_certificate {{generation}}/fullchain.pem;"
"#
        );
        fs::write(site.path().join("certwright.toml"), config).unwrap();
        let deployed = site.run(&site.bring("old").each_ref().map(String::as_str));
        assert_eq!(deployed.0, 0, "{}", deployed.1);
        site
    }

    /// The command that deploys material which another client obtained: here the embedded CA, with a root of its own.
    fn bring(&self, name: &str) -> [String; 7] {
        let elsewhere = self.path().join(name);
        fs::create_dir(&elsewhere).unwrap();
        let config = elsewhere.join("certwright.toml");
        let text = format!(
            "version = 1\nroot = \"{}/store\"\n[issuer.lab]\ntype = \"local\"\n[lineage.www]\nidentifiers = \
             [\"www.example.org\"]\nissuer = \"lab\"\n",
            elsewhere.display()
        );
        fs::write(&config, text).unwrap();
        let issued = Command::new(certwright_bin()).arg("-c").arg(&config).arg("apply").output().unwrap();
        assert!(issued.status.success(), "{issued:?}");
        let file = |name: &str| elsewhere.join("store/www/current").join(name).display().to_string();
        let words = ["deploy", "--lineage", "www", "--key", &file("key.pem"), "--fullchain", &file("fullchain.pem")];
        words.map(str::to_owned)
    }

    fn path(&self) -> &Path {
        self.scratch.path()
    }

    fn command(&self, arguments: &[&str]) -> Vec<String> {
        let mut words = vec![certwright_bin().display().to_string(), "-c".to_owned()];
        words.push(self.path().join("certwright.toml").display().to_string());
        words.extend(arguments.iter().map(|word| (*word).to_owned()));
        words
    }

    fn run(&self, arguments: &[&str]) -> (i32, String) {
        let words = self.command(arguments);
        let output = Command::new(&words[0]).args(&words[1..]).output().unwrap();
        let text = [output.stdout, output.stderr].concat();
        (output.status.code().unwrap_or(-1), String::from_utf8_lossy(&text).into_owned())
    }

    fn strace(&self, options: &[&str], arguments: &[&str]) -> Option<i32> {
        let mut command = Command::new(program("strace"));
        command.args(["-f", "-qq", "-o"]).arg(self.path().join("trace")).args(options);
        let status = command.args(self.command(arguments)).output().unwrap().status;
        status.code()
    }

    /// What is active: the leaf, after it was seen that every file belongs together.
    fn active(&self) -> Result<String, String> {
        let current = self.path().join("store/www/current");
        let read = |name: &str| fs::read(current.join(name)).map_err(|error| format!("{name}: {error}"));
        let key = PrivateKey::from_pem(&read("key.pem")?).map_err(|error| error.to_string())?;
        let chain = Chain::from_pem(&read("fullchain.pem")?).map_err(|error| error.to_string())?;
        let material = Material::new(key, chain).map_err(|error| error.to_string())?;
        if read("bundle.pem")? != material.bundle_pem().expose()
            || read("leaf.pem")? != material.chain().leaf_pem().as_bytes()
        {
            return Err("the forms of one generation differ".to_owned());
        }
        Ok(material.chain().leaf().fingerprint().to_string())
    }

    fn outside(&self) -> Result<String, String> {
        let text = fs::read(self.path().join("out/bundle.pem")).map_err(|error| error.to_string())?;
        let key = PrivateKey::from_pem(&text).map_err(|error| error.to_string())?;
        let chain = Chain::from_pem(&text).map_err(|error| error.to_string())?;
        let material = Material::new(key, chain).map_err(|error| error.to_string())?;
        Ok(material.chain().leaf().fingerprint().to_string())
    }

    fn debris(&self) -> Vec<PathBuf> {
        let mut found = Vec::new();
        for folder in ["store/www", "store/www/generations", "out"] {
            for entry in fs::read_dir(self.path().join(folder)).unwrap() {
                let path = entry.unwrap().path();
                let name = path.file_name().unwrap().to_string_lossy().into_owned();
                if name.starts_with('.') && name != ".lock" {
                    found.push(path);
                }
            }
        }
        found
    }
}

/// How often each call is made by each thread in a whole run.
fn counts(trace: &str) -> BTreeMap<String, usize> {
    let mut by_thread: BTreeMap<(String, String), usize> = BTreeMap::new();
    for line in trace.lines() {
        let mut words = line.splitn(2, char::is_whitespace);
        let (Some(thread), Some(rest)) = (words.next(), words.next()) else { continue };
        let call = rest.trim_start().split('(').next().unwrap_or_default();
        if CALLS.contains(&call) {
            *by_thread.entry((thread.to_owned(), call.to_owned())).or_default() += 1;
        }
    }
    let mut most = BTreeMap::new();
    for ((_, call), count) in by_thread {
        let entry: &mut usize = most.entry(call).or_default();
        *entry = (*entry).max(count);
    }
    most
}

/// A site, and what it looked like before the deployment, to be put back before each kill.
struct Saved<'a> {
    site: &'a Site,
    copy: Scratch,
}

impl<'a> Saved<'a> {
    fn of(site: &'a Site, beneath: &Path) -> Self {
        let copy = Scratch::beneath(beneath).unwrap();
        copy_all(site.path(), copy.path());
        Self { site, copy }
    }

    fn put_back(&self) {
        for entry in fs::read_dir(self.site.path()).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { fs::remove_dir_all(path).unwrap() } else { fs::remove_file(path).unwrap() }
        }
        copy_all(self.copy.path(), self.site.path());
    }
}

fn copy_all(from: &Path, to: &Path) {
    let status = Command::new("cp").arg("-a").arg(format!("{}/.", from.display())).arg(to).status().unwrap();
    assert!(status.success());
}

fn kill_everywhere(beneath: &Path) -> usize {
    let site = Site::new(Scratch::beneath(beneath).unwrap());
    let old = site.active().unwrap();
    let deploy = site.bring("new");
    let deploy = deploy.each_ref().map(String::as_str);
    let saved = Saved::of(&site, beneath);

    let calls = format!("trace={}", CALLS.join(","));
    assert_eq!(site.strace(&["-e", &calls], &deploy), Some(0), "{}", site.run(&deploy).1);
    let new = site.active().unwrap();
    assert_ne!(old, new);
    let counts = counts(&fs::read_to_string(site.path().join("trace")).unwrap());
    assert!(counts["fsync"] >= 13, "{counts:?}");

    let mut points = 0;
    let mut seen = BTreeMap::new();
    for (call, count) in &counts {
        for at in 1..=*count {
            saved.put_back();
            let inject = format!("inject={call}:signal=KILL:when={at}");
            site.strace(&["-e", &format!("trace={call}"), "-e", &inject], &deploy);
            let place = format!("killed at {call} number {at}");
            let after = judge(&site, &old, &new, &place);
            *seen.entry(if after == new { "new" } else { "old" }).or_insert(0) += 1;
            points += 1;
        }
    }
    println!("killed at {points} calls beneath {}: {seen:?}", beneath.display());
    tell("kills of the command", points as u64, 0).unwrap();
    assert!(seen["new"] > 0 && seen["old"] > 0, "{seen:?}");
    points
}

/// What there is right after the kill, and what the next run makes of it.
fn judge(site: &Site, old: &str, new: &str, place: &str) -> String {
    let now = site.active().unwrap_or_else(|error| panic!("{place}: {error}"));
    assert!(now == old || now == new, "{place}: neither old nor new is active");
    site.outside().unwrap_or_else(|error| panic!("{place}: outside: {error}"));
    let (status, text) = site.run(&["apply"]);
    assert_eq!(status, 0, "{place}: {text}");
    let after = site.active().unwrap_or_else(|error| panic!("{place}, recovered: {error}"));
    assert!(after == old || after == new, "{place}: recovery made a third one active\n{text}");
    assert!(now == old || after == new, "{place}: recovery went back\n{text}");
    assert_eq!(site.outside().as_ref(), Ok(&after), "{place}: outside and inside differ\n{text}");
    assert_eq!(site.debris(), Vec::<PathBuf>::new(), "{place}: {text}");
    let (status, text) = site.run(&["plan"]);
    assert_eq!(status, 0, "{place}: there is still something to do: {text}");
    after
}

#[test]
fn killed_at_every_call_on_the_disk_at_hand_as_root() {
    assert!(kill_everywhere(&std::env::temp_dir()) > 100);
}

/// Beneath directories that somebody names, on other file systems for instance.
#[test]
fn killed_at_every_call_elsewhere_as_root() {
    let elsewhere = std::env::var_os("CERTWRIGHT_BENEATH").unwrap_or_default();
    for beneath in std::env::split_paths(&elsewhere).filter(|path| path.is_absolute()) {
        assert!(kill_everywhere(&beneath) > 100);
    }
}

#[test]
fn killed_at_every_call_in_memory_as_root() {
    assert!(kill_everywhere(Path::new("/dev/shm")) > 100);
}
