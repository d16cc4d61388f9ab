//! http-01 (RFC 8555 §8.3). Redirections are not followed.

use http_body_util::{BodyExt as _, Empty, Limited};
use hyper::Request;
use hyper::body::Bytes;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use super::{Job, connection, incorrect, lookup};
use crate::acme::problem::Problem;

/// A key authorization has some 90 bytes.
const LONGEST: usize = 4096;

pub(super) async fn look(job: &Job) -> Result<(), Problem> {
    let address = (lookup::address(job.real.names, &job.identifier).await?, job.real.http_port);
    let path = format!("/.well-known/acme-challenge/{}", job.token);
    let place = format!("http://{}:{}{path} for {}", address.0, address.1, job.identifier);
    let failed = |error: &dyn std::fmt::Display| connection(format!("{place}: {error}"));
    let stream = TcpStream::connect(address).await.map_err(|error| failed(&error))?;
    let (mut sender, talk) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(|error| failed(&error))?;
    let request =
        Request::get(&path).header("Host", job.identifier.to_string()).header("User-Agent", "certwright-testbed");
    let request = request.body(Empty::<Bytes>::new()).map_err(|error| failed(&error))?;
    let talk = tokio::spawn(talk);
    let asked = async {
        let answer = sender.send_request(request).await.map_err(|error| failed(&error))?;
        let status = answer.status();
        let body = Limited::new(answer.into_body(), LONGEST).collect().await.map_err(|error| failed(&error))?;
        Ok((status, body.to_bytes()))
    };
    let outcome = asked.await;
    talk.abort();
    let (status, body) = outcome?;
    if status != 200 {
        return Err(incorrect(format!("{place}: the answer has the status {}", status.as_u16())));
    }
    // White space at the end is ignored (RFC 8555 §8.3).
    if body.trim_ascii_end() == job.proof.as_bytes() {
        return Ok(());
    }
    let got = String::from_utf8_lossy(&body);
    Err(incorrect(format!("{place}: the answer is not the key authorization but {got:?}")))
}
