//! The scenarios of `tests/parity`, played in Rust, in C and on the command line: the reports are the same, byte by byte, but for
//! times, paths and what is random.

use std::fs;
use std::path::Path;

use certwright::{
    Chain, Config, Depth, Endpoints, Lifecycle, LineageName, Material, Options, PrivateKey, Return, Selection,
};
use certwright_tests::cli::certwright;
use certwright_tests::scratch::Scratch;
use serde_json::Value;

use crate::compiled::{Build, source};

/// The scenario's configuration in a folder of its own, with the lineages below `root` there.
fn configured(scenario: &Value, folder: &Path) {
    fs::create_dir(folder).unwrap();
    let lines: Vec<&str> = scenario["config"].as_array().unwrap().iter().map(|line| line.as_str().unwrap()).collect();
    let text = lines.join("\n").replace("@ROOT@", &folder.join("root").display().to_string());
    fs::write(folder.join("certwright.toml"), text).unwrap();
}

fn in_rust(steps: &[&str], folder: &Path) -> String {
    let text = fs::read_to_string(folder.join("certwright.toml")).unwrap();
    let lifecycle = Lifecycle::open(Config::parse(&text, &folder.join("certwright.toml")).unwrap()).unwrap();
    let options = Options::default();
    let play = |step: &&str| {
        let words: Vec<&str> = step.split(' ').collect();
        let name = || words[1].parse::<LineageName>().unwrap();
        let selection = || if words.len() > 1 { Selection::Named(vec![name()]) } else { Selection::All };
        let report = match words[0] {
            "plan" => serde_json::to_string(&lifecycle.plan(&selection(), Endpoints::Ask).unwrap()),
            "apply" => serde_json::to_string(&lifecycle.apply(&selection(), &options).unwrap()),
            "verify" => serde_json::to_string(&lifecycle.verify(&selection(), Depth::Whole).unwrap()),
            "status" => serde_json::to_string(&lifecycle.status(&selection()).unwrap()),
            "rollback" => serde_json::to_string(&lifecycle.rollback(&name(), Return::Previous, &options).unwrap()),
            "release" => serde_json::to_string(&lifecycle.rollback(&name(), Return::Release, &options).unwrap()),
            "deploy" => {
                let current = folder.join("root").join(words[2]).join("current");
                let read = |name: &str| fs::read(current.join(name)).unwrap();
                let key = PrivateKey::from_pem(&read("key.pem")).unwrap();
                let material = Material::new(key, Chain::from_pem(&read("fullchain.pem")).unwrap()).unwrap();
                serde_json::to_string(&lifecycle.deploy(&name(), &material, &options).unwrap())
            }
            other => panic!("a scenario has the step `{other}`"),
        };
        report.unwrap() + "\n"
    };
    steps.iter().map(play).collect()
}

fn in_c(steps: &[&str], folder: &Path, program: &Path) -> String {
    let output = Build::Plain
        .command(&fs::canonicalize(program).unwrap())
        .current_dir(folder)
        .arg("certwright.toml")
        .args(steps)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn on_the_command_line(steps: &[&str], folder: &Path) -> String {
    let config = folder.join("certwright.toml").display().to_string();
    let play = |step: &&str| {
        let mut words: Vec<String> = step.split(' ').map(str::to_owned).collect();
        match words[0].as_str() {
            "release" => {
                words[0] = "rollback".to_owned();
                words.push("--release".to_owned());
            }
            "deploy" => {
                let current = folder.join("root").join(words.pop().unwrap()).join("current");
                let path = |name: &str| current.join(name).display().to_string();
                words.insert(1, "--lineage".to_owned());
                words.extend(["--key".to_owned(), path("key.pem"), "--fullchain".to_owned(), path("fullchain.pem")]);
            }
            _ => {}
        }
        words.extend(["--json".to_owned(), "--config".to_owned(), config.clone()]);
        certwright(&words).unwrap().stdout
    };
    steps.iter().map(play).collect()
}

/// Without what differs from one run to the next: where it ran, moments, fingerprints, the names of generations.
fn filtered(text: &str, folder: &Path) -> String {
    const LONG: usize = 10;
    let text = text.replace(&folder.display().to_string(), "FOLDER").replace("certwright.toml", "CONFIG");
    let (mut made, mut run) = (String::new(), String::new());
    for letter in text.chars().chain(['\n']) {
        if letter.is_ascii_hexdigit() || (!run.is_empty() && matches!(letter, '-' | ':' | '.' | 'T' | 'Z')) {
            run.push(letter);
            continue;
        }
        let differs = run.len() >= LONG && run.contains(|letter: char| letter.is_ascii_digit());
        let number = run.bytes().all(|letter| letter.is_ascii_digit());
        made.push_str(match (differs, number) {
            (false, _) => &run,
            // So that it stays JSON.
            (true, true) => "0",
            (true, false) => "#",
        });
        made.push(letter);
        run.clear();
    }
    made
}

/// Each report with its members in the order of their names.
fn sorted(text: &str) -> String {
    text.lines()
        .filter(|line| !line.is_empty())
        .map(|line| serde_json::from_str::<Value>(line).unwrap().to_string() + "\n")
        .collect()
}

fn same(steps: &[&str], expected: &str, found: &str, who: &str) {
    for (step, (expected, found)) in steps.iter().zip(expected.lines().zip(found.lines())) {
        assert_eq!(found, expected, "{who}: `{step}`");
    }
    assert_eq!(found.lines().count(), expected.lines().count(), "{who}");
}

#[test]
fn reports_are_the_same_whoever_asks() {
    let scratch = Scratch::on_disk().unwrap();
    let program = Build::Plain.executable("gcc", &source("tests/play.c"), scratch.join("play"));
    let mut scenarios = 0;
    for entry in fs::read_dir(xtask::root().join("tests/parity")).unwrap() {
        let path = entry.unwrap().path();
        let scenario: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        let steps: Vec<&str> =
            scenario["steps"].as_array().unwrap().iter().map(|step| step.as_str().unwrap()).collect();
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let play = |surface: &str, play: &dyn Fn(&Path) -> String| {
            let folder = scratch.join(format!("{name}-{surface}"));
            configured(&scenario, &folder);
            filtered(&play(&folder), &folder)
        };
        let rust = play("rust", &|folder| in_rust(&steps, folder));
        assert_eq!(rust.lines().filter(|line| line.starts_with('{')).count(), steps.len(), "{name}: {rust}");
        same(&steps, &rust, &play("c", &|folder| in_c(&steps, folder, &program)), &format!("{name} in C"));
        // The command prints each lineage of an `apply` as it ends, and the outcome of all at the end: its members have another
        // order.
        let command = play("cli", &|folder| on_the_command_line(&steps, folder));
        same(&steps, &sorted(&rust), &sorted(&command), &format!("{name} on the command line"));
        scenarios += 1;
    }
    assert!(scenarios >= 3, "{scenarios} scenarios");
}
