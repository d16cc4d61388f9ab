//! A web server that gets, serves and renews its own certificate: `service CONFIGURATION ADDRESS`.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "this is a program")]

use std::{error::Error, sync::Arc, time::Duration};

use axum::{Router, routing::get};
use certwright::{ActiveCertificates, Config};
use hyper::server::conn::http1;
use hyper_util::{rt::TokioIo, service::TowerToHyperService};
use rustls::{ServerConfig, crypto::ring};
use tokio::{net::TcpListener, time};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut words = std::env::args().skip(1);
    let (path, address) = words.next().zip(words.next()).ok_or("say which configuration, and at which address")?;
    let config = Config::parse(&std::fs::read_to_string(&path)?, path.as_ref())?;
    let listener = TcpListener::bind(address).await?;
    println!("{}", listener.local_addr()?);
    let (active, _renewals) = ActiveCertificates::renewed(config, |news| eprintln!("{news}"))?;
    serve(listener, active).await
}

/// One page over TLS for everybody, and the answers to challenges for the authority.
pub(crate) async fn serve(listener: TcpListener, active: Arc<ActiveCertificates>) -> Result<(), Box<dyn Error>> {
    let tls =
        ServerConfig::builder_with_provider(Arc::new(ring::default_provider())).with_safe_default_protocol_versions();
    let mut tls = tls?.with_no_client_auth().with_cert_resolver(active);
    tls.alpn_protocols = vec![b"http/1.1".to_vec(), ActiveCertificates::CHALLENGE_PROTOCOL.to_vec()];
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(tls));
    let app = TowerToHyperService::new(Router::new().route("/", get(|| async { "hello\n" })));
    loop {
        let Ok((socket, _)) = listener.accept().await else { continue };
        let (shaken, app) = (time::timeout(Duration::from_secs(10), acceptor.accept(socket)), app.clone());
        tokio::spawn(async move {
            let Ok(Ok(stream)) = shaken.await else { return };
            let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), app).await;
        });
    }
}
