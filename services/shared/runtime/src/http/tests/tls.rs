//! The encrypted listener, and both versions of HTTP.

use std::{path::Path, sync::Arc};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Empty};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, ServerName, pem::PemObject as _},
};

use super::*;

struct Files {
    folder: tempfile::TempDir,
}

impl Files {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let certified = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
        std::fs::write(folder.path().join("cert.pem"), certified.cert.pem()).unwrap();
        std::fs::write(folder.path().join("key.pem"), certified.signing_key.serialize_pem()).unwrap();
        Self { folder }
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }

    fn tls(&self) -> Tls {
        Tls::from_files(&self.path("cert.pem"), &self.path("key.pem")).unwrap()
    }

    fn client(&self, alpn: &[u8]) -> tokio_rustls::TlsConnector {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(self.path("cert.pem")).unwrap()).unwrap();
        let mut config =
            ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
                .with_safe_default_protocol_versions()
                .unwrap()
                .with_root_certificates(roots)
                .with_no_client_auth();
        config.alpn_protocols = vec![alpn.to_vec()];
        tokio_rustls::TlsConnector::from(Arc::new(config))
    }
}

#[tokio::test]
async fn http1_is_served_over_tls() {
    let files = Files::new();
    let server = start(hello(roomy()), ServeLimits::default(), Some(files.tls())).await;
    let name = ServerName::try_from("localhost").unwrap();
    let mut stream = files.client(b"http/1.1").connect(name, server.connect().await).await.unwrap();
    stream.write_all(LAST_GET).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("closed in order, not cut off");
    assert!(answer.ends_with("hello"), "{answer}");
}

#[tokio::test]
async fn http2_is_served_over_tls() {
    let files = Files::new();
    let server = start(hello(roomy()), ServeLimits::default(), Some(files.tls())).await;
    let name = ServerName::try_from("localhost").unwrap();
    let stream = files.client(b"h2").connect(name, server.connect().await).await.unwrap();
    let (mut sender, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    let driver = server.tasks.spawn("client", connection);
    let request = http::Request::get("https://localhost/").body(Empty::<Bytes>::new()).unwrap();
    let response = sender.send_request(request).await.unwrap();
    assert_eq!(response.version(), http::Version::HTTP_2);
    assert_eq!(response.into_body().collect().await.unwrap().to_bytes(), "hello");
    drop(sender);
    driver.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_client_that_never_shakes_hands_is_cut_off() {
    let limits = ServeLimits { header_read_timeout: SHORT, ..ServeLimits::default() };
    let server = start(hello(roomy()), limits, Some(Files::new().tls())).await;
    let mut stream = server.connect().await;
    assert_eq!(read_to_end(&mut stream).await, "");
}

#[test]
fn a_certificate_that_can_not_be_used_is_refused_with_its_file_name() {
    let files = Files::new();
    let missing = Tls::from_files(Path::new("no-such.pem"), &files.path("key.pem")).unwrap_err();
    assert!(missing.to_string().contains("no-such.pem"), "{missing}");
    let none = Tls::from_files(&files.path("key.pem"), &files.path("key.pem")).unwrap_err();
    assert!(matches!(none, TlsError::NoCertificate { .. }), "{none}");
    let other = Files::new();
    let mixed = Tls::from_files(&files.path("cert.pem"), &other.path("key.pem")).unwrap_err();
    assert!(matches!(mixed, TlsError::Unusable(_)), "{mixed}");
}
