use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::time::Duration;

use super::*;
use crate::ground::time::{ManualClock, Timestamp};
use crate::place::os::OsFilesystem;
use crate::place::scratch::Scratch;

/// RFC 8555 §8.1 has tokens and thumbprints of this form; the digests are OpenSSL's.
const TOKEN: &str = "evaGxfADs6pSRb2LAv9IZf17Dt3juxGJ-PCt92wr-oA";
const THUMBPRINT: &str = "9jg46WB3rR_AHD-EBXdN7cBkH1WOu0tA3M9fm21mqTI";
const TXT: &str = "lCM7cZyQXcVHK2nnW3jjAhNT3Fvm18UN-kWZZknKoYM";
const HEX: &str = "94233b719c905dc5472b69e75b78e3021353dc5be6d7c50dfa45996649caa183";

fn clock() -> Arc<dyn Clock> {
    Arc::new(ManualClock::at(Timestamp::from_unix(1_795_507_200)))
}

fn challenge(kind: ChallengeKind, name: &str) -> Challenge {
    Challenge::new(kind, name.parse().unwrap(), TOKEN, THUMBPRINT).unwrap()
}

/// A script that writes down each argument and the variables that were added, one call a line, and then does `more`.
struct Script {
    scratch: Scratch,
    path: PathBuf,
}

impl Script {
    fn new(more: &str) -> Self {
        let scratch = Scratch::new();
        let calls = scratch.at("calls").display().to_string();
        let text = format!(
            "#!/bin/sh\n{{ for word in \"$@\"; do printf '<%s>' \"$word\"; done\n\
             env | grep -E '^(CERTBOT|UACME|CHALLENGETYPE)' | sort | tr '\\n' ' '; echo; }} >> {calls}\n{more}\n"
        );
        let path = scratch.file("script", text, 0o755);
        Self { scratch, path }
    }

    fn solver(&self, convention: Convention) -> ByCommand {
        self.solver_with(convention, |_| {})
    }

    fn solver_with(&self, convention: Convention, change: impl FnOnce(&mut CommandSolver)) -> ByCommand {
        let command = Command::new([self.path.to_str().unwrap(), "own argument"]);
        let mut wish = CommandSolver::new(convention, command, convention.kinds().to_vec());
        wish.propagation.limit = Duration::ZERO;
        change(&mut wish);
        ByCommand::new(wish, Arc::new(OsFilesystem::new()), clock()).unwrap()
    }

    fn calls(&self) -> Vec<String> {
        let text = std::fs::read_to_string(self.scratch.at("calls")).unwrap_or_default();
        text.lines()
            .map(|line| {
                line.trim_end()
                    .replace(TXT, "TXT")
                    .replace(HEX, "HEX")
                    .replace(TOKEN, "TOKEN")
                    .replace(THUMBPRINT, "THUMB")
            })
            .collect()
    }
}

fn both(solver: &ByCommand, challenge: &Challenge) {
    solver.present(challenge, &Cancel::new()).unwrap();
    solver.wait(challenge, &Cancel::new()).unwrap();
    solver.clean_up(challenge).unwrap();
}

#[test]
fn a_dehydrated_hook_is_called_as_dehydrated_does() {
    let script = Script::new("");
    let solver = script.solver(Convention::Dehydrated);
    both(&solver, &challenge(ChallengeKind::Http01, "a.example"));
    both(&solver, &challenge(ChallengeKind::Dns01, "a.example"));
    both(&solver, &challenge(ChallengeKind::TlsAlpn01, "192.0.2.1"));
    assert_eq!(
        script.calls(),
        [
            "<own argument><deploy_challenge><a.example><TOKEN><TOKEN.THUMB>CHALLENGETYPE=http-01",
            "<own argument><clean_challenge><a.example><TOKEN><TOKEN.THUMB>CHALLENGETYPE=http-01",
            "<own argument><deploy_challenge><a.example><TOKEN><TXT>CHALLENGETYPE=dns-01",
            "<own argument><clean_challenge><a.example><TOKEN><TXT>CHALLENGETYPE=dns-01",
            "<own argument><deploy_challenge><1.2.0.192.in-addr.arpa><TOKEN><HEX>CHALLENGETYPE=tls-alpn-01",
            "<own argument><clean_challenge><1.2.0.192.in-addr.arpa><TOKEN><HEX>CHALLENGETYPE=tls-alpn-01",
        ]
    );
}

#[test]
fn a_certbot_hook_is_told_by_its_environment_and_hears_what_it_printed() {
    let script = Script::new("echo ' the id  '; echo noise >&2");
    let solver = script.solver_with(Convention::Certbot, |wish| wish.cleanup = Some(wish.command.clone()));
    both(&solver, &challenge(ChallengeKind::Http01, "a.example"));
    both(&solver, &challenge(ChallengeKind::Dns01, "a.example"));
    let names = "CERTBOT_ALL_DOMAINS=a.example CERTBOT_ALL_IDENTIFIERS=a.example";
    let more = "CERTBOT_DOMAIN=a.example CERTBOT_IDENTIFIER=a.example CERTBOT_REMAINING_CHALLENGES=0";
    let cleaned = "CERTBOT_ALL_DOMAINS=a.example CERTBOT_ALL_IDENTIFIERS=a.example CERTBOT_AUTH_OUTPUT=the id";
    assert_eq!(
        script.calls(),
        [
            format!("<own argument>{names} {more} CERTBOT_TOKEN=TOKEN CERTBOT_VALIDATION=TOKEN.THUMB"),
            format!("<own argument>{cleaned} {more} CERTBOT_TOKEN=TOKEN CERTBOT_VALIDATION=TOKEN.THUMB"),
            format!("<own argument>{names} {more} CERTBOT_VALIDATION=TXT"),
            format!("<own argument>{cleaned} {more} CERTBOT_VALIDATION=TXT"),
        ]
    );
    // Without a cleanup hook nothing is run to clean up.
    let script = Script::new("");
    both(&script.solver(Convention::Certbot), &challenge(ChallengeKind::Dns01, "a.example"));
    assert_eq!(script.calls().len(), 1);
}

