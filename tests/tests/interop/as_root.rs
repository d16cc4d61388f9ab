//! In networks of their own.

use std::fs;
use std::time::Duration;

use certwright_tests::cli::certwright_bin;
use certwright_tests::openssl::x509;
use certwright_tests::process::run;
use certwright_tests::program::program;
use certwright_tests::scratch::Scratch;
use xtask::interop::clients::{CLIENTS, Column};

const LIMIT: Duration = Duration::from_secs(120);
const README: &str = include_str!("../../../README.md");

/// The client gets its certificate by each of these.
fn gets(client: &str, columns: &[Column]) {
    let client = CLIENTS.iter().find(|known| known.name == client).unwrap();
    let installed = program(client.installed.unwrap());
    for tool in ["nginx", "openssl", "nsupdate", "curl"] {
        program(tool);
    }
    for column in columns {
        assert_eq!(client.reason(*column), None);
        if let Err(fault) = xtask::interop::case(&certwright_bin(), client, &installed, *column) {
            panic!("{} {}: {fault}", client.name, column.word());
        }
    }
}

#[test]
fn dehydrated_by_what_the_readme_does_not_show() {
    gets("dehydrated", &[Column::Http01, Column::TlsAlpn01, Column::Eab]);
}

#[test]
fn uacme_by_every_challenge() {
    gets("uacme", &[Column::Http01, Column::Dns01, Column::TlsAlpn01, Column::Revoke]);
}

#[test]
fn lego_by_its_own_dynamic_updates() {
    gets("lego", &[Column::Dns01, Column::Wildcard]);
}

#[test]
fn acme_tiny_through_a_web_server() {
    gets("acme-tiny", &[Column::Http01]);
}

/// What a newcomer types, word for word.
#[test]
fn the_commands_of_the_readme_work() {
    let section = README.split("## Try your client and your hook").nth(1).unwrap();
    let block = section.split("```sh\n").nth(1).unwrap().split("```").next().unwrap();
    assert!(block.contains("certwright testbed --isolate -- dehydrated") && block.contains("certwright testbed hook"));
    for tool in ["dehydrated", "nsupdate", "openssl"] {
        program(tool);
    }
    let scratch = Scratch::on_disk().unwrap();
    let binary = certwright_bin();
    let mut command = std::process::Command::new("sh");
    command.args(["-euc", block]).current_dir(scratch.path()).env_clear();
    command.env("PATH", format!("{}:/usr/sbin:/usr/bin:/sbin:/bin", binary.parent().unwrap().display()));
    let output = run(&mut command, LIMIT).unwrap();
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{said}");
    for told in ["dns-01 for www.example.org, valid", "dns-01 for *.example.org, valid", "nothing is wrong"] {
        assert!(said.contains(told), "{told}: {said}");
    }
    // The hook of the section put them there, and another reader than ours reads them.
    let deployed = fs::read(scratch.join("site/fullchain.pem")).unwrap();
    assert!(x509(&deployed, &["-ext", "subjectAltName"]).unwrap().contains("DNS:*.example.org"));
    assert!(fs::exists(scratch.join("site/privkey.pem")).unwrap());
}
