//! The listening side: an accept loop of its own, because faults need the bare connection.

use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::Router;
use axum::routing::{get, post};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::task::JoinSet;

use super::bill::Bill;
use super::script::Script;
use super::state::{Counters, Settings, State};
use super::{anthropic, chat, control, embeddings, models};

/// A running fake provider. Dropping it closes every connection.
pub struct Provider {
    address: SocketAddr,
    state: Arc<State>,
    tasks: JoinSet<()>,
}

/// Why a provider could not start or take a script.
#[derive(Debug, thiserror::Error)]
pub enum ProviderError {
    /// The port is taken or not allowed.
    #[error("listening on port {port}")]
    Listen {
        /// The port asked for.
        port: u16,
        /// What the system said.
        source: std::io::Error,
    },
    /// A rule's words are not a mark's.
    #[error("a rule says {0:?}, which is no mark")]
    Rule(String),
}

/// A request's handle on its own connection.
#[derive(Clone, Default)]
pub(crate) struct Wire(Arc<Notify>);

impl Wire {
    /// Resets the connection once what was handed to it is written.
    pub(crate) fn reset(&self) {
        self.0.notify_one();
    }
}

impl Provider {
    /// Listens on 127.0.0.1 and serves until stopped or dropped.
    pub async fn start(settings: Settings) -> Result<Self, ProviderError> {
        check(&settings.script)?;
        let port = settings.port;
        let listening = |source| ProviderError::Listen { port, source };
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.map_err(listening)?;
        let address = listener.local_addr().map_err(listening)?;
        let state = Arc::new(State::new(settings));
        let mut tasks = JoinSet::new();
        tasks.spawn(accept(listener, state.clone()));
        Ok(Self { address, state, tasks })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// `http://127.0.0.1:PORT`, the base URL of Anthropic's SDK.
    pub fn root_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// `http://127.0.0.1:PORT/v1`, the base URL of OpenAI's SDK.
    pub fn base_url(&self) -> String {
        format!("http://{}/v1", self.address)
    }

    /// A copy of the bill so far. Complete once [`Self::settled`] has returned.
    pub fn bill(&self) -> Bill {
        self.state.bill()
    }

    /// What was counted so far.
    pub fn counters(&self) -> Counters {
        self.state.counters()
    }

    /// Replaces the script for the calls that come from now on.
    pub fn set_script(&self, script: Script) -> Result<(), ProviderError> {
        check(&script)?;
        self.state.set_script(script);
        Ok(())
    }

    /// Waits until no call is in flight. A stalled call is in flight until its client gives up.
    pub async fn settled(&self) {
        self.state.settled().await;
    }

    /// Closes every connection and hands out the final bill.
    pub async fn stop(mut self) -> Bill {
        self.tasks.shutdown().await;
        self.state.settled().await;
        self.state.bill()
    }
}

pub(crate) fn check(script: &Script) -> Result<(), ProviderError> {
    script.fault_in_rules().map_or(Ok(()), |rule| Err(ProviderError::Rule(rule.marks.clone())))
}

fn router(state: Arc<State>) -> Router {
    Router::new()
        .route("/v1/chat/completions", post(chat::completions))
        .route("/v1/embeddings", post(embeddings::embeddings))
        .route("/v1/messages", post(anthropic::messages))
        .route("/v1/models", get(models::list))
        .route("/v1/models/{model}", get(models::show))
        .route("/_bill", get(control::bill))
        .route("/_counters", get(control::counters))
        .route("/_settled", get(control::settled))
        .route("/_prices", get(control::prices))
        .route("/_script", post(control::script))
        .fallback(models::unknown_path)
        .with_state(state)
}

async fn accept(listener: TcpListener, state: Arc<State>) {
    let router = router(state.clone());
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                if let Ok((stream, _)) = accepted {
                    state.connections.fetch_add(1, Ordering::Relaxed);
                    connections.spawn(serve(stream, router.clone(), state.clone()));
                }
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

/// Serves one connection until it closes or one of its calls resets it.
async fn serve(stream: TcpStream, router: Router, state: Arc<State>) {
    // Without it the delays between chunks would be Nagle's, not the script's.
    let _unsupported = stream.set_nodelay(true);
    let wire = Wire::default();
    let service = TowerToHyperService::new(router);
    let handler = {
        let wire = wire.clone();
        hyper::service::service_fn(move |mut request: http::Request<Incoming>| {
            request.extensions_mut().insert(wire.clone());
            let answer = hyper::service::Service::call(&service, request);
            Box::pin(async move { answer.await.map_err(|never: Infallible| never) })
        })
    };
    let mut connection = http1::Builder::new().serve_connection(TokioIo::new(stream), handler);
    let reset = tokio::select! {
        biased;
        _closed = std::future::poll_fn(|cx| connection.poll_without_shutdown(cx)) => false,
        () = wire.0.notified() => true,
    };
    if reset {
        state.resets.fetch_add(1, Ordering::Relaxed);
        let stream = connection.into_parts().io.into_inner();
        // With a zero linger the close sends a reset instead of a farewell.
        let _unsupported = stream.set_zero_linger();
    }
}
