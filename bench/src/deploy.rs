//! One durable deployment, link and bundle, against the bare system calls of the same steps.

use std::path::Path;

use certwright::{Lifecycle, Options};

use crate::Fault;
use crate::bare::placement::Placement;
use crate::measure::{Goal, in_turn, wall};
use crate::site::{Client, LINEAGE, Site, lifecycle, well};

const PAIRS: usize = 60;

/// A lineage with a link and a bundle outside, and the client that brings its material.
struct Scene {
    lifecycle: Lifecycle,
    client: Client,
}

impl Scene {
    fn new(site: &Site) -> Result<Self, Fault> {
        let out = site.folder().join("out");
        let lines = format!(
            "[[lineage.{LINEAGE}.output]]\npath = \"{0}/link.pem\"\nstrategy = \"link\"\nform = \"fullchain\"\n\
             [[lineage.{LINEAGE}.output]]\npath = \"{0}/bundle.pem\"\nform = \"bundle\"\nstrategy = \"replace\"",
            out.display()
        );
        let client = Client::new(site.folder())?;
        let lifecycle = lifecycle(site.config([LINEAGE.to_owned()], &lines)?, client.clock())?;
        Ok(Self { lifecycle, client })
    }

    fn deploy(&self) -> Result<f64, Fault> {
        let (name, material, options) = (LINEAGE.parse()?, self.client.next()?, Options::default());
        wall(|| {
            let report = self.lifecycle.deploy(&name, &material, &options)?;
            report.lineages.iter().try_for_each(|lineage| match &lineage.error {
                Some(error) => Err(format!("{}: {error:?}", lineage.lineage).into()),
                None => well(!lineage.changed),
            })
        })
    }
}

/// The line.
pub(crate) fn line(folder: &Path) -> Result<(), Fault> {
    let site = Site::new(folder, "deploy")?;
    let scene = Scene::new(&site)?;
    // As many generations as are kept, so that each further deployment also removes one.
    for _ in 0..6 {
        scene.deploy()?;
    }
    let mut bare = Placement::like(&site.root().join(LINEAGE), &site.folder().join("bare"))?;
    let pairs = in_turn(PAIRS, || scene.deploy(), || bare.deploy())?;
    pairs.line("one durable deployment, link and bundle", "the bare system calls that write", Goal::AtMost(1.2));
    Ok(())
}

/// Seven deployments, to be looked at with strace: the last is the one that is copied by hand in [`Placement`].
pub(crate) fn once(folder: &Path) -> Result<(), Fault> {
    let site = Site::new(folder, "once")?;
    let scene = Scene::new(&site)?;
    for _ in 0..7 {
        scene.deploy()?;
        println!("deployed");
    }
    Ok(())
}
