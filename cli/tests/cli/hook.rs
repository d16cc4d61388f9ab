//! Hooks on the bench: each fault is found, and a careful hook is let go.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;

use serde_json::Value;

use crate::play::Play;

const POST_MORTEM: &str = include_str!("hooks/post-mortem.sh");
const CAREFUL: &str = include_str!("hooks/careful.sh");

/// The report on a script, and the words of its findings with their events.
fn tried(code: i32, name: &str, script: &str, options: &[&str]) -> (Value, Vec<(String, String)>) {
    let play = Play::empty();
    play.write(name, script);
    fs::set_permissions(play.path(name), Permissions::from_mode(0o755)).unwrap();
    let ran = play.ends(code, &[&["testbed", "hook", name, "--json"], options].concat());
    let report: Value = serde_json::from_str(&ran.stdout).unwrap();
    let text = |finding: &Value, field: &str| finding[field].as_str().unwrap().to_owned();
    let findings = report["findings"].as_array().unwrap().iter();
    let codes = findings.map(|finding| (text(finding, "code"), text(finding, "event"))).collect();
    (report, codes)
}

fn dehydrated(body: &str) -> Vec<(String, String)> {
    tried(3, "hook.sh", &format!("#!/bin/sh\n{body}\n"), &["--contract", "dehydrated"]).1
}

fn has(findings: &[(String, String)], code: &str, event: &str) -> bool {
    findings.iter().any(|(known, at)| known == code && at == event)
}

#[test]
fn the_hook_of_the_post_mortem_is_found_out() {
    let (report, findings) = tried(3, "hook.sh", POST_MORTEM, &[]);
    assert_eq!((&report["contract"], &report["outcome"]), (&"dehydrated".into(), &"finding".into()));
    assert!(has(&findings, "acl_masked", "deploy_cert"), "{findings:?}");
    let swallowed: Vec<&str> = report["findings"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|finding| finding["code"] == "failure_swallowed")
        .map(|finding| finding["text"].as_str().unwrap().split('`').nth(1).unwrap())
        .collect();
    assert_eq!(swallowed, ["haproxy-that-is-not-installed", "cat", "chmod", "mkdir", "mv", "setfacl"]);
}

#[test]
fn a_careful_hook_is_let_go_and_what_it_did_is_told() {
    let (report, findings) = tried(0, "hook.sh", CAREFUL, &[]);
    assert_eq!(findings, []);
    let events = report["events"].as_array().unwrap();
    let names: Vec<&str> = events.iter().map(|event| event["event"].as_str().unwrap()).collect();
    for name in [
        "startup_hook",
        "generate_csr",
        "deploy_challenge",
        "clean_challenge",
        "sync_cert",
        "deploy_cert",
        "deploy_ocsp",
        "unchanged_cert",
        "invalid_challenge",
        "request_failure",
        "exit_hook",
    ] {
        assert!(names.contains(&name), "{name} was not fired: {names:?}");
    }
    let deployed = events.iter().find(|event| event["event"] == "deploy_cert").unwrap();
    let created =
        deployed["changes"].as_array().unwrap().iter().find(|change| change["path"] == "haproxy/site.pem").unwrap();
    assert!(created["access"].as_str().unwrap().ends_with("user::rw-,group::---,other::---"), "{created}");
    assert_eq!(deployed["status"], 0);
}

