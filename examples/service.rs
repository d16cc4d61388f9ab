//! A web server that gets, serves and renews its own certificate: `service CONFIGURATION ADDRESS`.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "this is a program")]

use std::{sync::Arc, thread, time::Duration};

use axum::{Router, routing::get};
use certwright::{ActiveCertificates, Builder, Config, RunOptions};
use hyper_util::{rt::TokioIo, service::TowerToHyperService};
use tokio::{net::TcpListener, time};
use tokio_rustls::TlsAcceptor;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut words = std::env::args().skip(1);
    let (path, address) = words.next().zip(words.next()).ok_or("say which configuration, and at which address")?;
    let config = Config::parse(&std::fs::read_to_string(&path)?, path.as_ref())?;

    let listener = TcpListener::bind(address).await?;
    println!("{}", listener.local_addr()?);

    let active = ActiveCertificates::follow(&config, |serving| eprintln!("{serving}"))?;
    let lifecycle = Builder::new(config).served_by(&active).solver(active.clone()).build()?;
    let renewals = lifecycle.spawn(RunOptions::default())?;
    thread::spawn(move || {
        for report in renewals.reports() {
            report.error.iter().for_each(|error| eprintln!("{}: {}", report.lineage, error.message));
        }
    });
    serve(listener, active).await
}

/// One page over TLS for everybody, and the answers to challenges for the authority.
pub(crate) async fn serve(
    listener: TcpListener,
    active: Arc<ActiveCertificates>,
) -> Result<(), Box<dyn std::error::Error>> {
    let mut tls = rustls::ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_cert_resolver(active);
    tls.alpn_protocols = vec![b"http/1.1".to_vec(), ActiveCertificates::CHALLENGE_PROTOCOL.to_vec()];
    let acceptor = TlsAcceptor::from(Arc::new(tls));
    let app = TowerToHyperService::new(Router::new().route("/", get(|| async { "hello\n" })));
    loop {
        let Ok((socket, _)) = listener.accept().await else { continue };
        let (shaken, app) = (time::timeout(Duration::from_secs(10), acceptor.accept(socket)), app.clone());
        tokio::spawn(async move {
            if let Ok(Ok(stream)) = shaken.await {
                let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), app).await;
            }
        });
    }
}
