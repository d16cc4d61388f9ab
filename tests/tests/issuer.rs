//! The conformance suite of `Issuer` over the embedded CA, the ACME issuer, a source that brings its own key, and issuers that
//! break one promise each.

#![expect(clippy::unwrap_used, reason = "a failing test may panic")]

#[path = "issuer/acme.rs"]
mod acme;

use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use certwright::{
    Cancel, Certificate, Error, ErrorKind, Filesystem, Issued, Issuer, IssuerName, KeyAlgorithm, LocalCa, LocalIssuer,
    ManualClock, Node, Open, PrivateKey, RenewalInfo, Request, Result, RevocationReason, Sans, Timestamp, Window,
};
use certwright_tests::conformance::issuer::{Authority, Bench, CASES, Mood};
use certwright_tests::conformance::{PATIENCE, finding};
use certwright_tests::model_fs::{Counted, ModelFs};

/// 2026-11-24T08:00:00Z.
const NOW: Timestamp = Timestamp::from_unix(1_795_507_200);
const STATE: &str = "/ca/.issuers/lab";

/// The embedded CA and the disk that it lives on.
struct Local {
    fs: ModelFs,
    ca: Arc<LocalCa>,
    /// Who has the lock that it waits for, and how many calls there were before.
    lock: Mutex<Option<(Node, u64)>>,
}

fn names(text: &[&str]) -> Sans {
    Sans::new(text.iter().map(|name| name.parse().unwrap()).collect()).unwrap()
}

impl Local {
    fn new() -> io::Result<Arc<Self>> {
        let fs = ModelFs::default();
        fs.plant_directory("/ca", 0o700)?;
        let (name, clock) = ("lab".parse().unwrap(), Arc::new(ManualClock::at(NOW)));
        let mut wish = LocalIssuer::default();
        wish.permitted = vec!["example.org".parse().unwrap()];
        let ca = LocalCa::new(name, wish, Arc::new(fs.clone()), Path::new("/ca"), clock);
        Ok(Arc::new(Self { fs, ca: Arc::new(ca), lock: Mutex::new(None) }))
    }

    /// A bench on which this issuer, which asks the CA, is tried.
    fn bench(make: impl FnOnce(Arc<LocalCa>) -> Arc<dyn Issuer>, patience: Duration) -> io::Result<Bench> {
        let authority = Self::new()?;
        let (issuer, ca) = (make(authority.ca.clone()), authority.ca.clone());
        Ok(Bench {
            issuer,
            authority,
            roots: Box::new(move || Ok(ca.root_pem(&Cancel::new())?.into_bytes())),
            now: NOW,
            names: vec![
                names(&["www.example.org"]),
                names(&["example.org", "*.example.org", "b.a.example.org"]),
                names(&["xn--bcher-kva.example.org"]),
            ],
            patience,
        })
    }

    /// The lock file, which the CA makes when it is first used.
    fn lock_file(&self) -> io::Result<Node> {
        if !self.fs.look(|view| view.exists(STATE)) {
            self.fs.plant_directory("/ca/.issuers", 0o700)?;
            self.fs.plant_directory(STATE, 0o700)?;
        }
        let lock = format!("{STATE}/.lock");
        if !self.fs.look(|view| view.exists(&lock)) {
            self.fs.plant_file(&lock, b"", 0o600)?;
        }
        self.fs.open(None, Path::new(&lock), Open::Append)
    }
}

impl Authority for Local {
    fn set(&self, mood: Mood) -> io::Result<()> {
        self.fs.change(|settings| settings.read_only = mood == Mood::Failing);
        let held = if mood == Mood::Silent {
            let lock = self.lock_file()?;
            assert!(self.fs.try_lock(&lock)?);
            Some((lock, self.fs.count(Counted::Every)))
        } else {
            None
        };
        *self.lock.lock().unwrap() = held;
        Ok(())
    }

    fn traces(&self) -> String {
        self.fs.look(|view| view.tree())
    }

