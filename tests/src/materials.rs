//! Keys and certificates for the suites, made by the embedded CA's own signing code and not by a copy of it.

use std::sync::Arc;

use certwright::{
    Cancel, Identifier, Issuer, KeyAlgorithm, LocalCa, LocalIssuer, ManualClock, Material, PrivateKey, Request, Sans,
    Timestamp,
};

use crate::model_fs::ModelFs;

/// A CA in memory.
#[derive(Debug)]
pub struct Authority {
    ca: LocalCa,
}

impl Authority {
    /// A CA whose clock stands at this time.
    ///
    /// # Panics
    ///
    /// When it cannot be made.
    pub fn new(now: Timestamp) -> Self {
        Self::with_clock(Arc::new(ManualClock::at(now)))
    }

    /// The CA as an issuer.
    pub fn issuer(&self) -> &dyn Issuer {
        &self.ca
    }

    /// A CA with this clock.
    ///
    /// # Panics
    ///
    /// When it cannot be made.
    #[expect(clippy::expect_used, reason = "a suite without material is a failed test")]
    pub fn with_clock(clock: Arc<ManualClock>) -> Self {
        let fs = ModelFs::default();
        fs.plant_directory("/ca", 0o700).expect("a directory");
        let name = "test".parse().expect("a name");
        let ca = LocalCa::new(name, LocalIssuer::default(), Arc::new(fs), "/ca".as_ref(), clock);
        Self { ca }
    }

    /// Its root certificate, PEM.
    ///
    /// # Panics
    ///
    /// When it cannot be made.
    #[expect(clippy::expect_used, reason = "a suite without material is a failed test")]
    pub fn root_pem(&self) -> String {
        self.ca.root_pem(&Cancel::new()).expect("a root")
    }

    /// A new P-256 key with a leaf for these identifiers.
    ///
    /// # Panics
    ///
    /// When it cannot be made.
    #[expect(clippy::expect_used, reason = "a suite without material is a failed test")]
    pub fn leaf(&self, identifiers: &[&str], _now: Timestamp) -> Material {
        let identifiers: Vec<Identifier> =
            identifiers.iter().map(|name| name.parse().expect("an identifier")).collect();
        let sans = Sans::new(identifiers).expect("identifiers");
        let key = PrivateKey::generate(KeyAlgorithm::EcdsaP256).expect("a key");
        let lineage = "www".parse().expect("a name");
        let request = Request::new(&lineage, &sans, &key);
        let issued = self.ca.issue(&request, &Cancel::new()).expect("a certificate");
        Material::new(key, issued.chain).expect("material")
    }
}
