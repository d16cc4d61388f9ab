//! The web server that peers put their answers into: one directory, one request a connection.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use crate::Fault;

/// What it serves, and where, while nobody else listens there.
pub(crate) struct Web {
    address: SocketAddr,
    folder: PathBuf,
    serving: Mutex<Option<Serving>>,
}

struct Serving {
    stop: Arc<std::sync::atomic::AtomicBool>,
    thread: thread::JoinHandle<()>,
}

impl Web {
    pub(crate) fn start(address: SocketAddr, folder: PathBuf) -> Result<Self, Fault> {
        std::fs::create_dir_all(folder.join(".well-known/acme-challenge"))?;
        Ok(Self { address, folder, serving: Mutex::new(None) })
    }

    /// Where answers are put.
    pub(crate) fn answers(&self) -> PathBuf {
        self.folder.join(".well-known/acme-challenge")
    }

    /// Serves while somebody works.
    pub(crate) fn during(&self, work: impl FnOnce() -> Result<(), Fault>) -> Result<(), Fault> {
        self.serve()?;
        let done = work();
        self.rest();
        done
    }

    /// Somebody who brings a listener works beside it.
    pub(crate) fn aside(&self, work: &dyn Fn() -> Result<(), Fault>) -> Result<(), Fault> {
        self.rest();
        work()
    }

    fn serve(&self) -> Result<(), Fault> {
        let listener = TcpListener::bind(self.address)?;
        let stop = Arc::new(std::sync::atomic::AtomicBool::new(false));
        let (folder, stopped) = (self.folder.clone(), Arc::clone(&stop));
        let thread = thread::spawn(move || {
            for stream in listener.incoming() {
                if stopped.load(std::sync::atomic::Ordering::Acquire) {
                    break;
                }
                if let Ok(mut stream) = stream {
                    let _ = stream.set_read_timeout(Some(Duration::from_secs(5)));
                    let _ = answer(&folder, &mut stream);
                }
            }
        });
        if let Ok(mut serving) = self.serving.lock() {
            *serving = Some(Serving { stop, thread });
        }
        Ok(())
    }

    fn rest(&self) {
        let serving = self.serving.lock().ok().and_then(|mut serving| serving.take());
        if let Some(Serving { stop, thread }) = serving {
            stop.store(true, std::sync::atomic::Ordering::Release);
            // Wakes it.
            drop(std::net::TcpStream::connect(self.address));
            let _ = thread.join();
        }
    }
}

fn answer(folder: &Path, stream: &mut (impl Read + Write)) -> std::io::Result<()> {
    let mut asked = [0; 4096];
    let count = stream.read(&mut asked)?;
    let head = String::from_utf8_lossy(asked.get(..count).unwrap_or_default()).into_owned();
    let path = head.split(' ').nth(1).and_then(|path| path.strip_prefix('/')).filter(|path| !path.contains(".."));
    let (status, body) = match path.map(|path| std::fs::read(folder.join(path))) {
        Some(Ok(body)) => ("200 OK", body),
        _ => ("404 Not Found", Vec::new()),
    };
    write!(stream, "HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: {}\r\n\r\n", body.len())?;
    stream.write_all(&body)
}