#[test]
fn each_breach_of_dehydrateds_contract_has_a_word() {
    let unknown = dehydrated("case \"$1\" in *_cert|*_hook|*_challenge|*_csr|*_ocsp|*_failure) ;; *) exit 1 ;; esac");
    assert!(has(&unknown, "unknown_event", "the probe for unknown events"), "{unknown:?}");
    let busy = dehydrated("touch \"$HOME/$#$1\"");
    assert!(has(&busy, "unknown_event", "the probe for unknown events"), "{busy:?}");
    let readable = dehydrated("[ \"$1\" != deploy_cert ] || install -m 644 \"$3\" \"$BASEDIR/key.pem\"");
    assert!(has(&readable, "key_readable", "deploy_cert"), "{readable:?}");
    let touched = dehydrated("set -e; [ \"$1\" != deploy_cert ] || chmod 640 \"$(readlink -f \"$3\")\"");
    assert!(has(&touched, "source_changed", "deploy_cert"), "{touched:?}");
    let shown = dehydrated("set -e; [ \"$1\" != deploy_cert ] || touch -c \"$(cat \"$3\")\" /dev/null");
    assert!(has(&shown, "key_in_arguments", "deploy_cert"), "{shown:?}");
    let lost = dehydrated(
        "set -e; umask 077; [ \"$1\" != deploy_cert ] || { cp \"$3\" \"$BASEDIR/n\"; mv \"$BASEDIR/n\" \"$BASEDIR/key\"; }",
    );
    assert_eq!(lost, [("access_lost".to_owned(), "deploy_cert".to_owned())]);
    let failed = dehydrated("[ \"$1\" != exit_hook ] || exit 9");
    assert_eq!(failed, [("failed".to_owned(), "exit_hook".to_owned())]);
    let request = dehydrated("[ \"$1\" != generate_csr ] || echo '-----BEGIN CERTIFICATE REQUEST-----'");
    assert_eq!(request, [("bad_request".to_owned(), "generate_csr".to_owned())]);
    // Variables of a certificate are not there when none is worked on.
    let unset = dehydrated("set -u; case \"$CHALLENGETYPE\" in *) ;; esac");
    assert!(has(&unset, "unknown_event", "the probe for unknown events"), "{unset:?}");
}

#[test]
fn one_that_never_ends_is_ended() {
    let script = "#!/bin/sh\n[ \"$1\" != deploy_cert ] || sleep 1000\n";
    let (report, findings) = tried(3, "hook.sh", script, &["--limit", "1s"]);
    assert!(has(&findings, "never_ends", "deploy_cert"), "{findings:?}");
    let events = report["events"].as_array().unwrap();
    assert!(events.iter().any(|event| event["event"] == "deploy_cert" && event["status"].is_null()));
    assert!(events.iter().any(|event| event["event"] == "exit_hook" && event["status"] == 0));
}

#[test]
fn what_it_writes_elsewhere_is_told() {
    let play = Play::empty();
    let elsewhere = play.path("elsewhere");
    fs::create_dir(&elsewhere).unwrap();
    let script =
        format!("#!/bin/sh\nset -e\n[ \"$1\" != deploy_cert ] || cp \"$4\" {}/cert.pem\n", elsewhere.display());
    let (report, _) = tried(3, "hook.sh", &script, &[]);
    let told = report["findings"].as_array().unwrap().iter().filter(|finding| finding["code"] == "writes_elsewhere");
    let told: Vec<&str> = told.map(|finding| finding["text"].as_str().unwrap()).collect();
    assert!(told.iter().any(|text| text.starts_with(&format!("{}/cert.pem: ", elsewhere.display()))), "{told:?}");
}

#[test]
fn a_second_way_is_no_swallowed_failure() {
    let script = "#!/bin/sh\nset -e\numask 077\n[ \"$1\" != deploy_cert ] || cp \"$3\" \"$HOME/key\" || install -m 600 \"$3\" \"$HOME/key\"\n";
    assert_eq!(tried(0, "hook.sh", script, &[]).1, []);
}

#[test]
fn hooks_of_certbot_hear_what_certbot_says() {
    let script = "#!/bin/sh\nset -eu\numask 077\n[ -z \"${RENEWED_LINEAGE-}\" ] || \
                  cat \"$RENEWED_LINEAGE/privkey.pem\" \"$RENEWED_LINEAGE/fullchain.pem\" > \"$HOME/site.pem\"\n";
    let (report, findings) = tried(0, "renewed.sh", script, &[]);
    assert_eq!((&report["contract"], findings.as_slice()), (&"certbot".into(), &[][..]));
    assert!(report["events"].to_string().contains("home/site.pem"));
    let manual = "#!/bin/sh\n[ -n \"$CERTBOT_VALIDATION\" ] && [ \"$CERTBOT_DOMAIN\" != example.org ]\n";
    let (_, findings) = tried(3, "auth.sh", manual, &[]);
    assert!(has(&findings, "failed", "manual-auth-hook (dns-01, example.org)"), "{findings:?}");
}

