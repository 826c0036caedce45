//! Reads the commit statuses of a commit: one page, one call, no redirect.

use std::time::{Duration, Instant};

use reqwest::header::{ACCEPT, DATE};
use reqwest::{Response, Url};

use super::{Silence, Token};
use crate::forge::history::Status;
use crate::forge::job::{Job, Repository};
use crate::forge::{ForgeKind, Sha};
use crate::net::Network;
use crate::net::client::describe;
use crate::timestamp::Timestamp;

/// The most of an answer that is read, in bytes. Fifty statuses are a tenth of it on Gitea and
/// Forgejo, and half on GitHub, which describes their creator at length.
const LIMIT: usize = 256 * 1024;
/// How many are asked for. Gitea and Forgejo ignore `limit` without `page`, and send all there are.
const PAGE: &str = "page=1&per_page=50&limit=50";
/// The newest first, despite its name.
const NEWEST: &str = "&sort=leastindex";

/// Why a list of statuses could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unread {
    /// The forge answered with this status.
    #[error("the forge answered {0}")]
    Status(u16),
    /// No answer came.
    #[error("no answer from the forge: {0}")]
    Silent(Silence),
    /// There is no end to it.
    #[error("the forge's answer is longer than {} KiB", LIMIT / 1024)]
    TooLong,
    /// It is something else.
    #[error("the forge's answer is not a list of commit statuses")]
    NotAList,
}

/// What a commit's statuses are asked by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Commit {
    /// The newest one of a branch.
    Branch(String),
    /// This one.
    Sha(Sha),
}

impl Commit {
    /// It as one segment of a path.
    fn segment(&self) -> String {
        match self {
            Self::Branch(name) => name
                .bytes()
                .map(|byte| match byte {
                    b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
                    byte if byte.is_ascii_alphanumeric() => char::from(byte).to_string(),
                    byte => format!("%{byte:02X}"),
                })
                .collect(),
            Self::Sha(sha) => sha.to_string(),
        }
    }
}

/// A page of statuses.
#[derive(Debug)]
pub(crate) struct Page {
    /// The statuses.
    pub(crate) statuses: Vec<Status>,
    /// The forge's clock when it answered.
    pub(crate) date: Option<Timestamp>,
    /// When it was asked, by this machine's.
    pub(crate) asked: Instant,
}

/// Reads statuses.
#[derive(Debug)]
pub(crate) struct Reader {
    api: Url,
    repository: Repository,
    kind: ForgeKind,
    token: Token,
}

impl Reader {
    /// A reader for the repository of the job, if it has one.
    pub(crate) fn of(job: &Job, token: Token) -> Option<Self> {
        Some(Self {
            api: job.api.as_ref().ok()?.clone(),
            repository: job.repository.as_ref().ok()?.clone(),
            kind: job.kind,
            token,
        })
    }

    /// The newest statuses of a commit, within `limit`.
    pub(crate) async fn statuses(
        &self,
        network: &Network,
        commit: &Commit,
        limit: Duration,
    ) -> Result<Page, Unread> {
        if http::HeaderValue::from_str(self.token.reveal()).is_err() {
            return Err(Unread::Silent(Silence::Token));
        }
        let proxy = match network.proxies.on_the_way(&self.api) {
            Ok(proxy) => proxy.map(|proxy| proxy.shown),
            Err(unusable) => return Err(Unread::Silent(Silence::Proxy(describe(&unusable)))),
        };
        let failed = |why| {
            let proxy = proxy.clone();
            Unread::Silent(Silence::Failed { why, proxy })
        };
        let late = || {
            let proxy = proxy.clone();
            Unread::Silent(Silence::Late { limit, proxy })
        };
        let client = network.client(limit);
        let client = client.map_err(|error| failed(describe(&error)))?;
        let asked = Instant::now();
        let asking = async {
            let question = client.get(self.address(commit));
            let question = question.bearer_auth(self.token.reveal());
            let answer = question.header(ACCEPT, "application/json").send().await;
            let mut answer = answer.map_err(|error| failed(describe(&error)))?;
            match answer.status().as_u16() {
                200 => {}
                status => return Err(Unread::Status(status)),
            }
            let date = date(&answer);
            let mut body = Vec::new();
            loop {
                let chunk = answer.chunk().await;
                match chunk.map_err(|error| failed(describe(&error)))? {
                    Some(chunk) => body.extend_from_slice(&chunk),
                    None => break,
                }
                if body.len() > LIMIT {
                    return Err(Unread::TooLong);
                }
            }
            Ok(Page {
                statuses: Status::list(&body).ok_or(Unread::NotAList)?,
                date,
                asked,
            })
        };
        let answer = tokio::time::timeout(limit, asking).await;
        answer.unwrap_or_else(|_| Err(late()))
    }

    fn address(&self, commit: &Commit) -> String {
        let sort = match self.kind {
            ForgeKind::GitHub => "",
            ForgeKind::Gitea | ForgeKind::Forgejo => NEWEST,
        };
        format!(
            "{}/repos/{}/commits/{}/statuses?{PAGE}{sort}",
            self.api.as_str().trim_end_matches('/'),
            self.repository,
            commit.segment()
        )
    }
}

/// The forge's clock.
fn date(answer: &Response) -> Option<Timestamp> {
    let date = answer.headers().get(DATE)?.to_str().ok()?;
    httpdate::parse_http_date(date).ok().map(Timestamp::of)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_of_one_commit_is_asked_for() {
        let reader = |kind: &str, api: &str| {
            let api = format!("https://forge.example/api/{api}/");
            let set = [
                (kind, "true"),
                ("GITHUB_API_URL", api.as_str()),
                ("GITHUB_REPOSITORY", "acme/shop"),
            ];
            let job = Job::from_env(&set.map(|(k, v)| (k.into(), v.into())));
            Reader::of(&job, Token::new("t".to_owned())).unwrap()
        };
        let start = "repos/acme/shop/commits";
        let page = "statuses?page=1&per_page=50&limit=50";
        for (kind, api, commit, path) in [
            ("GITHUB_ACTIONS", "v3", "main", format!("main/{page}")),
            (
                "GITEA_ACTIONS",
                "v1",
                "main",
                format!("main/{page}&sort=leastindex"),
            ),
            (
                "FORGEJO_ACTIONS",
                "v1",
                "feature/x",
                format!("feature%2Fx/{page}&sort=leastindex"),
            ),
            (
                "GITHUB_ACTIONS",
                "v3",
                "a b?c#d%é..",
                format!("a%20b%3Fc%23d%25%C3%A9../{page}"),
            ),
        ] {
            let commit = Commit::Branch(commit.to_owned());
            let address = reader(kind, api).address(&commit);
            assert_eq!(
                address,
                format!("https://forge.example/api/{api}/{start}/{path}")
            );
            // Nothing in a name leads anywhere else.
            let url: Url = address.parse().unwrap();
            assert_eq!(url.path_segments().unwrap().count(), 8, "{url}");
        }
    }
}
