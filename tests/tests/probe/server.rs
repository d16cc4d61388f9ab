//! A server of one certificate, or two by name, that speaks a dialect before TLS and can be silent, forge, or go away.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

use certwright::StartTls;
use certwright_tests::conformance::PATIENCE;
use certwright_tests::conformance::probe::{Mood, Service, Shown};
use certwright_tests::until::until;
use certwright_tests::{openssl, ports};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::{ServerConfig, ServerConnection};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

/// Where it listens, and who listens now.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    dialect: Option<StartTls>,
    asked: Arc<AtomicUsize>,
    reached: Arc<AtomicBool>,
    listening: Mutex<Option<Listening>>,
}

struct Listening {
    stop: Arc<AtomicBool>,
    address: SocketAddr,
    thread: Option<JoinHandle<()>>,
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Release);
        drop(TcpStream::connect(self.address));
        let ended = self.thread.take().unwrap().join();
        if !thread::panicking() {
            ended.unwrap();
        }
    }
}

/// Chooses by name; the last one is for everybody else.
#[derive(Debug)]
struct ByName(Vec<(&'static str, Arc<CertifiedKey>)>);

impl ResolvesServerCert for ByName {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let named = self.0.iter().find(|(name, _)| hello.server_name() == Some(*name)).or(self.0.last());
        named.map(|(_, certified)| certified.clone())
    }
}

/// A chain with a key, whether it belongs to it or not.
fn certified(chain: &[u8], key: &[u8]) -> Arc<CertifiedKey> {
    let chain = CertificateDer::pem_slice_iter(chain).map(Result::unwrap).collect();
    let key = PrivateKeyDer::from_pem_slice(key).unwrap();
    Arc::new(CertifiedKey::new(chain, rustls::crypto::ring::sign::any_supported_type(&key).unwrap()))
}

fn config(by_name: Vec<(&'static str, Arc<CertifiedKey>)>) -> Arc<ServerConfig> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    Arc::new(config.with_no_client_auth().with_cert_resolver(Arc::new(ByName(by_name))))
}

impl Server {
    pub(crate) fn new(dialect: Option<StartTls>) -> io::Result<Self> {
        // It goes and comes back, and nobody may listen there meanwhile.
        let address = ports::own()?;
        let (asked, reached) = (Arc::default(), Arc::default());
        Ok(Self { address, dialect, asked, reached, listening: Mutex::default() })
    }

    fn listen(&self, config: Option<Arc<ServerConfig>>) -> io::Result<()> {
        *self.listening.lock().unwrap() = None;
        // A program that another thread is just starting has the old listener until its own exec.
        let listener = until(PATIENCE, "the place is free", || TcpListener::bind(self.address))?;
        let stop = Arc::new(AtomicBool::new(false));
        let (stopped, asked, reached, dialect) = (stop.clone(), self.asked.clone(), self.reached.clone(), self.dialect);
        let thread = thread::spawn(move || {
            for stream in listener.incoming() {
                if stopped.load(Ordering::Acquire) {
                    return;
                }
                asked.fetch_add(1, Ordering::AcqRel);
                reached.store(true, Ordering::Release);
                let (stream, config) = (stream.unwrap(), config.clone());
                stream.set_read_timeout(Some(PATIENCE)).unwrap();
                // Whoever goes away in the middle ends the conversation.
                thread::spawn(move || drop(talk(stream, dialect, config)));
            }
        });
        let address = self.address;
        *self.listening.lock().unwrap() = Some(Listening { stop, address, thread: Some(thread) });
        Ok(())
    }
}

/// Without a configuration: nothing is said until the other one goes.
fn talk(mut stream: TcpStream, dialect: Option<StartTls>, config: Option<Arc<ServerConfig>>) -> io::Result<()> {
    let Some(config) = config else { return io::copy(&mut stream, &mut io::sink()).map(drop) };
    if let Some(dialect) = dialect {
        speak(dialect, &mut stream)?;
    }
    let mut connection = ServerConnection::new(config).map_err(io::Error::other)?;
    connection.complete_io(&mut stream)?;
    io::copy(&mut stream, &mut io::sink()).map(drop)
}

/// One line, and no byte of what comes after it.
fn line(stream: &mut TcpStream) -> io::Result<String> {
    let (mut line, mut byte) = (Vec::new(), [0]);
    while line.last() != Some(&b'\n') {
        stream.read_exact(&mut byte)?;
        line.extend(byte);
    }
    Ok(String::from_utf8_lossy(&line).trim_end().to_owned())
}

/// The server's part, up to where TLS begins.
fn speak(dialect: StartTls, stream: &mut TcpStream) -> io::Result<()> {
    match dialect {
        StartTls::Smtp => {
            stream.write_all(b"220 mx.example.org ESMTP\r\n")?;
            loop {
                match line(stream)?.to_uppercase().as_str() {
                    "STARTTLS" => return stream.write_all(b"220 go ahead\r\n"),
                    _ => stream.write_all(b"250-mx.example.org\r\n250-SIZE 1000\r\n250 STARTTLS\r\n")?,
                }
            }
        }
        StartTls::Imap => {
            stream.write_all(b"* OK ready\r\n")?;
            loop {
                let line = line(stream)?;
                let (tag, command) = line.split_once(' ').ok_or(io::ErrorKind::InvalidData)?;
                match command.to_uppercase().as_str() {
                    "STARTTLS" => return stream.write_all(format!("{tag} OK begin\r\n").as_bytes()),
                    _ => {
                        stream.write_all(format!("* CAPABILITY IMAP4rev1 STARTTLS\r\n{tag} OK done\r\n").as_bytes())?
                    }
                }
            }
        }
        StartTls::Pop3 => {
            stream.write_all(b"+OK ready\r\n")?;
            loop {
                match line(stream)?.to_uppercase().as_str() {
                    "STLS" => return stream.write_all(b"+OK begin\r\n"),
                    _ => stream.write_all(b"+OK\r\nSTLS\r\n.\r\n")?,
                }
            }
        }
        StartTls::Postgres => {
            let mut request = [0; 8];
            stream.read_exact(&mut request)?;
            // Protocol documentation, "SSLRequest": length 8, then 80877103.
            assert_eq!(request, [0, 0, 0, 8, 4, 210, 22, 47]);
            stream.write_all(b"S")
        }
        other => Err(io::Error::other(format!("{other:?} is not spoken"))),
    }
}

impl Service for Server {
    fn set(&self, mood: Mood) -> io::Result<bool> {
        self.reached.store(false, Ordering::Release);
        let whole = |shown: &Shown| certified(&shown.chain, &shown.key);
        let config = match mood {
            Mood::Serving(shown) => Some(config(vec![("", whole(&shown))])),
            Mood::ByName(ours, theirs) => Some(config(vec![("www.example.org", whole(&ours)), ("", whole(&theirs))])),
            Mood::Forging(shown) => {
                let (key, _) = openssl::self_signed("www.example.org")?;
                Some(config(vec![("", certified(&shown.chain, &key))]))
            }
            Mood::Silent => None,
            Mood::Gone => {
                *self.listening.lock().unwrap() = None;
                return Ok(true);
            }
        };
        self.listen(config).map(|()| true)
    }

    fn seen_by_another(&self) -> io::Result<Vec<u8>> {
        let address = self.address.to_string();
        let mut words = vec!["s_client", "-connect", &address, "-servername", "www.example.org", "-showcerts"];
        words.extend(self.dialect.map(|dialect| ["-starttls", dialect.word()]).into_iter().flatten());
        let text = openssl::openssl(words)?.stdout;
        let text = String::from_utf8_lossy(&text);
        let blocks = text.split_inclusive("-----END CERTIFICATE-----\n");
        let blocks = blocks.filter_map(|block| Some(&block[block.find("-----BEGIN CERTIFICATE-----")?..]));
        // The leaf is printed once more at the end.
        let mut pem = Vec::<&str>::new();
        for block in blocks {
            if !pem.contains(&block) {
                pem.push(block);
            }
        }
        Ok(pem.concat().into_bytes())
    }

    fn asked(&self) -> Option<usize> {
        Some(self.asked.load(Ordering::Acquire))
    }

    fn is_reached(&self) -> io::Result<()> {
        if self.reached.load(Ordering::Acquire) { Ok(()) } else { Err(io::Error::other("nobody came")) }
    }

    fn place(&self) -> String {
        self.address.to_string()
    }
}