    fn is_waited_for(&self) -> io::Result<()> {
        // It looks at the lock again and again.
        match &*self.lock.lock().unwrap() {
            Some((_, before)) if self.fs.count(Counted::Every) > before + 20 => Ok(()),
            _ => Err(io::Error::other("nobody asks for the lock")),
        }
    }

    fn secrets(&self) -> Vec<Vec<u8>> {
        ["root.pem", "intermediate.pem"]
            .iter()
            .filter_map(|name| self.fs.look(|view| view.read(format!("{STATE}/{name}"))).ok())
            .collect()
    }

    fn place(&self) -> String {
        "/ca/.issuers".to_owned()
    }

    fn refuses(&self) -> Option<Sans> {
        Some(names(&["www.example.org", "www.example.com"]))
    }
}

mod local {
    use super::*;

    certwright_tests::issuer_suite!(|| Local::bench(|ca| ca, PATIENCE));
}

/// Makes the key itself, as a store that several machines share would.
#[derive(Debug)]
struct Bringing(Arc<LocalCa>);

impl Issuer for Bringing {
    fn id(&self) -> &IssuerName {
        self.0.id()
    }

    fn issue(&self, request: &Request<'_>, cancel: &Cancel) -> Result<Issued> {
        cancel.check()?;
        let key = PrivateKey::generate(KeyAlgorithm::EcdsaP256)?;
        let issued = self.0.issue(&Request::new(request.lineage(), request.identifiers(), &key), cancel)?;
        Ok(Issued::with_key(issued.chain, key))
    }
}

mod bringing {
    use super::*;

    certwright_tests::issuer_suite!(|| Local::bench(|ca| Arc::new(Bringing(ca)), PATIENCE));
}

type Issues = dyn Fn(&LocalCa, &Request<'_>, &Cancel) -> Result<Issued> + Send + Sync;

/// Keeps the promises of the embedded CA but for what is put in their place.
struct Lying {
    ca: Arc<LocalCa>,
    name: fn(asked: u32) -> &'static str,
    issue: Box<Issues>,
    renewal: fn(Window) -> Option<Window>,
    revoke: fn() -> Option<Error>,
    shows: Mutex<String>,
    names: [IssuerName; 2],
    asked: AtomicU32,
}

impl Lying {
    fn new(ca: Arc<LocalCa>) -> Self {
        Self {
            ca,
            name: |_| "lab",
            issue: Box::new(|ca, request, cancel| ca.issue(request, cancel)),
            renewal: Some,
            revoke: || None,
            shows: Mutex::default(),
            names: ["lab", "other"].map(|name| name.parse().unwrap()),
            asked: AtomicU32::new(0),
        }
    }

    /// One that issues like this.
    fn issuing(
        ca: Arc<LocalCa>,
        issue: impl Fn(&LocalCa, &Request<'_>, &Cancel) -> Result<Issued> + Send + Sync + 'static,
    ) -> Self {
        Self { issue: Box::new(issue), ..Self::new(ca) }
    }

    /// One that makes another error of this kind.
    fn failing(ca: Arc<LocalCa>, kind: ErrorKind, error: fn(Error) -> Error) -> Self {
        Self::issuing(ca, move |ca, request, cancel| {
            ca.issue(request, cancel).map_err(|told| if told.kind() == kind { error(told) } else { told })
        })
    }
}

impl std::fmt::Debug for Lying {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.shows.lock().unwrap())
    }
}

impl Issuer for Lying {
    fn id(&self) -> &IssuerName {
        let name = (self.name)(self.asked.load(Ordering::Relaxed));
        self.names.iter().find(|known| known.as_str() == name).unwrap()
    }

    fn issue(&self, request: &Request<'_>, cancel: &Cancel) -> Result<Issued> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        let issued = (self.issue)(&self.ca, request, cancel)?;
        if let Some(key) = &issued.key {
            *self.shows.lock().unwrap() = format!("{:?}", key.to_der().expose());
        }
        Ok(issued)
    }

