//! The ACME issuer: at the real Pebble, which looks for answers, and at the test bed, which can be told to misbehave.

use std::path::{Path, PathBuf};

use certwright::{AcmeClient, AcmeIssuer, Challenge, OsFilesystem, Solver, SolverSpec, SystemClock, solver};
use certwright_testbed::{Fault, Occurrence, Problem, ProblemKind};
use certwright_tests::bed::Bed;
use certwright_tests::scratch::Scratch;
use certwright_tests::servers::pebble::{BLOCKED, Options, Pebble};
use rustix::process::Signal;

use super::*;

/// Passes everything on to another solver, and keeps the tokens.
#[derive(Debug)]
struct Noting {
    solver: Arc<dyn Solver>,
    tokens: Mutex<Vec<Vec<u8>>>,
}

impl Noting {
    fn new(spec: &SolverSpec) -> Arc<Self> {
        let solver = solver(spec, Arc::new(OsFilesystem::new()), Arc::new(SystemClock)).unwrap();
        Arc::new(Self { solver, tokens: Mutex::default() })
    }

    /// What nobody may be shown: these tokens, and the key of the account.
    fn secrets(&self, state: &Path) -> Vec<Vec<u8>> {
        let mut secrets = self.tokens.lock().unwrap().clone();
        secrets.extend(std::fs::read(state.join("account.pem")).ok());
        secrets
    }
}

impl Solver for Noting {
    fn present(&self, challenge: &Challenge, cancel: &Cancel) -> Result<()> {
        self.tokens.lock().unwrap().push(challenge.token().as_bytes().to_vec());
        self.solver.present(challenge, cancel)
    }

    fn clean_up(&self, challenge: &Challenge) -> Result<()> {
        self.solver.clean_up(challenge)
    }

    fn kinds(&self) -> &[certwright::ChallengeKind] {
        self.solver.kinds()
    }

    fn wait(&self, challenge: &Challenge, cancel: &Cancel) -> Result<()> {
        self.solver.wait(challenge, cancel)
    }
}

fn client(wish: AcmeIssuer, solver: Arc<Noting>, root: &Path) -> Arc<dyn Issuer> {
    let files = Arc::new(OsFilesystem::new());
    let name = "public".parse().unwrap();
    Arc::new(AcmeClient::new(name, wish, vec![solver], files, root, Arc::new(SystemClock)))
}

/// The files of the client's own state, with what is in them.
fn kept(state: &Path) -> String {
    let entries = std::fs::read_dir(state).into_iter().flatten();
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort_unstable();
    files.iter().map(|file| format!("{}: {:?}\n", file.display(), std::fs::read(file).unwrap())).collect()
}

/// When its certificates are valid, however long a case takes: not before they are made.
fn soon() -> Timestamp {
    certwright::Clock::now(&SystemClock).saturating_add(Duration::from_secs(3_600))
}

mod at_pebble {
    use super::*;

    struct AtPebble {
        pebble: Arc<Pebble>,
        solver: Arc<Noting>,
        scratch: Scratch,
    }

    impl AtPebble {
        fn state(&self) -> PathBuf {
            self.scratch.join(".issuers/public")
        }
    }

    const FIRST: &str = "www.example.org";

    fn bench() -> io::Result<Bench> {
        let pebble = Arc::new(Pebble::start(Options { nonce_rejection: 20, ..Options::default() })?);
        let solver = Noting::new(&SolverSpec::HttpListener(pebble.http));
        let scratch = Scratch::on_disk()?;
        let mut wish = AcmeIssuer::new(&pebble.directory, SolverSpec::HttpListener(pebble.http));
        wish.trust = Some(pebble.trust.clone());
        let issuer = client(wish, solver.clone(), scratch.path());
        let theirs = pebble.clone();
        let address = pebble.http.ip().to_string();
        Ok(Bench {
            issuer,
            authority: Arc::new(AtPebble { pebble, solver, scratch }),
            roots: Box::new(move || Ok(theirs.root(0).unwrap())),
            now: soon(),
            names: vec![names(&[FIRST]), names(&["example.org", "b.a.example.org", &address])],
            patience: PATIENCE,
        })
    }

