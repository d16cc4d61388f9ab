use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::mpsc::{Receiver, channel};
use std::thread::{JoinHandle, spawn};

use super::*;
use crate::deploy::reload::tests::{rcgen_bundle, with_context};
use crate::place::scratch::Scratch;

const NAME: &str = "/srv/tls/www/current/bundle.pem";

// The answers of HAProxy 2.6.12 (Debian 12), but for the names.
const LIST: &str = "# filename\n/srv/tls/www/current/bundle.pem\n\n";
const LIST_OPEN: &str =
    "# transaction\n*/srv/tls/www/current/bundle.pem\n# filename\n/srv/tls/www/current/bundle.pem\n\n";
const LIST_OTHER: &str = "# transaction\n*/other.pem\n# filename\n/other.pem\n/srv/tls/www/current/bundle.pem\n\n";
const CREATED: &str = "Transaction created for certificate /srv/tls/www/current/bundle.pem!\n\n";
const SUCCESS: &str = "Committing /srv/tls/www/current/bundle.pem.\nSuccess!\n\n";
const ABORTED: &str = "Transaction aborted for certificate '/srv/tls/www/current/bundle.pem'!\n\n";

fn shown(sha1: &str) -> String {
    format!(
        "Filename: {NAME}\nStatus: Used\nSerial: 6E1D24311F5AEBD9C775EDB72E982A56CE014ACE\n\
         notBefore: Nov 24 08:33:33 2026 GMT\nnotAfter: Dec 24 08:33:33 2026 GMT\n\
         Subject Alternative Name: DNS:b.example\nAlgorithm: EC256\nSHA1 FingerPrint: {sha1}\n\
         Subject: /CN=b.example\nIssuer: /CN=b.example\nOCSP Response Key: \n\n"
    )
}

/// Answers one command for each connection, as the admin socket does, in this order, and notes what was asked.
struct Fake {
    scratch: Scratch,
    asked: Receiver<String>,
    thread: JoinHandle<()>,
}

impl Fake {
    fn answering(answers: &[&str]) -> Self {
        let scratch = Scratch::new();
        let listener = UnixListener::bind(scratch.path().join("admin.sock")).unwrap();
        let (note, asked) = channel();
        let answers: Vec<String> = answers.iter().map(|answer| (*answer).to_owned()).collect();
        let thread = spawn(move || {
            for answer in answers {
                let (mut stream, _) = listener.accept().unwrap();
                let request = request(&mut stream);
                if request.is_empty() {
                    return;
                }
                note.send(request).unwrap();
                stream.write_all(answer.as_bytes()).unwrap();
            }
        });
        Self { scratch, asked, thread }
    }

    fn reload(self, bundle: &[u8]) -> (Result<Reloaded>, Vec<String>) {
        let socket = self.scratch.path().join("admin.sock");
        let api = HaproxyReload::new(socket.clone(), Path::new(NAME)).unwrap();
        let reloaded = with_context(bundle, |context| api.reload(context, &Cancel::new()));
        // A connection without a request ends a fake that has answers left.
        drop(UnixStream::connect(socket));
        self.thread.join().unwrap();
        (reloaded, self.asked.iter().collect())
    }
}

/// One command with its payload.
fn request(stream: &mut UnixStream) -> String {
    let mut request = Vec::new();
    let mut byte = [0];
    while stream.read(&mut byte).unwrap() == 1 {
        request.extend_from_slice(&byte);
        let first = request.split(|byte| *byte == b'\n').next().unwrap();
        let end: &[u8] = if first.ends_with(b" <<") { b"\n\n" } else { b"\n" };
        if request.ends_with(end) {
            break;
        }
    }
    String::from_utf8(request).unwrap()
}

fn sha1_of(bundle: &[u8]) -> String {
    sha1(Chain::from_pem(bundle).unwrap().leaf().der())
}

#[test]
fn hands_over_the_bundle_and_sees_it_used() {
    let bundle = rcgen_bundle();
    let fake = Fake::answering(&[LIST, CREATED, SUCCESS, &shown(&sha1_of(&bundle))]);
    let (reloaded, asked) = fake.reload(&bundle);
    assert_eq!(reloaded.unwrap(), Reloaded::Confirmed);
    let text = String::from_utf8(bundle).unwrap();
    let expected = [
        "show ssl cert\n".to_owned(),
        format!("set ssl cert {NAME} <<\n{text}\n"),
        format!("commit ssl cert {NAME}\n"),
        format!("show ssl cert {NAME}\n"),
    ];
    assert_eq!(asked, expected);
}

