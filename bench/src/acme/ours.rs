//! Our client: the library's issuer with its own listener.

use std::sync::Arc;

use certwright::{
    AcmeClient, AcmeIssuer, Cancel, Issuer, KeyAlgorithm, OsFilesystem, PrivateKey, Request, Sans, SolverSpec,
    SystemClock, solver,
};

use super::Job;
use crate::Fault;

/// One order.
pub(crate) fn once(job: &Job) -> Result<(), Fault> {
    let files = Arc::new(OsFilesystem::new());
    let spec = SolverSpec::HttpListener(job.http);
    let solver = solver(&spec, files.clone(), Arc::new(SystemClock))?;
    let mut wish = AcmeIssuer::new(&job.directory, spec);
    wish.trust = Some(job.trust.clone());
    let client = AcmeClient::new("public".parse()?, wish, vec![solver], files, &job.folder, Arc::new(SystemClock));
    let (lineage, names) = ("www".parse()?, Sans::new(vec![job.name.parse()?])?);
    let key = PrivateKey::generate(KeyAlgorithm::EcdsaP256)?;
    let issued = client.issue(&Request::new(&lineage, &names, &key), &Cancel::new())?;
    std::fs::write(job.folder.join("key.pem"), key.to_pem().expose())?;
    std::fs::write(job.folder.join("chain.pem"), issued.chain.fullchain_pem())?;
    Ok(())
}
