//! TLS by certificate files, which are read again when they have changed.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use milkrun_core::{Error, Result};
use rustls::ServerConfig;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

const CERT_FORM: &str = "name a PEM file, with the server's own certificate first";
const KEY_FORM: &str = "name a PEM file with the certificate's private key, which is not encrypted";

/// Certificate and key, as files. Clones share what was read.
#[derive(Clone, Debug)]
pub struct Tls(Arc<Files>);

struct Files {
    cert: PathBuf,
    key: PathBuf,
    read: Mutex<Read>,
}

/// What was read last.
struct Read {
    config: Arc<ServerConfig>,
    stamp: Stamp,
}

/// Tells whether files have changed.
type Stamp = [Option<(SystemTime, u64)>; 2];

impl Tls {
    /// Reads the certificates (the server's own first) and the private key, both PEM.
    ///
    /// # Errors
    /// [`ErrorKind::ConfigInvalid`](milkrun_core::ErrorKind::ConfigInvalid) names the file that cannot be used.
    pub fn open(cert: impl Into<PathBuf>, key: impl Into<PathBuf>) -> Result<Self> {
        let (cert, key) = (cert.into(), key.into());
        let stamp = stamp(&cert, &key);
        let config = read(&cert, &key)?;
        Ok(Self(Arc::new(Files { cert, key, read: Mutex::new(Read { config, stamp }) })))
    }

    /// The configuration by the files as they are now. Files that cannot be used leave the last one in force.
    fn config(&self) -> Arc<ServerConfig> {
        let Files { cert, key, read: last } = &*self.0;
        let mut last = last.lock().unwrap_or_else(PoisonError::into_inner);
        let now = stamp(cert, key);
        if now != last.stamp {
            last.stamp = now;
            match read(cert, key) {
                Ok(config) => {
                    tracing::info!("the console has a new certificate");
                    last.config = config;
                }
                Err(error) => tracing::error!(%error, "the new certificate cannot be used; the old one stays"),
            }
        }
        Arc::clone(&last.config)
    }

    pub(super) async fn accept(&self, stream: TcpStream) -> io::Result<TlsStream<TcpStream>> {
        TlsAcceptor::from(self.config()).accept(stream).await
    }
}

impl fmt::Debug for Files {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Files").field("cert", &self.cert).field("key", &self.key).finish_non_exhaustive()
    }
}

fn stamp(cert: &Path, key: &Path) -> Stamp {
    [cert, key].map(|path| {
        let metadata = std::fs::metadata(path).ok()?;
        Some((metadata.modified().ok()?, metadata.len()))
    })
}

fn read(cert: &Path, key: &Path) -> Result<Arc<ServerConfig>> {
    let unusable = |message: &'static str, path: &Path| Error::config(message).with("file", path.display());
    let chain = CertificateDer::pem_file_iter(cert).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let chain = chain.map_err(|e| unusable("the certificate cannot be read", cert).advise(CERT_FORM).caused_by(e))?;
    if chain.is_empty() {
        let error = unusable("the file has no certificate", cert);
        return Err(error.advise(CERT_FORM));
    }
    let own_key = PrivateKeyDer::from_pem_file(key);
    let own_key = own_key.map_err(|e| unusable("the private key cannot be read", key).advise(KEY_FORM).caused_by(e))?;
    let provider: Arc<CryptoProvider> = Arc::new(aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|e| Error::config("TLS cannot be set up").caused_by(e))?
        .with_no_client_auth()
        .with_single_cert(chain, own_key)
        .map_err(|e| {
            unusable("certificate and private key do not fit together", cert).advise(CERT_FORM).caused_by(e)
        })?;
    Ok(Arc::new(config))
}