    fn renewal_info(&self, leaf: &Certificate, cancel: &Cancel) -> Result<Option<RenewalInfo>> {
        cancel.check()?;
        Ok((self.renewal)(leaf.window()).map(|window| RenewalInfo::new(window, window.start)))
    }

    fn revoke(&self, leaf: &Certificate, reason: RevocationReason, cancel: &Cancel) -> Result<()> {
        cancel.check()?;
        (self.revoke)().map_or_else(|| self.ca.revoke(leaf, reason, cancel), Err)
    }
}

fn fresh() -> PrivateKey {
    PrivateKey::generate(KeyAlgorithm::EcdsaP256).unwrap()
}

/// A chain for these names and a key that comes with it.
fn brought(ca: &LocalCa, request: &Request<'_>, names: &Sans, cancel: &Cancel) -> Result<Issued> {
    let key = fresh();
    let issued = ca.issue(&Request::new(request.lineage(), names, &key), cancel)?;
    Ok(Issued::with_key(issued.chain, key))
}

/// The case that catches it, a word of what is found, and the liar.
type Liar = (&'static str, &'static str, fn(Arc<LocalCa>) -> Lying);

const LIARS: &[Liar] = &[
    ("the_name_stays", "became `other`", |ca| Lying {
        name: |asked| if asked == 0 { "lab" } else { "other" },
        ..Lying::new(ca)
    }),
    ("a_chain_belongs_to_the_key_and_the_names", "the public key of somebody else", |ca| {
        Lying::issuing(ca, |ca, request, cancel| {
            Ok(Issued::new(brought(ca, request, request.identifiers(), cancel)?.chain))
        })
    }),
    ("a_chain_belongs_to_the_key_and_the_names", "the public key of somebody else", |ca| {
        Lying::issuing(ca, |ca, request, cancel| Ok(Issued::with_key(ca.issue(request, cancel)?.chain, fresh())))
    }),
    ("a_chain_belongs_to_the_key_and_the_names", "asked for example.org", |ca| {
        Lying::issuing(ca, |ca, request, cancel| {
            let first = Sans::new(request.identifiers().iter().take(1).cloned().collect())?;
            brought(ca, request, &first, cancel)
        })
    }),
    ("a_chain_belongs_to_the_key_and_the_names", "asked for www.example.org", |ca| {
        Lying::issuing(ca, |ca, request, cancel| {
            let more = request.identifiers().iter().cloned().chain(["more.example.org".parse()?]);
            brought(ca, request, &Sans::new(more.collect())?, cancel)
        })
    }),
    ("a_chain_belongs_to_the_key_and_the_names", "openssl refused", |ca| {
        let other = Local::new().unwrap().ca.clone();
        Lying::issuing(ca, move |_, request, cancel| other.issue(request, cancel))
    }),
    ("a_key_of_any_kind_is_certified", "unheard of", |ca| {
        Lying::issuing(ca, |ca, request, cancel| match request.public_key_der().len() {
            0..100 => ca.issue(request, cancel),
            _ => Err(Error::new(ErrorKind::Unsupported, "this kind of key is unheard of")),
        })
    }),
    ("the_same_request_is_answered_again", "there was one", |ca| {
        let calls = AtomicU32::new(0);
        Lying::issuing(ca, move |ca, request, cancel| match calls.fetch_add(1, Ordering::Relaxed) {
            0 => ca.issue(request, cancel),
            _ => Err(Error::new(ErrorKind::Refused, "there was one")),
        })
    }),
    ("it_goes_on_after_a_failure", "failed for good", |ca| {
        let failed = AtomicU32::new(0);
        Lying::issuing(ca, move |ca, request, cancel| {
            if failed.load(Ordering::Relaxed) > 0 {
                return Err(Error::new(ErrorKind::Network, "failed for good"));
            }
            ca.issue(request, cancel).inspect_err(|_| failed.store(1, Ordering::Relaxed))
        })
    }),
    ("a_failure_names_the_place_and_the_next_step", "does not name", |ca| {
        Lying::failing(ca, ErrorKind::Io, |_| Error::new(ErrorKind::Io, "it failed").hint("try again"))
    }),
    ("a_failure_names_the_place_and_the_next_step", "says nothing to do", |ca| {
        Lying::failing(ca, ErrorKind::Io, |_| Error::new(ErrorKind::Io, "it failed").context("path", "/ca/.issuers"))
    }),
    ("what_it_may_not_issue_is_refused_by_name", "none of", |ca| {
        Lying::failing(ca, ErrorKind::Refused, |_| Error::new(ErrorKind::Refused, "no").hint("ask for less"))
    }),
    ("what_it_may_not_issue_is_refused_by_name", "said to be done", |ca| {
        Lying::issuing(ca, |ca, request, cancel| {
            let allowed = Sans::new(request.identifiers().iter().take(1).cloned().collect())?;
            ca.issue(&Request::new(request.lineage(), &allowed, &fresh()), cancel)
        })
    }),
    ("nothing_is_begun_when_stopped_before", "issue: it was said to be done", |ca| {
        Lying::issuing(ca, |ca, request, _| ca.issue(request, &Cancel::new()))
    }),
    ("a_wait_ends_when_stopped", "it waits on", |ca| {
        Lying::issuing(ca, |ca, request, _| ca.issue(request, &Cancel::new()))
    }),
    ("several_threads_are_served_at_once", "busy", |ca| {
        let (busy, start) = (Mutex::new(()), std::sync::Barrier::new(8));
        Lying::issuing(ca, move |ca, request, cancel| {
            let alone = busy.try_lock();
            start.wait();
            match alone {
                Ok(_) => ca.issue(request, cancel),
                Err(_) => Err(Error::new(ErrorKind::Conflict, "busy")),
            }
        })
    }),
    ("no_secret_is_shown", "a secret can be read in", |ca| {
        // Its Debug shows the key that it brought.
        Lying::issuing(ca, |ca, request, cancel| brought(ca, request, request.identifiers(), cancel))
    }),
    ("renewal_information_is_a_window_or_nothing", "has no time in it", |ca| Lying {
        renewal: |window| Some(Window::new(window.end, window.start)),
        ..Lying::new(ca)
    }),
    ("renewal_information_is_a_window_or_nothing", "begins when the leaf has ended", |ca| Lying {
        renewal: |window| Some(Window::new(window.end, window.end.saturating_add(Duration::from_secs(1)))),
        ..Lying::new(ca)
    }),
    ("a_revocation_is_done_or_said_to_be_impossible", "Network", |ca| Lying {
        revoke: || Some(Error::new(ErrorKind::Network, "no answer")),
        ..Lying::new(ca)
    }),
    ("a_revocation_is_done_or_said_to_be_impossible", "does not name", |ca| Lying {
        revoke: || Some(Error::new(ErrorKind::Unsupported, "no").hint("do without")),
        ..Lying::new(ca)
    }),
];

#[test]
fn whoever_breaks_a_promise_is_caught() {
    for (case, words, liar) in LIARS {
        // Who waits on is not waited for.
        let patience = if *words == "it waits on" { Duration::from_millis(200) } else { PATIENCE };
        let found = finding(CASES, case, &Local::bench(|ca| Arc::new(liar(ca)), patience).unwrap());
        assert!(found.as_ref().is_some_and(|found| found.contains(words)), "{case}, {words}: {found:?}");
    }
    let uncaught = CASES.iter().filter(|(name, _)| !LIARS.iter().any(|(case, _, _)| case == name));
    assert_eq!(uncaught.map(|(name, _)| *name).collect::<Vec<_>>(), Vec::<&str>::new());
    for (name, _) in CASES {
        let found = finding(CASES, name, &Local::bench(|ca| Arc::new(Lying::new(ca)), PATIENCE).unwrap());
        assert_eq!(found, None, "{name}, and nobody lies");
    }
}
