use std::time::{Duration, SystemTime};

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
    Forgejo,
}

impl Kind {
    /// Where the API begins.
    pub(crate) fn base(self) -> &'static str {
        match self {
            Self::Github => "",
            Self::GithubServer => "/api/v3",
            Self::Gitea | Self::Forgejo => "/api/v1",
        }
    }

    fn is_github(self) -> bool {
        matches!(self, Self::Github | Self::GithubServer)
    }
}

/// A status of another run, as a forge tells of it.
#[derive(Clone, Debug)]
pub(crate) struct Past {
    /// How many seconds ago it was made; less than nothing for the future.
    ago: i64,
    said: String,
    run: u64,
    changes: Vec<(&'static str, Value)>,
}

impl Past {
    /// With the state that goes with what it says, of a run with this number.
    pub(crate) fn new(ago: i64, said: impl Into<String>, run: u64) -> Self {
        Self {
            ago,
            said: said.into(),
            run,
            changes: Vec::new(),
        }
    }

    /// The same with another value of a field.
    pub(crate) fn with(mut self, field: &'static str, value: impl Into<Value>) -> Self {
        self.changes.push((field, value.into()));
        self
    }

    fn json(&self, kind: Kind, host: &str, id: usize) -> Value {
        let state = if self.said.starts_with("up") {
            "success"
        } else {
            "failure"
        };
        let (github, mut json) = (
            kind.is_github(),
            json!({
                "id": id,
                "url": format!("http://{host}/api"),
                "context": "dep-preflight / beacon",
                "description": self.said,
                "target_url": format!("http://{host}/acme/shop/actions/runs/{}", self.run),
                "created_at": before(self.ago),
                "updated_at": before(self.ago),
            }),
        );
        json[if github { "state" } else { "status" }] = state.into();
        json["creator"] = if github {
            json!({"login": "bot"})
        } else {
            Value::Null
        };
        for (field, value) in &self.changes {
            json[*field] = value.clone();
        }
        json
    }
}

/// A time so many seconds ago, as forges write it.
fn before(ago: i64) -> String {
    let (now, span) = (SystemTime::now(), Duration::from_secs(ago.unsigned_abs()));
    let time = if ago < 0 { now + span } else { now - span };
    humantime::format_rfc3339_seconds(time).to_string()
}

/// What a forge does for those who ask for the statuses of a commit.
#[derive(Clone, Debug)]
pub(crate) enum Mood {
    /// Tells these, the newest first.
    Tells(Vec<Past>),
    /// The same, but has no clock.
    Undated(Vec<Past>),
    Refuses(u16),
    Redirects(String),
    /// Sends this, and says that it is fine.
    Says(&'static str),
    /// Sends all that there ever were, as Gitea and Forgejo do where no page is asked for.
    Floods,
    /// Sends a list that does not end, piece by piece.
    Trickles,
    /// Tells these, but only after so many milliseconds.
    Slow(u64, Vec<Past>),
    Closes,
    Hangs,
}

/// What a forge knows of commits.
#[derive(Clone, Debug)]
pub(crate) struct Memory {
    /// Of the newest one of the branch `main`.
    pub(crate) branch: Mood,
    /// Of any other.
    pub(crate) base: Mood,
}

impl Memory {
    /// The same of all.
    pub(crate) fn of(mood: Mood) -> Self {
        Self {
            branch: mood.clone(),
            base: mood,
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
        Self::with(kind, behaviour, Memory::of(Mood::Tells(Vec::new())))
    }

    /// One that takes every status, and tells of others.
    pub(crate) fn remembering(kind: Kind, memory: Memory) -> Self {
        Self::with(kind, Behaviour::Accepts, memory)
    }

    pub(crate) fn with(kind: Kind, behaviour: Behaviour, memory: Memory) -> Self {
        let server = Server::start(move |peer| answer(peer, kind, &behaviour, &memory));
        Self { server, kind }
    }

    /// Who asked for the statuses of a commit.
    pub(crate) fn asked(&self) -> Vec<Request> {
        let mut requests = self.server.received();
        requests.retain(|request| request.word(1).contains("/commits/"));
        requests
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
        match self.kind {
            Kind::Github | Kind::GithubServer => {}
            Kind::Gitea => set.push(("GITEA_ACTIONS", "true".to_owned())),
            Kind::Forgejo => set.push(("FORGEJO_ACTIONS", "true".to_owned())),
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
    let nothing = Memory::of(Mood::Tells(Vec::new()));
    answer(peer, Kind::Github, &Behaviour::Accepts, &nothing);
}

fn answer(peer: &mut Peer, kind: Kind, behaviour: &Behaviour, memory: &Memory) {
    let Some(request) = peer.request() else {
        return;
    };
    if let Some((_, commit)) = request.word(1).split_once("/commits/") {
        let mood = if commit.starts_with("main/") {
            &memory.branch
        } else {
            &memory.base
        };
        tell(peer, kind, mood, request.header("host").unwrap_or_default());
        return;
    }
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

/// Answers who asks for the statuses of a commit.
fn tell(peer: &mut Peer, kind: Kind, mood: &Mood, host: &str) {
    let list = |past: &[Past]| -> Value {
        let ids = (1..=past.len()).rev();
        past.iter()
            .zip(ids)
            .map(|(past, id)| past.json(kind, host, id))
            .collect()
    };
    let date = format!("Date: {}\r\n", httpdate::fmt_http_date(SystemTime::now()));
    let dated = |body: &str| {
        let length = format!("{date}Content-Length: {}\r\n", body.len());
        response(200, &length) + body
    };
    match mood {
        Mood::Tells(past) => drop(peer.send(dated(&list(past).to_string()))),
        Mood::Undated(past) => drop(peer.send(with_body(200, &list(past)))),
        Mood::Refuses(status) => drop(peer.send(with_body(*status, &refusal()))),
        Mood::Redirects(location) => {
            peer.send(response(302, &format!("Location: {location}\r\n")));
        }
        Mood::Says(body) => drop(peer.send(dated(body))),
        Mood::Floods => {
            let many = vec![Past::new(60, "up: a", 1); 12_000];
            peer.send(dated(&list(&many).to_string()));
        }
        Mood::Trickles => {
            peer.send(format!("HTTP/1.1 200 OK\r\n{date}\r\n["));
            peer.trickle(" ", Duration::from_millis(20));
        }
        Mood::Slow(millis, past) => {
            std::thread::sleep(Duration::from_millis(*millis));
            peer.send(dated(&list(past).to_string()));
        }
        Mood::Closes => {}
        Mood::Hangs => peer.hang(),
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
    let key = if kind.is_github() { "state" } else { "status" };
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
