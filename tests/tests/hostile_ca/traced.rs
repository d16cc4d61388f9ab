//! The command under strace(1), while an authority writes what a shell or a path would stumble over into its answers: no
//! process is started, and nothing is written outside the store and the document root.

use std::process::Command;

use certwright_tests::cli::certwright_bin;
use certwright_tests::process::run;
use certwright_tests::program::program;
use serde_json::json;

use super::*;

const LIMIT: Duration = Duration::from_secs(60);

/// A lineage on the command line, whose answers become files in a document root.
struct Traced {
    bed: Bed,
}

impl Traced {
    fn new() -> Self {
        let bed = Bed::believing().unwrap();
        for folder in ["web", "cwd"] {
            std::fs::create_dir(bed.scratch.join(folder)).unwrap();
        }
        let traced = Self { bed };
        traced.wish("\"a.example\"");
        let (code, trace) = traced.apply();
        assert_eq!(code, Some(0), "{trace}");
        assert!(traced.stays_inside(&trace) > 10, "the trace shows no work:\n{trace}");
        traced
    }

    fn wish(&self, names: &str) {
        let at = |name: &str| self.bed.scratch.join(name).display().to_string();
        let text = format!(
            "version = 1\nroot = \"{}\"\n[issuer.public]\ntype = \"acme\"\ndirectory = \"{}\"\ntrust = \"{}\"\n\
             limit = \"10s\"\nsolver = {{ type = \"http-01\", webroot = \"{}\" }}\n\
             [lineage.www]\nidentifiers = [{names}]\nissuer = \"public\"\n",
            at("store"),
            self.bed.server.directory(),
            at("trust.pem"),
            at("web"),
        );
        std::fs::write(self.bed.scratch.join("certwright.toml"), text).unwrap();
    }

    /// Exit status and trace of one run.
    fn apply(&self) -> (Option<i32>, String) {
        let trace = self.bed.scratch.join("cwd/trace");
        let mut command = Command::new(program("strace"));
        command.args(["-f", "-qq", "-y", "-s", "4096", "-e", "trace=%file,%process", "-o"]).arg(&trace);
        command.arg(certwright_bin()).arg("apply").arg("-c").arg(self.bed.scratch.join("certwright.toml"));
        command.current_dir(self.bed.scratch.join("cwd")).env_clear().env("PATH", "/usr/bin:/bin");
        let output = run(&mut command, LIMIT).unwrap();
        (output.status.code(), String::from_utf8_lossy(&std::fs::read(trace).unwrap()).into_owned())
    }

    fn leaf(&self) -> Vec<u8> {
        std::fs::read(self.bed.scratch.join("store/www/current/leaf.pem")).unwrap()
    }

    /// One program, and no write elsewhere; gives the number of writes.
    fn stays_inside(&self, trace: &str) -> usize {
        let started = trace.lines().filter(|line| line.contains(" execve(")).count();
        assert_eq!(started, 1, "a process was started:\n{trace}");
        let allowed = ["store", "web"].map(|name| self.bed.scratch.join(name).display().to_string());
        let writes: Vec<&str> = trace.lines().filter(|line| changes(line)).collect();
        for line in &writes {
            for path in paths(line) {
                let inside = allowed.iter().any(|folder| path.starts_with(folder.as_str()));
                assert!(inside && !path.contains("/../"), "`{path}` is outside, in: {line}");
            }
        }
        writes.len()
    }
}

/// Whether a system call changes the file system.
fn changes(line: &str) -> bool {
    let call = line.split_once(' ').map_or("", |(_, call)| call).trim_start();
    let named = ["mkdir", "rename", "unlink", "rmdir", "link", "symlink", "chmod", "fchmodat", "chown", "fchownat"];
    let more = ["mknod", "truncate", "creat", "setxattr", "lsetxattr", "utime"];
    let opens = call.starts_with("open") && ["O_WRONLY", "O_RDWR", "O_CREAT"].iter().any(|flag| call.contains(flag));
    opens || named.iter().chain(&more).any(|name| call.starts_with(name))
}

