//! The file that a program reads.

use std::fs;
use std::io;
use std::sync::Arc;

use certwright::{Address, Endpoint};
use certwright_tests::conformance::PATIENCE;
use certwright_tests::conformance::probe::{Bench, Mood, Service, Shown};
use certwright_tests::scratch::Scratch;

use super::made;

struct File(Scratch);

impl Service for File {
    fn set(&self, mood: Mood) -> io::Result<bool> {
        match mood {
            Mood::Serving(Shown { chain, .. }) => fs::write(self.0.join("chain.pem"), chain)?,
            Mood::Gone => {
                let _ = fs::remove_file(self.0.join("chain.pem"));
            }
            Mood::ByName(..) | Mood::Forging(_) | Mood::Silent => return Ok(false),
        }
        Ok(true)
    }

    fn seen_by_another(&self) -> io::Result<Vec<u8>> {
        fs::read(self.0.join("chain.pem"))
    }

    fn asked(&self) -> Option<usize> {
        None
    }

    fn is_reached(&self) -> io::Result<()> {
        Err(io::Error::other("a file does not wait"))
    }

    fn place(&self) -> String {
        self.0.join("chain.pem").display().to_string()
    }
}

fn bench() -> io::Result<Bench> {
    let file = File(Scratch::on_disk()?);
    let wish = Endpoint::new(Address::File(file.0.join("chain.pem")));
    Ok(Bench { probe: made(&wish), hurried: None, other_name: None, service: Arc::new(file), patience: PATIENCE })
}

/// Without names there is one certificate.
mod in_a_file {
    certwright_tests::probe_suite!(super::bench);
}