#[test]
fn an_empty_line_in_the_bundle_does_not_end_it() {
    let bundle = rcgen_bundle();
    let sha1 = sha1_of(&bundle);
    let loose = String::from_utf8(bundle.clone()).unwrap().replace('\n', "\r\n\r\n \n");
    let (reloaded, asked) = Fake::answering(&[LIST, CREATED, SUCCESS, &shown(&sha1)]).reload(loose.as_bytes());
    assert_eq!(reloaded.unwrap(), Reloaded::Confirmed);
    assert_eq!(asked[1], format!("set ssl cert {NAME} <<\n{}\n", String::from_utf8(bundle).unwrap()));
}

#[test]
fn a_transaction_that_was_left_open_is_given_up_first() {
    let bundle = rcgen_bundle();
    let fake = Fake::answering(&[LIST_OPEN, ABORTED, CREATED, SUCCESS, &shown(&sha1_of(&bundle))]);
    let (reloaded, asked) = fake.reload(&bundle);
    assert_eq!(reloaded.unwrap(), Reloaded::Confirmed);
    assert_eq!(asked[1], format!("abort ssl cert {NAME}\n"));
}

#[test]
fn a_transaction_on_another_certificate_is_not_given_our_key() {
    let (reloaded, asked) = Fake::answering(&[LIST_OTHER]).reload(&rcgen_bundle());
    let error = reloaded.unwrap_err();
    assert_eq!((error.kind(), error.fact("transaction")), (ErrorKind::Conflict, Some("/other.pem")));
    assert_eq!(asked, ["show ssl cert\n"]);
}

#[test]
fn a_transaction_that_was_given_our_key_by_mistake_is_given_up() {
    // Begun by somebody else after we looked. HAProxy 2.6 puts the bundle into it, and says so.
    let other = "Transaction updated for certificate /other.pem!\n\n";
    let aborted = "Transaction aborted for certificate '/other.pem'!\n\n";
    let (reloaded, asked) =
        Fake::answering(&[LIST, other, aborted, "No ongoing transaction!\n\n"]).reload(&rcgen_bundle());
    let error = reloaded.unwrap_err();
    assert_eq!((error.kind(), error.fact("transaction")), (ErrorKind::Conflict, Some("/other.pem")));
    assert_eq!(asked[2], "abort ssl cert /other.pem\n");
    assert!(!asked.iter().any(|command| command.starts_with("commit")), "{asked:?}");
}

/// What `answers` lead to; nothing of the key is in it.
fn refused(answers: &[&str]) -> (Error, Vec<String>) {
    let bundle = rcgen_bundle();
    let (reloaded, asked) = Fake::answering(answers).reload(&bundle);
    let error = reloaded.unwrap_err();
    assert!(error.hint_text().is_some() && error.fact("socket").is_some(), "{error}");
    assert_eq!(asked.len(), answers.len(), "{answers:?}");
    let bundle = String::from_utf8(bundle).unwrap();
    assert!(!format!("{error:?}").contains(bundle.lines().nth(1).unwrap()));
    (error, asked)
}

#[test]
fn an_answer_that_is_an_error_before_anything_was_begun_is_an_error() {
    let unknown = "Unknown command, but maybe one of the following ones is a better match:\n  quit\n\n";
    for (answers, kind) in [
        (vec!["# filename\n/other.pem\n\n"], ErrorKind::ReloadFailed),
        (vec!["Can't allocate memory!\n\n"], ErrorKind::Permission),
        (vec![""], ErrorKind::ReloadFailed),
        (vec![unknown], ErrorKind::Unsupported),
        (vec![LIST_OPEN, "No ongoing transaction!\n\n"], ErrorKind::ReloadFailed),
    ] {
        let (error, _) = refused(&answers);
        assert_eq!(error.kind(), kind, "{answers:?}");
    }
}

