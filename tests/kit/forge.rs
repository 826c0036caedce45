use serde_json::{Value, json};

use crate::kit::environment;
use crate::kit::log::Request;
use crate::kit::peer::Peer;
use crate::kit::server::{Server, response};

/// Which forge's API is played.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Kind {
    Github,
    GithubServer,
    Gitea,
}

impl Kind {
    /// Where the API begins.
    pub(crate) fn base(self) -> &'static str {
        match self {
            Self::Github => "",
            Self::GithubServer => "/api/v3",
            Self::Gitea => "/api/v1",
        }
    }
}

/// What a forge does with a commit status.
#[derive(Clone, Debug)]
pub(crate) enum Behaviour {
    Accepts,
    Refuses(u16),
    Redirects(String),
    Hangs,
    /// Takes it, and is of this version.
    Version(&'static str),
    /// The same, but tells nothing without a token.
    PrivateVersion(&'static str),
}

/// A forge's API that keeps all that it is sent.
pub(crate) struct Forge {
    pub(crate) server: Server,
    kind: Kind,
}

impl Forge {
    pub(crate) fn new(kind: Kind) -> Self {
        Self::behaving(kind, Behaviour::Accepts)
    }

    pub(crate) fn behaving(kind: Kind, behaviour: Behaviour) -> Self {
        let server = Server::start(move |peer| answer(peer, kind, &behaviour));
        Self { server, kind }
    }

    /// Nobody may come here.
    pub(crate) fn unhit(self) -> Self {
        Self {
            server: self.server.unhit(),
            ..self
        }
    }

    /// Whether somebody comes does not matter.
    pub(crate) fn maybe(self) -> Self {
        Self {
            server: self.server.maybe(),
            ..self
        }
    }

    /// The statuses that it was sent.
    pub(crate) fn posts(&self) -> Vec<Request> {
        let mut requests = self.server.received();
        requests.retain(|request| request.word(0) == "POST");
        requests
    }

    /// The value of one field in each of the posts.
    pub(crate) fn posted(&self, field: &str) -> Vec<String> {
        posted(&self.server.received(), field)
    }

    /// What a runner of this forge sets for a push.
    pub(crate) fn environment(&self) -> Vec<(&'static str, String)> {
        let mut set = environment::of_push(&self.server.at(""));
        set.push(("GITHUB_API_URL", self.server.at(self.kind.base())));
        if self.kind == Kind::Gitea {
            set.push(("GITEA_ACTIONS", "true".to_owned()));
        }
        set
    }
}

/// The value of one field in each of the statuses among these requests.
pub(crate) fn posted(requests: &[Request], field: &str) -> Vec<String> {
    let posts = requests.iter().filter(|request| request.word(0) == "POST");
    posts
        .map(|post| post.json()[field].as_str().unwrap_or_default().to_owned())
        .collect()
}

/// Takes every status, as GitHub does.
pub(crate) fn take(peer: &mut Peer) {
    answer(peer, Kind::Github, &Behaviour::Accepts);
}

fn answer(peer: &mut Peer, kind: Kind, behaviour: &Behaviour) {
    let Some(request) = peer.request() else {
        return;
    };
    if request.word(0) != "POST" {
        let version = match behaviour {
            Behaviour::PrivateVersion(_) if request.header("authorization").is_none() => None,
            Behaviour::Version(version) | Behaviour::PrivateVersion(version) => Some(*version),
            _ => Some("1.26.0"),
        };
        peer.send(match version {
            Some(version) => with_body(200, &json!({"version": version})),
            None => with_body(403, &refusal()),
        });
        return;
    }
    match behaviour {
        Behaviour::Accepts | Behaviour::Version(_) | Behaviour::PrivateVersion(_) => {
            peer.send(with_body(201, &created(kind, &request.json())));
        }
        Behaviour::Refuses(status) => drop(peer.send(with_body(*status, &refusal()))),
        Behaviour::Redirects(location) => {
            peer.send(response(307, &format!("Location: {location}\r\n")));
        }
        Behaviour::Hangs => peer.hang(),
    }
}

fn with_body(status: u16, body: &Value) -> String {
    let body = body.to_string();
    response(
        status,
        &format!(
            "Content-Type: application/json\r\nContent-Length: {}\r\n",
            body.len()
        ),
    ) + &body
}

/// Gitea and Forgejo call the state `status`.
fn created(kind: Kind, body: &Value) -> Value {
    let key = if kind == Kind::Gitea {
        "status"
    } else {
        "state"
    };
    json!({
        "id": 1,
        key: body["state"],
        "description": body["description"],
        "context": body["context"],
        "target_url": body["target_url"],
        "creator": {"id": 2, "login": "actions-user"},
        "created_at": "2026-01-31T12:00:00Z",
    })
}

fn refusal() -> Value {
    json!({"message": "not today", "documentation_url": "https://forge.example/docs"})
}