#[test]
fn hooks_of_lego_hear_what_lego_says() {
    let exec = "#!/bin/sh\nset -eu\ncase \"$1\" in present|cleanup) ;; *) exit 1 ;; esac\n\
                case \"${EXEC_MODE-}\" in RAW) [ \"$2\" = -- ] && [ $# = 5 ] ;; *) [ \"$2\" = _acme-challenge.www.example.org. ] ;; esac\n";
    let (report, findings) = tried(0, "exec.sh", exec, &["--contract", "lego"]);
    assert_eq!((findings, report["events"].as_array().unwrap().len()), (Vec::new(), 4));
    let renewed = "#!/bin/sh\nset -eu\numask 077\ncp \"$LEGO_CERT_KEY_PATH\" \"$HOME/key\"\n[ \"$LEGO_CERT_DOMAIN\" = www.example.org ]\n";
    let (report, findings) = tried(0, "renewed.sh", renewed, &[]);
    assert_eq!((findings, &report["contract"]), (Vec::new(), &"lego".into()));
    let fifth = "#!/bin/sh\nset -eu\n[ \"$LEGO_HOOK_CERT_DOMAINS\" = www.example.org,example.org ]\n\
                 case \"${LEGO_HOOK_CERT_PATH-}\" in '') ;; *) [ -r \"$LEGO_HOOK_CERT_PATH\" ] ;; esac\n";
    let (report, findings) = tried(0, "fifth.sh", fifth, &[]);
    assert_eq!((findings, report["events"].as_array().unwrap().len()), (Vec::new(), 6));
}

#[test]
fn functions_and_reload_commands_of_acme_sh_are_called_as_it_calls_them() {
    let function = "site_deploy() {\n  [ $# = 6 ] && [ \"$1\" = www.example.org ] || return 1\n  umask 077\n  cat \"$5\" \"$2\" > \"$HOME/site.pem\" || return 1\n}\n";
    let (report, findings) = tried(0, "site.sh", function, &[]);
    assert_eq!((findings, &report["contract"]), (Vec::new(), &"acme.sh".into()));
    let lies = "site_deploy() {\n  umask 077\n  cat \"$5\" \"$2\" > \"$HOME/site.pem\"\n  return 0\n}\n";
    let (_, findings) = tried(3, "site.sh", lies, &[]);
    assert!(has(&findings, "failure_swallowed", "deploy function"), "{findings:?}");
    let reload = "#!/bin/sh\nset -eu\n[ -r \"$CERT_KEY_PATH\" ] && [ -r \"$CERT_FULLCHAIN_PATH\" ] && [ -r \"$CA_CERT_PATH\" ]\n";
    assert_eq!(tried(0, "reload.sh", reload, &[]).1, []);
}

#[test]
fn what_cannot_be_tried_is_bad_usage() {
    let play = Play::empty();
    play.ends(2, &["testbed", "hook", "none.sh"]);
    play.write("hook.sh", "#!/bin/sh\n");
    let ran = play.ends(2, &["testbed", "hook", "hook.sh"]);
    assert!(ran.stderr.contains("chmod +x"), "{}", ran.stderr);
    fs::set_permissions(play.path("hook.sh"), Permissions::from_mode(0o755)).unwrap();
    play.ends(2, &["testbed", "hook", "hook.sh", "--user", "nobody-of-this-name"]);
    play.ends(2, &["testbed", "hook", "hook.sh", "--contract", "certbto"]);
    play.ends(0, &["testbed", "hook", "hook.sh"]);
}

mod as_root {
    use super::*;

    #[test]
    fn another_user_can_be_the_one_who_runs_it() {
        let script = "#!/bin/sh\nset -eu\numask 077\n[ \"$(id -un)\" = nobody ]\n\
                      [ \"$1\" != deploy_cert ] || cp \"$3\" \"$HOME/key.pem\"\n";
        let (report, findings) = tried(0, "hook.sh", script, &["--user", "nobody"]);
        assert_eq!(findings, []);
        assert!(report["events"].to_string().contains("\"access\":\"owner 65534, "), "{}", report["events"]);
    }
}
