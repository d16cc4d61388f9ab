//! The command as people and timers run it: exit status and streams, on the embedded CA.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a failing test may panic, and it prepares the disk and starts the command"
)]

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::Value;

/// A directory of a test's own with a configuration, removed at the end.
struct Site(PathBuf);

impl Site {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("certwright-cli-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        let site = Self(path);
        site.write("identifiers = [\"www.example.org\"]\nissuer = \"lab\"");
        site
    }

    fn write(&self, lineage: &str) {
        let root = self.0.join("store").display().to_string();
        let text =
            format!("version = 1\nroot = \"{root}\"\n[issuer.lab]\ntype = \"local\"\n[lineage.www]\n{lineage}\n");
        std::fs::write(self.0.join("certwright.toml"), text).unwrap();
    }

    fn run(&self, arguments: &[&str]) -> (i32, String, String) {
        self.ask(arguments, "")
    }

    fn ask(&self, arguments: &[&str], input: &str) -> (i32, String, String) {
        let mut child = Command::new(env!("CARGO_BIN_EXE_certwright"))
            .env("CERTWRIGHT_CONFIG", self.0.join("certwright.toml"))
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
    }

    fn current(&self, name: &str) -> String {
        self.0.join("store/www/current").join(name).display().to_string()
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[test]
fn a_life_from_nothing_to_a_repair() {
    let site = Site::new("life");
    assert_eq!(site.run(&["plan"]).0, 3);
    let (code, text, _) = site.run(&["apply"]);
    assert!(code == 0 && text.contains("changed") && text.contains("served: not observed"), "{text}");
    let (code, text, _) = site.run(&["apply"]);
    assert!(code == 0 && text.contains("unchanged"), "{text}");
    assert_eq!(site.run(&["plan"]).0, 0);
    assert_eq!(site.run(&["verify"]).0, 0);
    let (code, text, _) = site.run(&["status", "www"]);
    assert!(code == 0 && text.contains("www.example.org"), "{text}");

    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(site.current("key.pem"), std::fs::Permissions::from_mode(0o644)).unwrap();
    let (code, text, _) = site.run(&["verify"]);
    assert!(code == 3 && text.contains("key.pem"), "{text}");
    assert_eq!(site.run(&["apply"]).0, 0);
    assert_eq!(site.run(&["verify"]).0, 0);
    let (code, text, _) = site.run(&["inspect", &site.current("fullchain.pem"), "--name", "www.example.org"]);
    assert_eq!(code, 0, "{text}");
    let (code, text, _) = site.run(&["inspect", &site.current("fullchain.pem"), "--name", "other.example.org"]);
    assert_eq!(code, 3, "{text}");
    let (code, text, _) = site.run(&["ca", "export"]);
    assert!(code == 0 && text.starts_with("-----BEGIN CERTIFICATE-----"), "{text}");
}

#[test]
fn every_report_is_json_with_a_version() {
    let site = Site::new("json");
    for verb in ["apply", "plan", "verify", "status"] {
        let (_, text, error) = site.run(&["--json", verb]);
        let report: Value = serde_json::from_str(&text).unwrap_or_else(|why| panic!("{verb}: {why}: {text}{error}"));
        assert_eq!(report["version"], 1, "{verb}");
        assert_eq!(report["lineages"][0]["lineage"], "www", "{verb}");
    }
}

#[test]
fn what_cannot_be_meant_is_told_with_its_place_and_ends_with_2() {
    let site = Site::new("wrong");
    site.write("identifers = [\"www.example.org\"]");
    let (code, _, error) = site.run(&["apply"]);
    assert_eq!(code, 2, "{error}");
    assert!(error.contains("line 6, column 1") && error.contains("write `identifiers`"), "{error}");
    assert_eq!(site.run(&["-c", "/no/such/file", "apply"]).0, 2);
    assert_eq!(site.run(&["no-such-verb"]).0, 2);
    assert_eq!(site.run(&["apply", "--no-such-option"]).0, 2);
    assert!(!site.0.join("store").exists(), "nothing is begun");
}

#[test]
fn questions_about_access_are_answered_line_by_line() {
    let site = Site::new("access");
    assert_eq!(site.run(&["apply"]).0, 0);
    let key = site.current("key.pem");
    let input = format!(
        "{{\"path\":\"{key}\",\"uid\":65533,\"gid\":65533,\"groups\":[],\"note\":\"left alone\"}}\nnonsense\n\
         {{\"path\":\"/\",\"uid\":65533,\"gid\":65533}}\n"
    );
    let (code, text, _) = site.ask(&["access", "--json=-"], &input);
    let answers: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((code, answers.len()), (0, 3), "{text}");
    assert_eq!((&answers[0]["r"], &answers[0]["w"]), (&Value::Bool(false), &Value::Bool(false)));
    assert!(answers[0]["why"].as_str().unwrap().contains("key.pem"));
    assert!(answers[1]["error"].is_string());
    assert_eq!((&answers[2]["r"], &answers[2]["x"]), (&Value::Bool(true), &Value::Bool(true)));
    assert_eq!(site.run(&["access", "--uid", "65533", &key]).0, 3);
}

#[test]
fn starters_schemas_completions_and_the_manual_are_at_hand() {
    let site = Site::new("starter");
    let file = site.0.join("starter.toml").display().to_string();
    assert_eq!(site.run(&["init", &file]).0, 0);
    let (code, _, error) = site.run(&["init", &file]);
    assert!(code == 2 && error.contains("not overwritten"), "{error}");
    let (_, text, _) = site.run(&["schema"]);
    assert!(serde_json::from_str::<Value>(&text).unwrap()["$schema"].is_string());
    assert!(site.run(&["completions", "bash"]).1.contains("certwright"));
    assert!(site.run(&["man"]).1.contains(".TH"));
}
