//! Every function of the header, called wrongly in every way that its parameters allow. The program is written from the header,
//! so that a new function is called wrongly too.

use std::fmt::Write;
use std::fs;
use std::process::Command;

use certwright_tests::scratch::Scratch;

use crate::compiled::{Build, source};

/// What is allowed to be NULL.
const OPTIONAL: [&str; 2] = ["options", "error_out"];

/// A function of the header.
struct Function {
    returns: String,
    name: String,
    parameters: Vec<Parameter>,
}

struct Parameter {
    kind: String,
    name: String,
}

impl Parameter {
    fn is_pointer(&self) -> bool {
        self.kind.ends_with('*')
    }

    /// Text whose length comes next.
    fn is_text(&self) -> bool {
        self.kind == "const char *"
    }
}

/// The functions of the header.
fn functions() -> Vec<Function> {
    let header = fs::read_to_string(source("include/certwright.h")).unwrap();
    let (_, functions) = header.split_once("/* ==== ").unwrap();
    let (functions, _) = functions.rsplit_once("#ifdef __cplusplus").unwrap();
    let code: String = functions
        .lines()
        .map(str::trim)
        .filter(|line| !line.starts_with(['/', '*']) && !line.contains("====") && !line.is_empty())
        .collect::<Vec<_>>()
        .join(" ");
    code.split(';').map(str::trim).filter(|one| !one.is_empty()).map(function).collect()
}

fn function(declaration: &str) -> Function {
    let (head, parameters) = declaration.trim_end_matches(')').split_once('(').unwrap();
    let (returns, name) = split(head);
    let parameters = parameters.split(',').map(str::trim).filter(|one| *one != "void").map(|one| {
        let (kind, name) = split(one);
        Parameter { kind, name }
    });
    Function { returns, name, parameters: parameters.collect() }
}

/// A type and a name.
fn split(text: &str) -> (String, String) {
    let at = text.rfind([' ', '*']).unwrap() + 1;
    let (kind, name) = text.split_at(at);
    (kind.trim().to_owned(), name.to_owned())
}

/// What is right for a parameter, in C.
fn right(function: &Function, parameter: &Parameter) -> String {
    let name = parameter.name.as_str();
    let text = |text: &str| format!("\"{text}\"");
    match (parameter.kind.as_str(), name) {
        ("const char *", "toml") => "toml".to_owned(),
        ("const char *", "key" | "fullchain") => name.to_owned(),
        ("const char *", "root" | "webroot" | "pid_file") => text("/nowhere"),
        ("const char *", "path") => text("/etc/passwd"),
        ("const char *", "name") => text("lab"),
        ("const char *", "lineage") => text("www"),
        ("const char *", "identifier" | "server_name") => text("www.example.org"),
        ("const char *", "directory") => text("https://127.0.0.1:1/directory"),
        ("const char *", "reader") => text("user:0"),
        ("const char *", "signal") => text("HUP"),
        ("const char *", "address") => text("127.0.0.1:1"),
        ("const char *", "generation") => text("0001-00112233"),
        ("const char *", _) => text("words"),
        ("const uint8_t *", _) => "(const uint8_t *)\"words\"".to_owned(),
        ("const uint32_t *", _) => "numbers".to_owned(),
        ("const certwright_str *", "lineages") => "names".to_owned(),
        ("const certwright_str *", _) => "words".to_owned(),
        ("size_t", _) => match name.strip_suffix("_len") {
            Some(of) if right_is_text(function, of) => format!("strlen({})", right(function, find(function, of))),
            Some(_) => "1".to_owned(),
            None => "0".to_owned(),
        },
        (kind, "out") => format!("&{}", made(kind)),
        (_, "error_out") => "&error".to_owned(),
        (kind, _) if kind.ends_with('*') => name.to_owned(),
        ("bool", _) => "true".to_owned(),
        _ => "0".to_owned(),
    }
}

fn find<'a>(function: &'a Function, name: &str) -> &'a Parameter {
    function.parameters.iter().find(|parameter| parameter.name == name).unwrap()
}

fn right_is_text(function: &Function, name: &str) -> bool {
    find(function, name).is_text()
}

/// The variable that takes what a function makes.
fn made(kind: &str) -> String {
    kind.trim_start_matches("certwright_").trim_end_matches([' ', '*']).to_owned() + "_out"
}

