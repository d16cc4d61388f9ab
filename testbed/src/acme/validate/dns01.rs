//! dns-01 (RFC 8555 §8.4).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::digest::{SHA256, digest};

use super::{Job, incorrect, lookup};
use crate::acme::problem::Problem;

pub(super) async fn look(job: &Job) -> Result<(), Problem> {
    let name = format!("_acme-challenge.{}", job.identifier);
    let expected = URL_SAFE_NO_PAD.encode(digest(&SHA256, job.proof.as_bytes()));
    let found = lookup::texts(job.real.names, &name).await?;
    if found.contains(&expected) {
        return Ok(());
    }
    Err(incorrect(format!("{name} has {} TXT records, none of them the expected one: {found:?}", found.len())))
}
