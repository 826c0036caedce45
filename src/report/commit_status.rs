//! The commit status: the one signal that a pull request shows on every forge.
//!
//! The request is the same on GitHub, Gitea and Forgejo. Their answers are not, so only the
//! HTTP status of the answer is looked at. Whatever goes wrong here is a warning.

use std::sync::Arc;
use std::time::Duration;

use octocrab::{Octocrab, ReqwestClientConfig};
use serde::Serialize;
use tokio::sync::OnceCell;

use super::headline::named_one;
use super::model::Report;
use crate::durations::FORGE_VERSION;
use crate::exit::RunResult;
use crate::forge::link::{self, Version};
use crate::forge::{ForgeKind, RunnerEnv, hints};
use crate::net::Network;
use crate::net::client::describe;
use crate::net::proxy::Proxy;
use crate::secret::Token;
use crate::text;
use crate::verdict::Verdict;

/// GitHub refuses longer ones, in characters.
const DESCRIPTION: usize = 140;
/// The most of the version's answer that is read, in bytes.
const VERSION: usize = 4096;

/// Where the status goes.
#[derive(Debug, Clone)]
pub(crate) struct Destination {
    /// The API's address, without a slash at the end.
    pub api: String,
    /// `owner/name`.
    pub repository: String,
    /// The commit.
    pub sha: String,
    /// The context.
    pub context: String,
    /// The page it links to, if not the run's.
    pub target_url: Option<String>,
    /// The token.
    pub token: Token,
    /// The forge, as the environment has it.
    pub kind: ForgeKind,
    /// What the run's address is made of, where no other page is to be linked to.
    pub env: RunnerEnv,
    /// Whether a 403 is by design: a pull request from a fork has a read-only token.
    pub from_fork: bool,
}

#[derive(Debug, Serialize)]
struct Body<'a> {
    state: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    target_url: Option<&'a str>,
    description: &'a str,
    context: &'a str,
}

/// Why a status could not be posted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// The forge answered with this status.
    Status(u16),
    /// No answer came; the text says why.
    Silent(String),
}

impl Refusal {
    /// What it means, for people.
    #[must_use]
    pub(crate) fn explain(&self, destination: &Destination, version: Option<Version>) -> String {
        match self {
            Self::Status(status) => format!(
                "the commit status could not be posted: {} answered {status}: {}",
                text::show_value(&destination.api),
                hints::refusal(*status, destination.kind, version)
            ),
            Self::Silent(why) => format!(
                "the commit status could not be posted: no answer from {}: {why}",
                text::show_value(&destination.api)
            ),
        }
    }
}

/// Posts statuses.
#[derive(Debug)]
pub(crate) struct Poster {
    destination: Destination,
    network: Arc<Network>,
    version: OnceCell<Option<Version>>,
}

impl Poster {
    /// A poster for this destination. Nothing is set up before the first post.
    #[must_use]
    pub(crate) fn new(destination: Destination, network: Arc<Network>) -> Self {
        Self {
            destination,
            network,
            version: OnceCell::new(),
        }
    }

    /// The same with connections of its own, for another runtime.
    pub(crate) fn again(&self) -> Self {
        Self::new(self.destination.clone(), Arc::new(self.network.again()))
    }

    /// Where it posts to.
    #[must_use]
    pub(crate) const fn destination(&self) -> &Destination {
        &self.destination
    }

    /// Posts one status within `limit`.
    pub(crate) async fn post(
        &self,
        state: &str,
        description: &str,
        limit: Duration,
    ) -> Result<(), Refusal> {
        let posting = self.try_post(state, description, limit);
        tokio::time::timeout(limit, posting)
            .await
            .unwrap_or_else(|_| {
                Err(Refusal::Silent(format!(
                    "none within {}",
                    text::show_duration(limit)
                )))
            })
            .map_err(|refusal| match (refusal, self.proxy()) {
                (Refusal::Silent(why), Some(proxy)) => {
                    Refusal::Silent(format!("{why} (through the proxy {})", proxy.shown))
                }
                (refusal, _) => refusal,
            })
    }

    /// The proxy on the way to the forge, if it can be used.
    fn proxy(&self) -> Option<Proxy> {
        let api = reqwest::Url::parse(&self.destination.api).ok()?;
        self.network.proxies.on_the_way(&api).ok().flatten()
    }

