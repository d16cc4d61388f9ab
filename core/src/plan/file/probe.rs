//! Endpoints as they are written, and the usual one of a preset.

use std::time::Duration;

use super::fault::{Faults, Place};
use super::shape;
use crate::ground::name::{DnsName, Identifier, Sans};
use crate::plan::preset::Preset;
use crate::plan::spec::Endpoint;

const SHORTEST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(600);

/// The endpoints of a lineage: those that are written, else the one where its service usually listens.
pub(super) fn endpoints(
    written: Option<Vec<shape::Probe>>,
    preset: Option<Preset>,
    identifiers: &Sans,
    place: &Place<'_>,
    faults: &mut Faults,
) -> Vec<Endpoint> {
    match (written, preset) {
        (Some(written), _) => {
            let mut endpoints = Vec::with_capacity(written.len());
            for (at, shape) in written.into_iter().enumerate() {
                endpoints.push(endpoint(shape, preset, identifiers, &place.index(at), faults));
            }
            endpoints
        }
        (None, Some(preset)) => vec![Endpoint { server_name: server_name(identifiers), ..preset.endpoint() }],
        (None, None) => Vec::new(),
    }
}

/// A client asks for a name that it expects in the certificate, so the first such name is what is sent. A wildcard is no
/// name that anybody asks for.
fn server_name(identifiers: &Sans) -> Option<DnsName> {
    identifiers.iter().find_map(|identifier| match identifier {
        Identifier::Dns(name) => Some(name.clone()),
        _ => None,
    })
}

fn endpoint(
    shape: shape::Probe,
    preset: Option<Preset>,
    identifiers: &Sans,
    place: &Place<'_>,
    faults: &mut Faults,
) -> Endpoint {
    let mut endpoint = Endpoint::new(shape.address.value);
    let Some(port) = endpoint.address.port() else {
        let strays = [
            ("server_name", shape.server_name.map(|one| one.at)),
            ("starttls", shape.starttls.map(|one| one.at)),
            ("connections", shape.connections.map(|one| one.at)),
            ("limit", shape.limit.map(|one| one.at)),
        ];
        for (key, at) in strays {
            if let Some(at) = at {
                let hint = Some(format!("remove `{key}`"));
                faults.add_at(at, &place.key(key), "a file is read, not connected to", hint);
            }
        }
        return endpoint;
    };
    endpoint.server_name = shape.server_name.map(|name| name.value).or_else(|| server_name(identifiers));
    endpoint.starttls = match shape.starttls {
        Some(said) => said.value,
        None => preset.and_then(|preset| preset.starttls(port)),
    };
    if let Some(limit) = &shape.limit {
        endpoint.limit = super::bounds::bounded(limit, SHORTEST, LONGEST, &place.key("limit"), faults);
    }
    if let Some(connections) = shape.connections {
        endpoint.connections = connections.value.0;
    }
    endpoint
}
