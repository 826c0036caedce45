//! The forge's API: posts commit statuses, reads them, and asks for the version. Nobody else sees
//! the token.
//!
//! The request is the same on GitHub, Gitea and Forgejo. Their answers are not, so only the
//! HTTP status of the answer is looked at. Whatever goes wrong here is a warning.

pub(crate) mod statuses;
mod token;

use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use octocrab::{Octocrab, ReqwestClientConfig};
use serde::Serialize;
use tokio::sync::OnceCell;

pub(crate) use token::Token;

use super::destination::Destination;
use super::link::Version;
use super::{ForgeKind, hints, sentence};
use crate::durations::FORGE_VERSION;
use crate::net::Network;
use crate::net::client::describe;
use crate::text;

/// The most of the version's answer that is read, in bytes.
const VERSION: usize = 4096;

#[derive(Debug, Serialize)]
struct Body<'a> {
    state: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    target_url: Option<&'a str>,
    description: &'a str,
    context: &'a str,
}

/// Why a status could not be posted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
    /// The forge answered with this status.
    #[error("it answered {0}")]
    Status(u16),
    /// No answer came.
    #[error("{0}")]
    Silent(Silence),
}

/// Why no answer came.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Silence {
    /// None in this time.
    #[error("none within {}{}", text::show_duration(*.limit), through(.proxy.as_ref()))]
    Late {
        /// The time it got.
        limit: Duration,
        /// The proxy on the way.
        proxy: Option<String>,
    },
    /// The run was told to stop.
    #[error("interrupted")]
    Interrupted,
    /// The library takes for granted that a header can carry it.
    #[error("not asked, because the token has characters that no header can carry")]
    Token,
    /// The proxy on the way cannot be used.
    #[error("{0}")]
    Proxy(String),
    /// The request failed.
    #[error("{why}{}", through(.proxy.as_ref()))]
    Failed {
        /// The library's words, sanitized.
        why: String,
        /// The proxy on the way.
        proxy: Option<String>,
    },
}

fn through(proxy: Option<&String>) -> String {
    proxy.map_or_else(String::new, |proxy| format!(" (through the proxy {proxy})"))
}

/// Posts statuses.
#[derive(Debug)]
pub(crate) struct Poster {
    destination: Destination,
    network: Arc<Network>,
    /// The API's address, without a slash at the end.
    base: String,
    /// The proxy on the way there, as people know it.
    proxy: Result<Option<String>, Silence>,
    version: OnceCell<Option<Version>>,
    /// Whether the forge has had enough of this token.
    barred: AtomicBool,
}

impl Poster {
    /// A poster for this destination. No connection is made before the first post.
    pub(crate) fn new(destination: Destination, network: Arc<Network>) -> Self {
        let proxy = match network.proxies.on_the_way(&destination.api) {
            Ok(proxy) => Ok(proxy.map(|proxy| proxy.shown)),
            Err(unusable) => Err(Silence::Proxy(describe(&unusable))),
        };
        Self {
            base: destination.api.as_str().trim_end_matches('/').to_owned(),
            proxy,
            destination,
            network,
            version: OnceCell::new(),
            barred: AtomicBool::new(false),
        }
    }

    /// The same with connections of its own, for another runtime.
    pub(crate) fn again(&self) -> Self {
        Self::new(self.destination.clone(), Arc::new(self.network.again()))
    }

    /// Whether a 403 is by design.
    pub(crate) const fn is_read_only(&self) -> bool {
        self.destination.read_only
    }

    /// Whether the forge refused a post in a way that holds for any other call: it does not know
    /// the token, or its limit is used up. A token that may not write may still read.
    pub(crate) fn is_barred(&self) -> bool {
        self.barred.load(Ordering::Relaxed)
    }

