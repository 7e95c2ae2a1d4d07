//! TLS for the listener: a certificate chain and its key from PEM files, with ring.

use std::{
    fmt, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use rustls::{
    ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, pem, pem::PemObject as _},
};
use tokio_rustls::TlsAcceptor;

/// How a listener encrypts.
#[derive(Clone)]
pub struct Tls {
    pub(super) acceptor: TlsAcceptor,
}

/// Why the certificate or its key can not be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file can not be read as PEM.
    #[error("reading the PEM file {}", path.display())]
    Pem {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        source: pem::Error,
    },
    /// The file has no certificate.
    #[error("no certificate in {}: give a PEM file with the certificate and its chain", path.display())]
    NoCertificate {
        /// The file.
        path: PathBuf,
    },
    /// The certificate and the key do not fit, or are of a kind that can not be served.
    #[error("the certificate and the key can not be used together")]
    Unusable(#[source] rustls::Error),
}

impl Tls {
    /// What the settings say: encrypted when a certificate and a key are named, plain otherwise.
    ///
    /// # Errors
    /// As [`Tls::from_files`].
    pub fn from_settings(files: &crate::config::TlsFiles) -> Result<Option<Self>, TlsError> {
        match (&files.cert, &files.key) {
            (Some(certificate), Some(key)) => Self::from_files(certificate, key).map(Some),
            _ => Ok(None),
        }
    }

    /// Reads a certificate chain and its private key.
    ///
    /// # Errors
    /// When a file can not be read, or the two do not fit.
    pub fn from_files(certificate: &Path, key: &Path) -> Result<Self, TlsError> {
        let pem_error = |path: &Path| {
            let path = path.to_owned();
            move |source| TlsError::Pem { path, source }
        };
        let chain = CertificateDer::pem_file_iter(certificate)
            .and_then(Iterator::collect::<Result<Vec<_>, _>>)
            .map_err(pem_error(certificate))?;
        if chain.is_empty() {
            return Err(TlsError::NoCertificate { path: certificate.to_owned() });
        }
        let key = PrivateKeyDer::from_pem_file(key).map_err(pem_error(key))?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(TlsError::Unusable)?
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .map_err(TlsError::Unusable)?;
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(Self { acceptor: TlsAcceptor::from(Arc::new(config)) })
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tls")
    }
}

impl From<TlsError> for io::Error {
    fn from(error: TlsError) -> Self {
        Self::other(error)
    }
}