    impl Authority for AtPebble {
        /// It fails when the first name leads to where nobody answers, and says nothing while it is stopped.
        fn set(&self, mood: Mood) -> io::Result<()> {
            let good = self.pebble.http.ip();
            let leads = if mood == Mood::Failing { certwright_tests::ports::own()?.ip() } else { good };
            if mood == Mood::Silent {
                return self.pebble.process().signal(Signal::STOP);
            }
            self.pebble.process().signal(Signal::CONT)?;
            self.pebble.names.set_addresses(&format!("{FIRST}."), &[&leads.to_string()])
        }

        fn traces(&self) -> String {
            format!("{:?}\n{}", self.pebble.requests(), kept(&self.state()))
        }

        fn is_waited_for(&self) -> io::Result<()> {
            // The kernel takes the connection; nobody reads from it.
            let port = format!(":{:04X}", self.port());
            let table = std::fs::read_to_string("/proc/net/tcp")?;
            let open = table.lines().skip(1).any(|line| {
                let mut fields = line.split_whitespace().skip(1);
                let (local, _, state) = (fields.next(), fields.next(), fields.next());
                local.is_some_and(|local| local.ends_with(&port)) && state == Some("01")
            });
            if open { Ok(()) } else { Err(io::Error::other("nobody is connected to it")) }
        }

        fn secrets(&self) -> Vec<Vec<u8>> {
            self.solver.secrets(&self.state())
        }

        fn place(&self) -> String {
            self.pebble.directory.trim_end_matches("/dir").to_owned()
        }

        fn refuses(&self) -> Option<Sans> {
            Some(names(&[BLOCKED]))
        }
    }

    impl AtPebble {
        fn port(&self) -> u16 {
            let address = self.place();
            address.rsplit(':').next().and_then(|port| port.parse().ok()).unwrap()
        }
    }

    certwright_tests::issuer_suite!(bench);
}

mod at_the_test_bed {
    use super::*;

    struct AtBed {
        bed: Bed,
        solver: Arc<Noting>,
    }

    fn bench() -> io::Result<Bench> {
        let bed = Bed::looking(None)?;
        let solver = Noting::new(&SolverSpec::HttpListener(bed.http));
        let issuer = client(bed.wish(), solver.clone(), bed.scratch.path());
        let root = bed.server.root_pem(0).unwrap();
        let address = bed.http.ip().to_string();
        Ok(Bench {
            issuer,
            authority: Arc::new(AtBed { bed, solver }),
            roots: Box::new(move || Ok(root.clone().into_bytes())),
            now: soon(),
            names: vec![
                names(&["www.example.org"]),
                names(&["example.org", "b.a.example.org", &address]),
                names(&["xn--bcher-kva.example.org"]),
            ],
            patience: PATIENCE,
        })
    }

    impl Authority for AtBed {
        fn set(&self, mood: Mood) -> io::Result<()> {
            let faults = self.bed.server.faults();
            faults.clear();
            match mood {
                Mood::Willing => {}
                // In need of a rest for longer than anybody waits.
                Mood::Failing => {
                    let trouble = Problem::new(ProblemKind::ServerInternal, "as the test wishes").with_status(503);
                    faults.everywhere(Occurrence::Every, Fault::Refuse(trouble));
                    faults.everywhere(Occurrence::Every, Fault::Header("Retry-After".to_owned(), "86400".to_owned()));
                }
                Mood::Silent => faults.everywhere(Occurrence::Every, Fault::Hang),
            }
            Ok(())
        }

        fn traces(&self) -> String {
            format!("{:?}\n{}", self.bed.server.log(), kept(&self.bed.scratch.join(".issuers/public")))
        }

        fn is_waited_for(&self) -> io::Result<()> {
            match self.bed.server.log().last() {
                Some(entry) if entry.status.is_none() => Ok(()),
                last => Err(io::Error::other(format!("no request hangs: {last:?}"))),
            }
        }

        fn secrets(&self) -> Vec<Vec<u8>> {
            self.solver.secrets(&self.bed.scratch.join(".issuers/public"))
        }

        fn place(&self) -> String {
            self.bed.server.directory().replace("/directory", "")
        }

        fn refuses(&self) -> Option<Sans> {
            None
        }
    }

    certwright_tests::issuer_suite!(bench);
}