#[test]
fn a_raw_script_of_lego_hashes_by_itself() {
    let script = Script::new("");
    both(&script.solver(Convention::LegoRaw), &challenge(ChallengeKind::Dns01, "a.example"));
    assert_eq!(
        script.calls(),
        [
            "<own argument><present><--><a.example><TOKEN><TOKEN.THUMB>",
            "<own argument><cleanup><--><a.example><TOKEN><TOKEN.THUMB>",
        ]
    );
}

#[test]
fn a_uacme_hook_may_decline() {
    let script = Script::new("[ \"$3\" = dns-01 ]");
    let solver = script.solver(Convention::Uacme);
    both(&solver, &challenge(ChallengeKind::Dns01, "a.example"));
    let declined = challenge(ChallengeKind::Http01, "a.example");
    let error = solver.present(&declined, &Cancel::new()).unwrap_err();
    assert_eq!((error.kind(), error.fact("challenge")), (ErrorKind::Unsupported, Some("http-01")));
    solver.clean_up(&declined).unwrap();
    let variables = |method: &str, kind: &str, answer: &str| {
        format!(
            "<own argument><{method}><{kind}><a.example><TOKEN><{answer}>UACME_AUTH={answer} UACME_IDENT=a.example \
             UACME_METHOD={method} UACME_TOKEN=TOKEN UACME_TYPE={kind} UACME_VERBOSE=0"
        )
    };
    assert_eq!(
        script.calls(),
        [
            variables("begin", "dns-01", "TXT"),
            variables("done", "dns-01", "TXT"),
            variables("begin", "http-01", "TOKEN.THUMB"),
        ]
    );
}

#[test]
fn cleaning_up_follows_what_failed_or_was_cut() {
    let script = Script::new("[ \"$2\" = failed ] || { echo no; exec sleep 1000; }");
    let solver = script.solver_with(Convention::Uacme, |wish| wish.command.limit = Duration::from_millis(300));
    let one = challenge(ChallengeKind::Dns01, "a.example");
    let error = solver.present(&one, &Cancel::new()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    solver.clean_up(&one).unwrap();
    // Nothing is known of an earlier run.
    script.solver(Convention::Uacme).clean_up(&one).unwrap();
    let words: Vec<String> = script.calls().iter().map(|call| call.split('<').nth(2).unwrap().to_owned()).collect();
    assert_eq!(words, ["begin>", "failed>", "failed>"]);
}

#[test]
fn what_a_failed_script_said_is_told_without_the_answer() {
    let script = Script::new("echo \"adding $4 for $1 $2 $3: no route\" >&2; exit 3");
    let solver = script.solver(Convention::Dehydrated);
    for kind in ChallengeKind::WITH_TOKEN {
        let error = solver.present(&challenge(kind, "a.example"), &Cancel::new()).unwrap_err();
        assert_eq!((error.kind(), error.fact("exit_status")), (ErrorKind::ChallengeFailed, Some("3")));
        assert_eq!(error.fact("command"), script.path.to_str());
        let shown = format!("{error:#} {error:?}");
        assert!(error.fact("output").unwrap().ends_with(": no route"), "{shown}");
        for secret in [TOKEN, THUMBPRINT, TXT, HEX] {
            assert!(!shown.contains(secret), "{shown}");
        }
    }
}

#[test]
fn what_cannot_be_run_is_said_before_there_is_a_challenge() {
    let scratch = Scratch::new();
    let path = scratch.file("script", "#!/bin/sh\n", 0o644);
    let wish = CommandSolver::new(Convention::Lego, Command::new([path.to_str().unwrap()]), vec![ChallengeKind::Dns01]);
    let error = ByCommand::new(wish, Arc::new(OsFilesystem::new()), clock()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Permission);
    std::fs::set_permissions(&path, PermissionsExt::from_mode(0o755)).unwrap();
}

#[test]
fn a_convention_answers_what_its_client_does() {
    let script = Script::new("");
    for (convention, kind) in [
        (Convention::Certbot, ChallengeKind::TlsAlpn01),
        (Convention::Lego, ChallengeKind::Http01),
        (Convention::LegoRaw, ChallengeKind::TlsAlpn01),
    ] {
        let solver = script.solver_with(convention, |wish| wish.kinds = vec![kind]);
        let error = solver.present(&challenge(kind, "a.example"), &Cancel::new()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported);
    }
    assert!(script.calls().is_empty());
}