/// A call with something in the place of what is right, and what has to come of it.
fn call(program: &mut String, function: &Function, wrong: &[(&str, &str)], expected: &str) {
    let arguments: Vec<String> = function
        .parameters
        .iter()
        .map(|parameter| {
            let instead = wrong.iter().find(|(name, _)| *name == parameter.name);
            instead.map_or_else(|| right(function, parameter), |(_, value)| (*value).to_owned())
        })
        .collect();
    let arguments = arguments.join(", ");
    let name = &function.name;
    // What a call makes all the same is freed.
    let out = function.parameters.iter().find(|parameter| parameter.name == "out").map(|out| made(&out.kind));
    let freed = out.map_or_else(String::new, |out| {
        let noun = out.trim_end_matches("_out");
        format!(" certwright_{noun}_free({out}); {out} = NULL;")
    });
    if function.returns != "certwright_result" || function.name == "certwright_error_kind" {
        writeln!(program, "  (void){name}({arguments});").unwrap();
        return;
    }
    let what = format!("{name}, {wrong:?}").replace('\\', "\\\\").replace('"', "\\\"");
    writeln!(program, "  expect(\"{what}\", {name}({arguments}), {expected}, &error);{freed}").unwrap();
    // Nobody has to take the error.
    let silent = arguments.replace("&error", "NULL");
    if silent != arguments {
        writeln!(program, "  expect_silent(\"{what}\", {name}({silent}), {expected});{freed}").unwrap();
    }
}

/// The program that calls everything wrongly.
fn program() -> String {
    let mut calls = String::new();
    let functions = functions();
    assert!(functions.len() > 70, "{} functions", functions.len());
    for function in &functions {
        for parameter in function.parameters.iter().filter(|one| one.is_pointer() && one.name != "error_out") {
            let expected =
                if OPTIONAL.contains(&parameter.name.as_str()) { "-1" } else { "CERTWRIGHT_RESULT_NULL_POINTER" };
            call(&mut calls, function, &[(&parameter.name, "NULL")], expected);
        }
        for parameter in function.parameters.iter().filter(|one| one.is_text()) {
            let (name, length) = (parameter.name.as_str(), format!("{}_len", parameter.name));
            // Keys and certificates are bytes before they are text.
            let bytes = matches!(name, "key" | "fullchain");
            let expected = if bytes { "CERTWRIGHT_RESULT_UNFIT" } else { "CERTWRIGHT_RESULT_INVALID_UTF8" };
            call(&mut calls, function, &[(name, "\"\\xff\\xfe\""), (&length, "2")], expected);
            call(&mut calls, function, &[(&length, "SIZE_MAX")], "CERTWRIGHT_RESULT_INVALID_ARGUMENT");
            call(&mut calls, function, &[(&length, "0")], "-1");
        }
        for parameter in function.parameters.iter().filter(|one| one.kind == "const certwright_str *") {
            let length = format!("{}_len", parameter.name);
            call(&mut calls, function, &[(&length, "SIZE_MAX")], "CERTWRIGHT_RESULT_INVALID_ARGUMENT");
            call(&mut calls, function, &[(&length, "SIZE_MAX / 16 + 2")], "CERTWRIGHT_RESULT_INVALID_ARGUMENT");
            call(&mut calls, function, &[(&parameter.name, "spoilt")], "CERTWRIGHT_RESULT_INVALID_UTF8");
        }
        for parameter in function.parameters.iter().filter(|one| one.kind == "uint32_t" && one.name.len() > 3) {
            if function.returns == "certwright_result" {
                call(&mut calls, function, &[(&parameter.name, "999")], "CERTWRIGHT_RESULT_INVALID_ARGUMENT");
            }
        }
        for parameter in function.parameters.iter().filter(|one| one.name == "index") {
            call(&mut calls, function, &[(&parameter.name, "SIZE_MAX")], "-1");
        }
    }
    fs::read_to_string(source("tests/wrong_calls.c")).unwrap().replace("/* CALLS */", &calls)
}

#[test]
fn every_function_bears_every_wrong_call() {
    let scratch = Scratch::on_disk().unwrap();
    let text = scratch.join("wrong_calls.c");
    fs::write(&text, program()).unwrap();
    for (compiler, build) in
        [("gcc", Build::Plain), ("clang", Build::Plain), ("gcc", Build::Sanitized), ("gcc", Build::Valgrind)]
    {
        let program = build.executable(compiler, &text, scratch.join(format!("{compiler}-{build:?}")));
        let mut command: Command = build.command(&program);
        let root = scratch.join(format!("root-{compiler}-{build:?}"));
        let output = command.arg(&root).output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{compiler}, {build:?}: {said}");
    }
}
