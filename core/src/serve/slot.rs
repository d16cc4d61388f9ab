//! What is served for one lineage right now, and its replacement in one step.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use rustls::sign::CertifiedKey;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};

use crate::ground::error::{Error, ErrorKind, Result};
use crate::ground::id::{GenerationId, LineageName};
use crate::ground::time::Timestamp;
use crate::pki::material::Material;

/// What this process serves for one lineage.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Serving {
    /// The lineage.
    pub lineage: LineageName,
    /// The generation that handshakes get; `None` when there is none yet, and handshakes fail.
    pub generation: Option<GenerationId>,
    /// The last moment at which its leaf is valid.
    pub not_after: Option<Timestamp>,
    /// Why what is active now cannot be served, when it cannot.
    pub fault: Option<Arc<Error>>,
}

impl fmt::Display for Serving {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` serves ", self.lineage)?;
        match (self.generation, self.not_after) {
            (Some(generation), Some(not_after)) => write!(f, "{generation}, valid until {not_after}")?,
            _ => f.write_str("nothing yet")?,
        }
        self.fault.as_ref().map_or(Ok(()), |fault| write!(f, "; what is active cannot be served: {fault:#}"))
    }
}

/// A generation in the shape that handshakes take.
pub(super) struct Loaded {
    pub(super) generation: GenerationId,
    pub(super) not_after: Timestamp,
    pub(super) key: Arc<CertifiedKey>,
}

/// What is served for one lineage.
pub(super) struct Slot {
    pub(super) lineage: LineageName,
    /// Why what is active could not be taken up, when it could not. Held from reading `current` until what it led to is
    /// served: of two that take up, the one that serves last has read last.
    pub(super) taking: Mutex<Option<Arc<Error>>>,
    loaded: RwLock<Option<Arc<Loaded>>>,
}

impl Slot {
    pub(super) fn new(lineage: LineageName) -> Self {
        Self { lineage, taking: Mutex::default(), loaded: RwLock::default() }
    }

    /// What is served. Waits for nobody who reads a disk.
    pub(super) fn loaded(&self) -> Option<Arc<Loaded>> {
        self.loaded.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Serve this from the next handshake on.
    pub(super) fn serve(&self, generation: GenerationId, material: &Material) -> Result<()> {
        let key = Arc::new(certified(material)?);
        let loaded = Loaded { generation, not_after: material.chain().leaf().window().end, key };
        *self.loaded.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(loaded));
        Ok(())
    }

    /// What is told of it. Waits for whoever takes up right now.
    pub(super) fn standing(&self) -> Serving {
        let loaded = self.loaded();
        Serving {
            lineage: self.lineage.clone(),
            generation: loaded.as_ref().map(|loaded| loaded.generation),
            not_after: loaded.as_ref().map(|loaded| loaded.not_after),
            fault: self.taking.lock().unwrap_or_else(PoisonError::into_inner).clone(),
        }
    }
}

impl fmt::Debug for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let generation = self.loaded().map(|loaded| loaded.generation);
        f.debug_struct("Slot").field("lineage", &self.lineage).field("generation", &generation).finish_non_exhaustive()
    }
}

/// The shape that rustls signs with. The key is ring's, whatever provider the server's own configuration has.
pub(super) fn certified(material: &Material) -> Result<CertifiedKey> {
    let der = material.key().to_der();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(der.expose()));
    let key = rustls::crypto::ring::sign::any_supported_type(&key).map_err(|source| {
        Error::new(ErrorKind::Unsupported, "rustls cannot sign with a key of this kind")
            .context("key", material.key().algorithm().word())
            .hint("wish for a key of the kind `ecdsa-p256`")
            .source(source)
    })?;
    let chain = material.chain().certificates().map(|one| CertificateDer::from(one.der().to_vec())).collect();
    Ok(CertifiedKey::new(chain, key))
}
