//! The other side: instant-acme in a straight line, over one connection, polling from two milliseconds. It stores nothing
//! durably, checks nothing and handles no failure.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use certwright::{Csr, KeyAlgorithm, PrivateKey, Sans};
use http_body_util::BodyExt as _;
use hyper::body::Bytes;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use instant_acme::{
    Account, BodyWrapper, BytesResponse, ChallengeType, HttpClient, Identifier, NewAccount, NewOrder, RetryPolicy,
};
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, ServerName};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Mutex;
use tokio_rustls::TlsConnector;

use super::Job;
use crate::Fault;

/// One order.
pub(crate) fn once(job: &Job) -> Result<(), Fault> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(order(job))
}

async fn order(job: &Job) -> Result<(), Fault> {
    let client = Box::new(One(Arc::new(Mutex::new(connect(job).await?))));
    let builder = Account::builder_with_http(client);
    let kept = job.folder.join("account.json");
    let account = match std::fs::read(&kept) {
        Ok(bytes) => builder.from_credentials(serde_json::from_slice(&bytes)?).await?,
        Err(_) => {
            let new = NewAccount { contact: &[], terms_of_service_agreed: true, only_return_existing: false };
            let (account, credentials) = builder.create(&new, job.directory.clone(), None).await?;
            std::fs::write(&kept, serde_json::to_vec(&credentials)?)?;
            account
        }
    };
    let mut order = account.new_order(&NewOrder::new(&[Identifier::Dns(job.name.clone())])).await?;
    let listener = TcpListener::bind(job.http).await?;
    let mut answering = None;
    let mut authorizations = order.authorizations();
    while let Some(authorization) = authorizations.next().await {
        let mut authorization = authorization?;
        let mut challenge = authorization.challenge(ChallengeType::Http01).ok_or("no http-01")?;
        let body = challenge.key_authorization().as_str().to_owned();
        if answering.is_none() {
            let listener = TcpListener::from_std(listener.into_std()?)?;
            answering = Some(tokio::spawn(answer(listener, body)));
            challenge.set_ready().await?;
            break;
        }
    }
    let polls =
        RetryPolicy::new().initial_delay(Duration::from_millis(2)).backoff(1.5).timeout(Duration::from_secs(60));
    order.poll_ready(&polls).await?;
    let key = PrivateKey::generate(KeyAlgorithm::EcdsaP256)?;
    let csr = Csr::new(&key, &Sans::new(vec![job.name.parse()?])?)?;
    order.finalize_csr(csr.der()).await?;
    let chain = order.poll_certificate(&polls).await?;
    if let Some(task) = answering {
        task.abort();
    }
    std::fs::write(job.folder.join("key.pem"), key.to_pem().expose())?;
    std::fs::write(job.folder.join("chain.pem"), chain)?;
    Ok(())
}

async fn answer(listener: TcpListener, body: String) {
    while let Ok((mut stream, _)) = listener.accept().await {
        let mut asked = [0; 2048];
        let head = format!("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {}\r\n\r\n", body.len());
        if stream.read(&mut asked).await.is_ok() {
            let _ = stream.write_all((head + &body).as_bytes()).await;
        }
    }
}

type Sender = SendRequest<BodyWrapper<Bytes>>;

/// One connection for every request.
struct One(Arc<Mutex<Sender>>);

async fn connect(job: &Job) -> Result<Sender, Fault> {
    let authority =
        job.directory.strip_prefix("https://").and_then(|rest| rest.split('/').next()).ok_or("no https URL")?;
    let address: std::net::SocketAddr = authority.parse()?;
    let mut roots = RootCertStore::empty();
    for root in CertificateDer::pem_file_iter(&job.trust)? {
        roots.add(root?)?;
    }
    let builder = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()));
    let config = builder.with_safe_default_protocol_versions()?.with_root_certificates(roots).with_no_client_auth();
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let stream =
        TlsConnector::from(Arc::new(config)).connect(ServerName::IpAddress(address.ip().into()), stream).await?;
    let (sender, connection) = handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    Ok(sender)
}

impl HttpClient for One {
    fn request(
        &self,
        request: Request<BodyWrapper<Bytes>>,
    ) -> Pin<Box<dyn Future<Output = Result<BytesResponse, instant_acme::Error>> + Send>> {
        let sender = Arc::clone(&self.0);
        Box::pin(async move {
            let (mut parts, body) = request.into_parts();
            let host = parts.uri.authority().map(ToString::to_string).unwrap_or_default();
            parts.headers.insert("host", host.parse().map_err(|_| other("no host"))?);
            parts.uri = parts.uri.path().parse().map_err(|_| other("no path"))?;
            let mut sender = sender.lock().await;
            sender.ready().await.map_err(broken)?;
            let response: Response<_> = sender.send_request(Request::from_parts(parts, body)).await.map_err(broken)?;
            let (parts, body) = response.into_parts();
            let body = body.collect().await.map_err(broken)?.to_bytes();
            Ok(BytesResponse { parts, body: Box::new(body) })
        })
    }
}

fn other(what: &'static str) -> instant_acme::Error {
    instant_acme::Error::Str(what)
}

fn broken(error: hyper::Error) -> instant_acme::Error {
    instant_acme::Error::Other(Box::new(error))
}
