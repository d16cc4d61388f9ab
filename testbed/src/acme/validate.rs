//! Looking for the answers to challenges, as an authority does (RFC 8555 §8).

mod caa;
mod dns01;
mod dns_persist01;
mod http01;
mod lookup;
mod tls_alpn01;

use certwright::{ChallengeKind, DnsName, Identifier};

use crate::acme::problem::{Problem, ProblemKind};
use crate::settings::Real;

pub(crate) use self::dns_persist01::Expected;

/// One challenge to look at.
#[derive(Clone, Debug)]
pub(crate) struct Job {
    pub(crate) place: Place,
    pub(crate) kind: ChallengeKind,
    pub(crate) token: String,
    /// The key authorization (RFC 8555 §8.1).
    pub(crate) proof: String,
    pub(crate) identifier: Identifier,
    /// For whom an answer counts, and what a record that stays has to say.
    pub(crate) expected: Expected,
    /// Whose name a CAA record has to hold.
    pub(crate) caa: Option<DnsName>,
    pub(crate) real: Real,
}

/// Where its outcome belongs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    pub(crate) authorization: usize,
    pub(crate) challenge: usize,
}

/// What is found.
pub(crate) async fn look(job: &Job) -> Result<(), Problem> {
    let looking = async {
        match job.kind {
            ChallengeKind::Http01 => http01::look(job).await,
            ChallengeKind::Dns01 => dns01::look(job).await,
            ChallengeKind::TlsAlpn01 => tls_alpn01::look(job).await,
            ChallengeKind::DnsPersist01 => dns_persist01::look(job).await,
            other => Err(Problem::new(ProblemKind::ServerInternal, format!("{other} is not known here"))),
        }?;
        caa::look(job).await
    };
    tokio::time::timeout(job.real.limit, looking).await.unwrap_or_else(|_| {
        let detail = format!("no answer for {} within {:?}", job.identifier, job.real.limit);
        Err(Problem::new(ProblemKind::Connection, detail))
    })
}

fn incorrect(detail: String) -> Problem {
    Problem::new(ProblemKind::IncorrectResponse, detail)
}

fn connection(detail: String) -> Problem {
    Problem::new(ProblemKind::Connection, detail)
}
