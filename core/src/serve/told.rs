//! The seams of a lifecycle in this process: told of a switch, asked what is served, answering challenges.

use std::sync::Arc;

use super::active::ActiveCertificates;
use super::slot::Slot;
use crate::deploy::probe::{Observation, Place, Probe, Seen};
use crate::deploy::reload::{ReloadContext, Reloaded, Reloader};
use crate::ground::cancel::Cancel;
use crate::ground::error::{Error, ErrorKind, Result};
use crate::ground::id::LineageName;
use crate::issue::solver::{Afterlife, Challenge, Solver};
use crate::lifecycle::Builder;
use crate::pki::chain::Chain;
use crate::pki::key::PrivateKey;
use crate::pki::material::Material;
use crate::plan::spec::ChallengeKind;

impl Builder {
    /// The lineages of `active` are served by this very process: each switch is told to it, and a deployment is committed once
    /// the new certificate is what handshakes get. Reloads of these lineages that are configured are left out; their probes
    /// are asked as well.
    #[must_use]
    pub fn served_by(self, active: &Arc<ActiveCertificates>) -> Self {
        active.shared().slots.iter().fold(self, |builder, slot| {
            let probe = InProcess { active: active.clone(), lineage: slot.lineage.clone() };
            builder.reloader(slot.lineage.clone(), active.clone()).probe(slot.lineage.clone(), Arc::new(probe))
        })
    }
}

impl ActiveCertificates {
    fn slot(&self, lineage: &LineageName) -> Result<&Slot> {
        let found = self.shared().slots.iter().find(|slot| slot.lineage == *lineage);
        found.ok_or_else(|| {
            Error::new(ErrorKind::InvalidSpec, "this process does not serve the lineage")
                .context("lineage", lineage)
                .hint("make `ActiveCertificates` from the same configuration as the lifecycle")
        })
    }
}

impl Reloader for ActiveCertificates {
    fn reload(&self, context: &ReloadContext<'_>, cancel: &Cancel) -> Result<Reloaded> {
        cancel.check()?;
        let slot = self.slot(context.lineage)?;
        let fault = self.shared().change(slot, || {
            if slot.loaded().is_some_and(|loaded| loaded.generation == context.generation) {
                return Ok(());
            }
            let bundle = context.bundle.expose();
            let material = Material::new(PrivateKey::from_pem(bundle)?, Chain::from_pem(bundle)?)?;
            slot.serve(context.generation, &material)
        });
        match fault {
            None => Ok(Reloaded::Confirmed),
            Some(fault) => {
                let error = Error::new(ErrorKind::ReloadFailed, "this process cannot serve the generation");
                Err(error.context("generation", context.generation).source(fault))
            }
        }
    }

    fn describe(&self) -> String {
        "the TLS server of this process".to_owned()
    }
}

/// What handshakes of this process get for one lineage.
#[derive(Debug)]
struct InProcess {
    active: Arc<ActiveCertificates>,
    lineage: LineageName,
}

impl Probe for InProcess {
    fn observe(&self, cancel: &Cancel) -> Result<Vec<Observation>> {
        cancel.check()?;
        let loaded = self.active.slot(&self.lineage)?.loaded();
        let sent = loaded.iter().flat_map(|loaded| loaded.key.cert.iter()).map(AsRef::as_ref);
        Ok(vec![Observation::new(Place::Named(self.describe()), Seen::from_der(sent))])
    }

    fn describe(&self) -> String {
        format!("handshakes of this process for `{}`", self.lineage)
    }
}

impl Solver for ActiveCertificates {
    fn present(&self, challenge: &Challenge, cancel: &Cancel) -> Result<()> {
        cancel.check()?;
        self.shared().answers.add(challenge, self.shared().clock.now())
    }

    fn clean_up(&self, challenge: &Challenge) -> Result<()> {
        self.shared().answers.remove(challenge);
        Ok(())
    }

    fn afterlife(&self) -> Afterlife {
        Afterlife::Ends
    }

    fn kinds(&self) -> &[ChallengeKind] {
        &[ChallengeKind::TlsAlpn01]
    }
}