#[test]
fn what_was_begun_and_refused_is_taken_back() {
    let unfit = "unable to load certificate from file 'x'.\nCan't load the payload\nCan't update x!\n\n";
    let no_pair = "inconsistencies between private key and certificate loaded 'x'.\nCan't commit x!\n\n";
    for (answers, said) in [
        (vec![LIST, unfit], "unable to load certificate from file 'x'. | Can't load the payload | Can't update x!"),
        (
            vec![LIST, CREATED, no_pair],
            "inconsistencies between private key and certificate loaded 'x'. | Can't commit x!",
        ),
        (
            vec![LIST, CREATED, "No ongoing transaction! !\nCan't commit x!\n\n"],
            "No ongoing transaction! ! | Can't commit x!",
        ),
        (vec![LIST, CREATED, "Success!\nCan't commit x!\n\n"], "Success! | Can't commit x!"),
    ] {
        let (error, asked) = refused(&[answers.as_slice(), &[ABORTED]].concat());
        assert_eq!((error.kind(), error.fact("answer")), (ErrorKind::ReloadFailed, Some(said)));
        assert_eq!(asked.last().unwrap(), &format!("abort ssl cert {NAME}\n"));
    }
    let (error, _) = refused(&[LIST, "Permission denied\n\n", "Permission denied\n\n"]);
    assert_eq!(error.kind(), ErrorKind::Permission);
    // A payload beyond tune.bufsize: the connection is closed without a word.
    let (error, _) = refused(&[LIST, "", "No ongoing transaction!\n\n"]);
    assert_eq!((error.kind(), error.fact("answer")), (ErrorKind::ReloadFailed, None));
}

#[test]
fn a_commit_that_cannot_be_seen_is_an_error() {
    let gone = "Can't display the certificate: Not found or the certificate is a bundle!\n\n";
    let (error, _) = refused(&[LIST, CREATED, SUCCESS, gone]);
    assert_eq!((error.kind(), error.fact("answer")), (ErrorKind::ReloadFailed, Some(gone.trim())));
}

#[test]
fn another_certificate_in_use_is_an_error() {
    let other = shown("A5753D821A0F8DFB2CC90A1B67241120D0C53729");
    let (reloaded, _) = Fake::answering(&[LIST, CREATED, SUCCESS, &other]).reload(&rcgen_bundle());
    let error = reloaded.unwrap_err();
    assert_eq!(error.fact("uses_sha1"), Some("A5753D821A0F8DFB2CC90A1B67241120D0C53729"));
    assert!(error.fact("wanted_sha1").is_some());
}

#[test]
fn the_sha1_is_the_one_that_openssl_shows() {
    let scratch = Scratch::new();
    let bundle = rcgen_bundle();
    let path = scratch.file("bundle.pem", &bundle, 0o600);
    let output = std::process::Command::new("openssl")
        .args(["x509", "-noout", "-fingerprint", "-sha1", "-in"])
        .arg(path)
        .output()
        .unwrap();
    let shown = String::from_utf8(output.stdout).unwrap();
    assert_eq!(shown.trim().rsplit('=').next().unwrap().replace(':', ""), sha1_of(&bundle));
}

#[test]
fn nobody_at_the_socket_is_not_found() {
    let scratch = Scratch::new();
    let path = scratch.path().join("admin.sock");
    let api = HaproxyReload::new(path.clone(), Path::new(NAME)).unwrap();
    assert_eq!(api.preflight(&Cancel::new()).unwrap_err().kind(), ErrorKind::NotFound);
    // Left behind by a HAProxy that has ended.
    drop(UnixListener::bind(path).unwrap());
    assert_eq!(api.preflight(&Cancel::new()).unwrap_err().kind(), ErrorKind::NotFound);
}

#[test]
fn a_socket_that_never_answers_or_never_ends_is_left_on_time() {
    let scratch = Scratch::new();
    let path = scratch.path().join("admin.sock");
    let listener = UnixListener::bind(&path).unwrap();
    let api = HaproxyReload::new(path, Path::new(NAME)).unwrap();
    let cancel = Cancel::new();
    // Never accepted, so never answered.
    let error = api.session(Duration::from_millis(100), &cancel).list().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    drop(listener.accept().unwrap());
    let flood = spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        while stream.write_all(&[b'x'; 4096]).is_ok() {}
    });
    let error = api.session(LIMIT, &cancel).list().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Network, "{error:#}");
    flood.join().unwrap();
}
