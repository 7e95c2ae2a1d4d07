//! Which router is served where.

use std::net::SocketAddr;

use axum::Router;
use axum::routing::any;
use tallystick_runtime::config::Settings;
use tallystick_runtime::health::Readiness;
use tallystick_runtime::http::{Tls, bind, serve};
use tallystick_runtime::{Problem, Tasks};
use tokio::net::TcpListener;

use super::instance::Addresses;
use crate::error::{CliError, Outcome};

/// The addresses of a process, bound before anything is started, so that a port that is taken is told at once.
#[derive(Debug)]
pub(super) struct Listeners {
    proxy: Option<TcpListener>,
    admin: Option<TcpListener>,
    metrics: Option<TcpListener>,
    tls: Option<Tls>,
    /// Whether the API is on the proxy's listener.
    shared: bool,
}

impl Listeners {
    /// Binds what the role needs; proxy and API share one listener unless they have addresses of their own.
    pub(super) async fn bind(settings: &Settings, role: super::Role, with_metrics: bool) -> Outcome<Self> {
        let (proxy, admin) = (settings.proxy_listen(), settings.reporting_listen());
        let shared = role.has_proxy() && role.has_reporting() && proxy == admin;
        let tls = Tls::from_settings(&settings.tls)
            .map_err(|error| CliError::because("reading the certificate", &error))?;
        Ok(Self {
            proxy: if role.has_proxy() { Some(listen(proxy, "--listen").await?) } else { None },
            admin: if role.has_reporting() && !shared {
                Some(listen(admin, "--admin-listen").await?)
            } else {
                None
            },
            metrics: if with_metrics {
                Some(listen(settings.metrics_listen, "--metrics-listen").await?)
            } else {
                None
            },
            tls,
            shared,
        })
    }

    fn url(&self, listener: Option<&TcpListener>) -> Option<String> {
        let mut address: SocketAddr = listener?.local_addr().ok()?;
        if address.ip().is_unspecified() {
            address.set_ip(if address.is_ipv4() {
                [127, 0, 0, 1].into()
            } else {
                [0, 0, 0, 0, 0, 0, 0, 1].into()
            });
        }
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        Some(format!("{scheme}://{address}"))
    }

    /// Where everything is.
    pub(super) fn addresses(&self) -> Addresses {
        let metrics = self.metrics.as_ref().and_then(|listener| listener.local_addr().ok());
        Addresses {
            proxy: self.url(self.proxy.as_ref()),
            api: self.url(self.admin.as_ref().or(self.proxy.as_ref().filter(|_| self.shared))),
            metrics: metrics.map(|address| format!("http://{address}/metrics")),
        }
    }

    /// Starts serving: `proxy` and `admin` on their own listeners, or both on one.
    pub(super) fn serve(self, routers: Routers, settings: &Settings, tasks: &Tasks) {
        let Routers { proxy, admin, metrics, readiness } = routers;
        let admin = admin.map(closed);
        let health = || Router::new().merge(readiness.router());
        let (front, back) = match (proxy, admin) {
            (Some(proxy), Some(admin)) if self.admin.is_none() => (Some(admin.merge(proxy)), None),
            (proxy, admin) => (proxy, admin),
        };
        let limits = settings.limits.serve();
        let listeners = [
            ("http.proxy", self.proxy, front.map(|router| router.merge(health())), self.tls.clone()),
            ("http.admin", self.admin, back.map(|router| router.merge(health())), self.tls),
            ("http.metrics", self.metrics, metrics, None),
        ];
        for (name, listener, router, tls) in listeners {
            if let (Some(listener), Some(router)) = (listener, router) {
                let (limits, owned) = (limits.clone(), tasks.clone());
                drop(tasks.spawn(name, async move { serve(listener, router, limits, tls, &owned).await }));
            }
        }
    }
}

/// What is served.
pub(super) struct Routers {
    pub(super) proxy: Option<Router>,
    pub(super) admin: Option<Router>,
    pub(super) metrics: Option<Router>,
    pub(super) readiness: Readiness,
}

async fn listen(address: SocketAddr, flag: &str) -> Outcome<TcpListener> {
    bind(address).await.map_err(|error| {
        CliError::new(error.to_string())
            .advise(format!("another program has this address: choose one with {flag} HOST:PORT"))
    })
}

/// The API, closed below its prefix: what it does not know does not fall through to the proxy.
fn closed(admin: Router) -> Router {
    let unknown = || async {
        Problem::not_found("the API has no such path; see /api/v1/openapi.json for those it has")
    };
    admin.route("/api/{*rest}", any(unknown))
}