    async fn try_post(
        &self,
        state: &str,
        description: &str,
        limit: Duration,
    ) -> Result<(), Refusal> {
        let silent = |error: &(dyn std::error::Error + 'static)| Refusal::Silent(describe(error));
        // The library takes for granted that it can.
        if http::HeaderValue::from_str(self.destination.token.reveal()).is_err() {
            let why = "not asked, because the token has characters that no header can carry";
            return Err(Refusal::Silent(why.to_owned()));
        }
        if let Ok(api) = reqwest::Url::parse(&self.destination.api) {
            let proxy = self.network.proxies.on_the_way(&api);
            proxy.map_err(|unusable| silent(&unusable))?;
        }
        let client = self.network.client(limit).map_err(|error| silent(&error))?;
        let destination = &self.destination;
        let target_url = match &destination.target_url {
            Some(url) => Some(url.clone()),
            None => link::run_url(&destination.env, self.version().await),
        };
        let forge = Octocrab::builder()
            .base_uri(destination.api.as_str())
            .map_err(|error| silent(&error))?
            .personal_token(destination.token.reveal().to_owned())
            .build_with_reqwest(ReqwestClientConfig::Custom(client))
            .map_err(|error| silent(&error))?;
        let body = Body {
            state,
            target_url: target_url.as_deref(),
            description: &text::truncate(description, DESCRIPTION),
            context: &destination.context,
        };
        let route = format!(
            "/repos/{}/statuses/{}",
            destination.repository, destination.sha
        );
        let answer = forge
            ._post(route, Some(&body))
            .await
            .map_err(|error| silent(&error))?;
        match answer.status().as_u16() {
            200..=299 => Ok(()),
            status => Err(Refusal::Status(status)),
        }
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
        let question = client.get(format!("{}/version", self.destination.api));
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

/// What the status says about a report. Later runs read it: what it names is what was seen,
/// `up` too, and never a target that counts for nothing.
#[must_use]
pub fn describe_report(report: &Report) -> String {
    let (verdict, end) = match report.exit.result {
        RunResult::Up => (Verdict::Up, ""),
        RunResult::Down => (Verdict::Down, " - environment, not this change"),
        RunResult::Unknown => (Verdict::Unknown, " - runner's network, not this change"),
        RunResult::Invalid | RunResult::Error => {
            return text::truncate(&report.headline(), DESCRIPTION);
        }
    };
    let named = || {
        // An optional one that is up is up all the same.
        report
            .with(verdict)
            .filter(|target| target.required || verdict == Verdict::Up)
    };
    match named().count() {
        // None is required, and none is up.
        0 => text::truncate(&report.headline(), DESCRIPTION),
        count => fit(verdict.as_str(), named().map(named_one), count, end),
    }
}

/// What the status says while it waits for so many.
#[must_use]
pub fn describe_waiting(names: impl IntoIterator<Item = String>, count: usize) -> String {
    fit("waiting for", names, count, "")
}

/// As many names as fit, and how many of the `count` are left out.
fn fit(start: &str, names: impl IntoIterator<Item = String>, count: usize, end: &str) -> String {
    let room = DESCRIPTION.saturating_sub(start.chars().count() + ": ".len() + end.chars().count());
    let mut best = format!("{count} more");
    let (mut list, mut length) = (String::new(), 0);
    for (index, name) in names.into_iter().enumerate() {
        if index > 0 {
            list.push_str(", ");
            length += 2;
        }
        length += name.chars().count();
        if length > room {
            break;
        }
        list.push_str(&name);
        let more = match count.saturating_sub(index + 1) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        if length + more.len() <= room {
            best = format!("{list}{more}");
        }
    }
    text::truncate(&format!("{start}: {best}{end}"), DESCRIPTION)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn descriptions_fit_and_say_what_is_left_out() {
        let names = |count| (0..count).map(|n| format!("target-{n} (refused)"));
        let end = " - environment, not this change";
        let line = fit("down", names(50), 50, end);
        assert!(line.chars().count() <= DESCRIPTION, "{line}");
        assert_eq!(
            line,
            "down: target-0 (refused), target-1 (refused), target-2 (refused), target-3 (refused) and 46 more - environment, not this change"
        );
        assert_eq!(
            fit("down", names(2), 2, end),
            "down: target-0 (refused), target-1 (refused) - environment, not this change"
        );
        assert!(fit("down", ["é".repeat(200)], 1, "").chars().count() <= DESCRIPTION);
        // Exactly as long as it may be, and one character longer.
        let exact = |length: usize| fit("up", ["x".repeat(length), "y".to_owned()], 2, "");
        assert_eq!(exact(133), format!("up: {}, y", "x".repeat(133)));
        assert_eq!(exact(134), "up: 2 more");
    }

    /// The names that do not fit are not even made.
    #[test]
    fn the_length_of_the_list_does_not_matter() {
        let made = std::cell::Cell::new(0);
        let names = (0..usize::MAX).map(|n| {
            made.set(made.get() + 1);
            format!("t{n}")
        });
        let line = fit("down", names, usize::MAX, "");
        assert!(
            line.ends_with(" more") && made.get() < DESCRIPTION,
            "{line}"
        );
    }
}