/// The absolute paths of a call: those that it names, and those of the handles that it starts from. A name below a handle is
/// where the handle is.
fn paths(line: &str) -> Vec<String> {
    let mut rest = line.split_once('(').map_or("", |(_, arguments)| arguments);
    let mut paths = Vec::new();
    let mut below: Option<String> = None;
    // Arguments only: what comes after the last parenthesis is the result.
    rest = rest.rsplit_once(") = ").map_or(rest, |(arguments, _)| arguments);
    while let Some(at) = rest.find(['"', '<']) {
        let (_, from) = rest.split_at(at);
        let end = if from.starts_with('<') { '>' } else { '"' };
        let Some((text, after)) = from.get(1..).and_then(|from| from.split_once(end)) else { break };
        if end == '>' {
            below = Some(text.to_owned());
        } else if text.starts_with('/') {
            paths.push(text.to_owned());
        } else if let Some(below) = &below {
            // One that starts from no handle is what a new link says, and leads nowhere by itself.
            paths.push(format!("{below}/{text}"));
        }
        rest = after;
    }
    paths
}

#[test]
fn paths_are_read_from_traces() {
    let line = r#"7 renameat2(5</s/a>, ".new", 6</s/b>, "x", RENAME_NOREPLACE) = 0"#;
    assert!(changes(line));
    assert_eq!(paths(line), ["/s/a/.new", "/s/b/x"]);
    let line = r#"7 openat(AT_FDCWD</cwd>, "/tmp/x", O_WRONLY|O_CREAT, 0600) = 3</tmp/x>"#;
    assert!(changes(line) && !changes(r#"7 openat(AT_FDCWD</cwd>, "/etc/passwd", O_RDONLY) = 3"#));
    assert_eq!(paths(line), ["/tmp/x"]);
    assert_eq!(paths(r#"7 unlinkat(AT_FDCWD</cwd>, "x", 0) = 0"#), ["/cwd/x"]);
}

#[test]
fn no_process_starts_and_no_file_is_touched_outside() {
    let texts = ["$(touch certwright-was-here)", "`touch certwright-was-here`", "../../../../tmp/certwright-was-here"];
    let mut faults: Vec<(Endpoint, Fault)> = Vec::new();
    for text in texts {
        let replaced = |pointer: &str| Fault::Replace(pointer.to_owned(), json!(text));
        for number in 0..3 {
            faults.push((Endpoint::Authorization, replaced(&format!("/challenges/{number}/token"))));
        }
        for pointer in ["/challenges/0/type", "/challenges/0/url", "/identifier/value"] {
            faults.push((Endpoint::Authorization, replaced(pointer)));
        }
        for endpoint in [Endpoint::Directory, Endpoint::NewOrder, Endpoint::Authorization, Endpoint::Certificate] {
            faults.push((endpoint, Fault::EveryString(text.to_owned())));
        }
        faults.push((Endpoint::Certificate, Fault::Body(text.as_bytes().to_vec())));
    }
    let mut failed = 0;
    for (endpoint, fault) in faults {
        // One of its own for each: a failure may make the next run wait.
        let traced = Traced::new();
        let before = traced.leaf();
        traced.wish("\"a.example\", \"b.example\"");
        traced.bed.server.faults().on(endpoint, Occurrence::Every, fault.clone());
        let (code, trace) = traced.apply();
        traced.stays_inside(&trace);
        if code != Some(0) {
            assert_eq!(traced.leaf(), before, "{fault:?}");
            failed += 1;
        }
        let left = files(&traced.bed.scratch.join("web"));
        assert!(left.is_empty(), "{fault:?}: answers were left: {left:?}");
        let left = files(&traced.bed.scratch.join("cwd"));
        assert!(left.iter().eq(["trace"]), "{fault:?}: {left:?}");
    }
    assert!(failed > 20, "only {failed} runs met what was in their way");
}
