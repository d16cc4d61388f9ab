//! The certificates that this process serves: those of the active generations.

use std::fmt;
use std::sync::Arc;

use super::follow;
use super::shared::Shared;
use super::slot::{Serving, Slot};
use crate::ground::error::{Error, Result};
use crate::place::lineage::CURRENT;
use crate::place::watcher::Watcher;
use crate::plan::spec::Config;

/// The certificates of the active generations, for a rustls server in this process. It follows `current` without a restart:
/// a handshake that begins after a switch gets the new certificate, one that has begun is not disturbed.
///
/// - **For rustls** it is a `ResolvesServerCert`: the lineage is chosen by the name that the client asks for, exact names
///   before wildcards. Where several lineages have the name, the first is taken whose kind of key the client can verify. A
///   client that asks for no name gets the only lineage, or one with an address among its identifiers; one that asks for
///   a name of nobody gets no certificate.
/// - **For [`Builder`](crate::Builder)** it is a [`Reloader`](crate::Reloader) and a [`Probe`](crate::Probe) of each of its
///   lineages: [`Builder::served_by`](crate::Builder::served_by).
/// - **For an ACME issuer** it is a [`Solver`](crate::Solver) of `tls-alpn-01` (RFC 8737): the answer is shown to whoever
///   offers the protocol [`CHALLENGE_PROTOCOL`](Self::CHALLENGE_PROTOCOL) alone, and to nobody else.
///
/// A handshake reads no file and waits for nobody who does. Key and chain are always of one generation. Whatever cannot be
/// read leaves what is served as it is, and is told.
///
/// No process-wide default is installed or asked for. Handshakes are signed by ring, whatever provider the server's
/// configuration has.
///
/// # Examples
///
/// ```
/// use std::sync::Arc;
/// use certwright::{ActiveCertificates, Config};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let root = std::env::temp_dir().join(format!("certwright-active-{}", std::process::id()));
/// # let text = format!("version = 1\nroot = \"{}\"\n[lineage.www]\nidentifiers = [\"www.example.org\"]", root.display());
/// let config = Config::parse(&text, "certwright.toml".as_ref())?;
/// let active = ActiveCertificates::follow(&config, |serving| eprintln!("{serving}"))?;
///
/// let provider = Arc::new(rustls::crypto::ring::default_provider());
/// let mut tls = rustls::ServerConfig::builder_with_provider(provider)
///     .with_safe_default_protocol_versions()?
///     .with_no_client_auth()
///     .with_cert_resolver(active.clone());
/// tls.alpn_protocols = vec![b"http/1.1".to_vec(), ActiveCertificates::CHALLENGE_PROTOCOL.to_vec()];
/// # Ok(())
/// # }
/// ```
pub struct ActiveCertificates {
    shared: Arc<Shared>,
    /// Knocked at when there is nobody left to follow for.
    watcher: Option<Arc<Watcher>>,
}

impl ActiveCertificates {
    /// The protocol that an authority offers when it asks for the answer to `tls-alpn-01` (RFC 8737 §6.2). It belongs at the
    /// end of the server's `alpn_protocols` when challenges are answered here, and nowhere else: connections that speak it
    /// are of no use after the handshake.
    pub const CHALLENGE_PROTOCOL: &'static [u8] = crate::pki::acme_identifier::PROTOCOL;

    /// The certificates of all lineages of `config`, read now and whenever something is switched, by this process or
    /// another. A thread of its own waits for that; it ends with the last clone of what is returned.
    ///
    /// Where the kernel tells of it, a switch is served within milliseconds. It does not for readers who may not list the
    /// lineage's directory, nor over the network: then the links are looked at every second, a hundred lineages at most.
    ///
    /// `tell` is called when another generation is served, and once for each thing that hinders it. It must not block.
    ///
    /// # Errors
    ///
    /// `Io` when the process may have no more threads or descriptors. A lineage that is not there yet, or cannot be read, is
    /// no error: it is told, and looked at again.
    ///
    /// # Effects
    ///
    /// Disk: reads.
    pub fn follow(config: &Config, tell: impl Fn(&Serving) + Send + Sync + 'static) -> Result<Arc<Self>> {
        let fault = |source| Error::io("switched certificates cannot be followed", source);
        let watcher = Arc::new(Watcher::new(CURRENT).map_err(fault)?);
        let shared = Shared::new(config, tell);
        shared.slots.iter().for_each(|slot| shared.take_up(slot));
        follow::start(&shared, watcher.clone()).map_err(fault)?;
        Ok(Arc::new(Self { shared, watcher: Some(watcher) }))
    }

    /// The same without following: what is read now stays until [`look`](Self::look) is called, or a lifecycle that it was
    /// given to switches.
    ///
    /// # Effects
    ///
    /// Disk: reads.
    pub fn open(config: &Config, tell: impl Fn(&Serving) + Send + Sync + 'static) -> Arc<Self> {
        let active = Self { shared: Shared::new(config, tell), watcher: None };
        active.look();
        Arc::new(active)
    }

    /// Take up whatever is active now.
    ///
    /// # Effects
    ///
    /// Disk: reads one link of each lineage, and the files of those that were switched.
    pub fn look(&self) {
        self.shared.slots.iter().for_each(|slot| self.shared.take_up(slot));
    }

    /// What is served for each lineage, by name.
    pub fn serving(&self) -> Vec<Serving> {
        self.shared.slots.iter().map(Slot::standing).collect()
    }

    pub(super) fn shared(&self) -> &Shared {
        &self.shared
    }
}

impl Drop for ActiveCertificates {
    fn drop(&mut self) {
        if let Some(watcher) = &self.watcher {
            watcher.knock();
        }
    }
}

impl fmt::Debug for ActiveCertificates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ActiveCertificates").field("lineages", &self.shared.slots).finish_non_exhaustive()
    }
}