    /// Posts one status within `limit`.
    pub(crate) async fn post(
        &self,
        state: &str,
        description: &str,
        limit: Duration,
    ) -> Result<(), Refusal> {
        if http::HeaderValue::from_str(self.destination.token.reveal()).is_err() {
            return Err(Refusal::Silent(Silence::Token));
        }
        let proxy = self.proxy.clone().map_err(Refusal::Silent)?;
        let late = Silence::Late {
            limit,
            proxy: proxy.clone(),
        };
        let failed = |why| Refusal::Silent(Silence::Failed { why, proxy });
        match tokio::time::timeout(limit, self.try_post(state, description, limit)).await {
            Err(_) => Err(Refusal::Silent(late)),
            Ok(Err(error)) => Err(failed(describe(error.as_ref()))),
            Ok(Ok(200..=299)) => Ok(()),
            Ok(Ok(status)) => Err(Refusal::Status(status)),
        }
    }

    /// The status of the forge's answer.
    async fn try_post(
        &self,
        state: &str,
        description: &str,
        limit: Duration,
    ) -> Result<u16, Box<dyn Error + Send + Sync>> {
        let destination = &self.destination;
        let run;
        let target_url = match (&destination.target_url, &destination.run) {
            (Some(url), _) => Some(url.as_str()),
            (None, Some(link)) => {
                run = link.url(self.version().await);
                run.as_deref()
            }
            (None, None) => None,
        };
        let forge = Octocrab::builder()
            .base_uri(self.base.as_str())?
            .personal_token(destination.token.reveal().to_owned())
            .build_with_reqwest(ReqwestClientConfig::Custom(self.network.client(limit)?))?;
        let body = Body {
            state,
            target_url,
            description: &text::truncate(description, sentence::LONGEST),
            context: &destination.context,
        };
        let route = format!(
            "/repos/{}/statuses/{}",
            destination.repository, destination.sha
        );
        let answer = forge._post(route, Some(&body)).await?;
        let status = answer.status().as_u16();
        let has = |name: &str| answer.headers().get(name);
        // GitHub says with a 403 as well that there were too many calls.
        let too_many = has("x-ratelimit-remaining").is_some_and(|left| left == "0")
            || has("retry-after").is_some();
        if matches!(status, 401 | 429) || status == 403 && too_many {
            self.barred.store(true, Ordering::Relaxed);
        }
        Ok(status)
    }

    /// What to tell people about a refusal, by the forge's version.
    pub(crate) fn explain(&self, refusal: &Refusal, version: Option<Version>) -> String {
        let api = text::show_value(&self.base);
        let why = match refusal {
            Refusal::Status(status) => {
                let hint = hints::refusal(*status, self.destination.kind, version);
                format!("{api} answered {status}: {hint}")
            }
            Refusal::Silent(why) => format!("no answer from {api}: {why}"),
        };
        format!("the commit status could not be posted: {why}")
    }

    /// The forge's version, where a link or a hint depends on it: Gitea's and Forgejo's, one of
    /// which may have the other's runner. Asked once.
    pub(crate) async fn version(&self) -> Option<Version> {
        if self.destination.kind == ForgeKind::GitHub {
            return None;
        }
        *self
            .version
            .get_or_init(|| async {
                let asking = self.ask_version();
                tokio::time::timeout(FORGE_VERSION, asking).await.ok()?
            })
            .await
    }

    /// Asks without the token, and with it only where the forge wants a login for everything.
    async fn ask_version(&self) -> Option<Version> {
        let client = self.network.client(FORGE_VERSION).ok()?;
        let question = client.get(format!("{}/version", self.base));
        let with_token = question
            .try_clone()?
            .bearer_auth(self.destination.token.reveal());
        let mut answer = question.send().await.ok()?;
        if matches!(answer.status().as_u16(), 401 | 403) {
            answer = with_token.send().await.ok()?;
        }
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await.ok()? {
            body.extend_from_slice(&chunk);
            if body.len() > VERSION {
                return None;
            }
        }
        let body: serde_json::Value = serde_json::from_slice(&body).ok()?;
        Version::parse(body.get("version")?.as_str()?)
    }
}
