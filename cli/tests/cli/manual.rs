//! What is read before anything runs: the starter file, the schema, completions, manual pages, help, the CA's root.

use std::fs;

use serde_json::Value;

use crate::play::{Play, finish, same};

#[test]
fn init_writes_once_where_the_configuration_is_looked_for() {
    let play = Play::empty();
    same(
        &play.told(&["init"]),
        "exit 0\nwrote [DIR]/certwright.toml; edit it, then run `certwright -c [DIR]/certwright.toml plan`\n",
    );
    let text = fs::read_to_string(play.path("certwright.toml")).unwrap();
    assert_eq!(play.ends(0, &["init", "-"]).stdout, text);
    assert!(text.contains("[lineage.www]") && text.contains("\n# "));
    play.write("certwright.toml", "mine");
    same(
        &play.told(&["init"]),
        "exit 2\n\
         -- stderr\n\
         error: there is a file already, and it is not overwritten (path `[DIR]/certwright.toml`)\n\
         hint: name another file, or `-` for standard output\n",
    );
    assert_eq!(fs::read_to_string(play.path("certwright.toml")).unwrap(), "mine");
    play.ends(0, &["init", "other.toml"]);
    assert_eq!(fs::read_to_string(play.path("other.toml")).unwrap(), text);
    play.ends(2, &["init", "none/other.toml"]);
    // A link that leads nowhere is not written through.
    std::os::unix::fs::symlink("target.toml", play.path("link.toml")).unwrap();
    play.ends(2, &["init", "link.toml"]);
    assert!(!play.path("target.toml").exists());
}

#[test]
fn the_starter_file_is_a_configuration() {
    let play = Play::empty();
    play.ends(0, &["init"]);
    let ran = play.run(&["plan", "--root", "store", "--offline"]);
    // Its reader may not be a user of this machine; nothing in the file itself is wrong.
    assert!([1, 3].contains(&ran.code), "{}{}", ran.stdout, ran.stderr);
}

#[test]
fn the_schema_is_json_and_knows_the_keys() {
    let play = Play::empty();
    let schema: Value = serde_json::from_str(&play.ends(0, &["schema"]).stdout).unwrap();
    assert!(schema["$schema"].as_str().unwrap().contains("json-schema.org"));
    assert!(schema.to_string().contains("\"readers\""));
}

#[test]
fn every_shell_completes_every_verb() {
    let play = Play::empty();
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let text = play.ends(0, &["completions", shell]).stdout;
        for word in VERBS.iter().chain(&["--fullchain", "--ready", "--release", "--wait"]) {
            let bare = word.trim_start_matches("--");
            assert!(text.contains(bare), "{shell} lacks {word}");
        }
    }
    // The shell at hand accepts it and completes.
    play.write("complete.bash", &play.run(&["completions", "bash"]).stdout);
    let script = "source complete.bash; COMP_WORDS=(certwright ver); COMP_CWORD=1; \
                  _certwright certwright ver certwright; echo \"${COMPREPLY[@]}\"";
    let ran = finish(&mut play.program("/bin/bash".as_ref(), ["-c".as_ref(), script.as_ref()])).unwrap();
    assert_eq!((ran.stdout.trim(), ran.stderr.as_str()), ("verify", ""));
}

pub(crate) const VERBS: [&str; 15] = [
    "plan",
    "apply",
    "run",
    "deploy",
    "verify",
    "rollback",
    "status",
    "access",
    "inspect",
    "ca",
    "testbed",
    "init",
    "schema",
    "completions",
    "man",
];

#[test]
fn the_manual_is_roff_and_has_every_verb() {
    let play = Play::empty();
    let page = play.ends(0, &["man"]).stdout;
    assert_eq!(page.lines().filter(|line| line.starts_with(".TH ")).count(), 1);
    assert!(page.contains("\n.SH \"EXIT STATUS\"\n") && page.contains("\n.SH FILES\n"), "{page}");
    for verb in VERBS.iter().filter(|verb| **verb != "ca").chain(&["ca export"]) {
        assert!(page.contains(&format!("\n.SS \"certwright {verb}\"\n")), "{verb}");
    }
    fs::create_dir(play.path("man1")).unwrap();
    play.ends(0, &["man", "man1"]);
    for verb in VERBS {
        let page = fs::read_to_string(play.path("man1").join(format!("certwright-{verb}.1"))).unwrap();
        assert!(page.contains(".TH certwright-"), "{verb}: {page}");
    }
    assert_eq!(fs::read_to_string(play.path("man1/certwright.1")).unwrap(), page);
    play.ends(2, &["man", "none"]);
}

#[test]
fn help_and_version_are_answers() {
    let play = Play::empty();
    let help = play.ends(0, &["--help"]);
    assert!(help.stderr.is_empty() && help.stdout.contains("Exit status:"), "{}", help.stdout);
    for verb in VERBS {
        assert!(help.stdout.contains(&format!("\n  {verb} ")), "{verb}: {}", help.stdout);
        let help = play.ends(0, &[verb, "--help"]);
        assert!(help.stdout.contains("Usage: certwright "), "{verb}");
        // It fits the narrowest terminal that is promised.
        assert!(help.stdout.lines().all(|line| line.chars().count() <= 100), "{verb}: {}", help.stdout);
    }
    let version = play.ends(0, &["--version"]).stdout;
    assert_eq!(version, format!("certwright {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn the_root_of_an_embedded_ca_is_one_certificate_and_stays_the_same() {
    let play = Play::new("[lineage.www]\nidentifiers = [\"www.example.org\"]\nissuer = \"lab\"\n");
    let root = play.ends(0, &["ca", "export"]).stdout;
    assert_eq!(root.matches("-----BEGIN CERTIFICATE-----").count(), 1);
    assert_eq!(root.matches("-----BEGIN").count(), 1);
    play.write("root.pem", &root);
    let words = ["x509", "-in", "root.pem", "-noout", "-ext", "basicConstraints"].map(AsRef::as_ref);
    let ran = finish(&mut play.program("openssl".as_ref(), words)).unwrap();
    assert!(ran.stdout.contains("CA:TRUE"), "{}{}", ran.stdout, ran.stderr);
    assert_eq!(play.ends(0, &["ca", "export", "lab"]).stdout, root);
    same(
        &play.told(&["ca", "export", "lob"]),
        "exit 2\n\
         -- stderr\n\
         error: there is no embedded CA of this name (issuer `lob`)\n\
         hint: name an issuer of `type = \"local\"`\n",
    );
}
