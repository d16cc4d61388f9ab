//! `certwright deploy`.

use certwright::{Chain, Material, PrivateKey, Result};

use super::lineage;
use crate::args::{Deploy, Shared};
use crate::screen::Screen;
use crate::{load, progress};

pub(crate) fn run(shared: &Shared, these: &Deploy, screen: &mut Screen) -> Result<u8> {
    let lifecycle = load::lifecycle(shared)?;
    // The lineage first: a wrong name is told before files are read.
    lifecycle.config().lineage(&these.lineage)?;
    let bytes = certwright::SecretBytes::from(load::read(&these.key)?);
    let key = match bytes.expose().first() {
        Some(0x30) => PrivateKey::from_der(bytes.expose()),
        _ => PrivateKey::from_pem(bytes.expose()),
    };
    let key = key.map_err(|error| error.context("path", these.key.as_path()))?;
    let chain = Chain::from_pem(&load::read(&these.fullchain)?);
    let chain = chain.map_err(|error| error.context("path", these.fullchain.as_path()))?;
    let material = Material::new(key, chain)?;
    let report = lifecycle.deploy(&these.lineage, &material, &load::options(shared, false))?;
    progress::erase();
    Ok(lineage::run(&report, screen))
}
