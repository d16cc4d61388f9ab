//! `certwright deploy`.

use certwright::{Chain, Endpoints, Material, PrivateKey};

use crate::args::{Deploy, Shared};
use crate::failure::Done;
use crate::render::lineage;
use crate::screen::Screen;
use crate::signals::Signals;
use crate::{input, load};

/// The tag of an ASN.1 SEQUENCE, with which every key in DER begins.
const SEQUENCE: u8 = 0x30;

pub(crate) fn run(shared: &Shared, these: &Deploy, screen: &mut Screen) -> Done {
    let signals = Signals::watch()?;
    let lifecycle = load::lifecycle(shared, signals.cancel(), screen.watch())?;
    // The lineage first: a wrong name is told before a key is read.
    load::known(lifecycle.config(), &these.lineage)?;
    let bytes = input::read(&these.key)?;
    let key = match bytes.expose().first() {
        Some(&SEQUENCE) => PrivateKey::from_der(bytes.expose()),
        _ => PrivateKey::from_pem(bytes.expose()),
    };
    let key = key.map_err(|error| error.context("path", these.key.as_path()))?;
    let chain = Chain::from_pem(input::read(&these.fullchain)?.expose());
    let chain = chain.map_err(|error| error.context("path", these.fullchain.as_path()))?;
    let material = Material::new(key, chain)?;
    let report = lifecycle.deploy(&these.lineage, &material, &load::options(shared, Endpoints::Ask))?;
    Ok(lineage::run(&report, &these.lineage, screen))
}
