//! What the contract tests, the property tests and fuzzing call. Nobody else may: it follows the
//! code, and promises nothing to other programs. Everything else is private to the crate, so that
//! the compiler finds what nobody uses any more.

pub use crate::address::{Address, Service};
pub use crate::cli::Request;
pub use crate::exit::{Exit, Interrupt, RunResult};
pub use crate::forge::{Event, Job, Sha};
pub use crate::inputs::options::{InputOption, OPTIONS};
pub use crate::inputs::origin::{Origin, Place, variable};
pub use crate::inputs::problem::in_one_line;
pub use crate::inputs::resolve::Surroundings;
pub use crate::inputs::targets::TargetOptions;
pub use crate::inputs::{Inputs, Problems, RawInputs, resolve};
pub use crate::net::Network;
pub use crate::probe::conversation::ServiceProbe;
pub use crate::probe::http::{HttpProbe, Method, StatusSet, is_this_machine_host};
pub use crate::probe::pulse::Pulse;
pub use crate::probe::{Attempt, AttemptBudget, Cause, Evidence, Phases, Probe};
pub use crate::protocol::{PROTOCOLS, Page, Protocol, Scheme, Tls};
pub use crate::record::{Control, ControlAnswer, Next, Record};
pub use crate::report::Report;
pub use crate::target::{Attempts, Known, Policy, Target};
pub use crate::timestamp::Timestamp;

/// The command line.
pub mod cli {
    pub use crate::cli::parse;
}

/// Parsers of single values.
pub mod values {
    pub use crate::inputs::values::{
        attempts, boolean, duration, header, method, name, name_of, positive_duration, redirects,
        status_set,
    };

    pub use crate::address::{link, target, url};
}

/// The forge: event file, links, hints.
pub mod forge {
    pub use crate::forge::commit::commit;
    pub use crate::forge::event::Mainline;
    pub use crate::forge::hints::refusal;
    pub use crate::forge::history::{Elsewhere, Listener, Place, Status, Timeline};
    pub use crate::forge::link::{RunLink, Version};
    pub use crate::forge::sentence::{Says, Seen, read};
}

/// Root certificates.
pub mod roots {
    pub use crate::net::roots::parse_pem;
}

/// Failures to causes.
pub mod failure {
    use std::net::SocketAddr;

    use crate::net::dial::{DialError, Seen, Stage};
    use crate::net::http1::Broken;
    use crate::net::resolver::NameError;
    pub use crate::probe::failure::{Failure, Limit};
    use crate::probe::failure::{Scene, Twin, Unanswered, explain, timeout};

    /// What a request may fail with, by stage; text in it is the other side's.
    #[derive(Debug)]
    pub enum Failed {
        /// The name server answered so.
        Name(String),
        /// The system, or TLS, says so while TLS is under way.
        Tls(std::io::Error),
        /// The system says so once the connection stands.
        Io(std::io::Error),
        /// The HTTP library says so.
        Http(String),
        /// Nothing came before the timeout, in the stage of this number.
        Silence(u8),
    }

    /// The failure of a request to `host`, which has this address.
    #[must_use]
    pub fn of(failed: Failed, host: &str, peer: Option<SocketAddr>, limit: Limit) -> Failure {
        let (stage, why) = match failed {
            Failed::Name(said) => {
                let error = DialError::Name(NameError::Answered(said));
                (Stage::Name, Some(Unanswered::Dial(error)))
            }
            Failed::Tls(error) => (Stage::Tls, Some(Unanswered::Dial(DialError::Tls(error)))),
            Failed::Io(error) => (Stage::Open, Some(Unanswered::Http(Broken::Io(error)))),
            Failed::Http(said) => (Stage::Open, Some(Unanswered::Http(Broken::NotHttp(said)))),
            Failed::Silence(stage) => {
                let stages = Stage::ALL.iter().cycle();
                let stage = stages.copied().nth(usize::from(stage));
                (stage.unwrap_or_default(), None)
            }
        };
        let mut seen = Seen::default();
        seen.stage = stage;
        seen.addresses.extend(peer);
        let scene = Scene {
            protocol: "HTTP",
            host,
            proxy: None,
            seen: &seen,
            limit,
            redirected: false,
            http1: false,
            twin: Twin::Http("https"),
        };
        match why {
            Some(why) => explain(&why, &scene),
            None => timeout(&scene),
        }
    }
}

/// What a service says, to an attempt; without a connection.
pub mod conversation {
    use http::{HeaderMap, HeaderName, HeaderValue};

    use crate::durations::TIMEOUT;
    use crate::net::dial::{Seen, Stage};
    use crate::probe::Attempt;
    use crate::probe::conversation::{Act, End, ServiceProbe, Silent, act};
    use crate::probe::failure::{Limit, Scene, Unanswered, explain};
    use crate::protocol::call::{BODY_LIMIT, Call, Reply};
    use crate::protocol::{Asks, Question, Received};

    /// What a conversation came to.
    #[derive(Debug)]
    pub struct Talk {
        /// What was sent, the goodbye included.
        pub sent: Vec<Vec<u8>>,
        /// How often another connection, or TLS, was asked for.
        pub moves: usize,
        /// The attempt; `None` if there was no end after [`MOST`] messages and moves.
        pub attempt: Option<Attempt>,
    }

    /// More than any conversation needs.
    pub const MOST: usize = 32;

    /// Says all this, piece by piece, and then closes. An empty piece is a silence, for as long
    /// as anybody waits.
    #[must_use]
    pub fn talk(probe: &ServiceProbe, pieces: &[&[u8]]) -> Talk {
        let greeting = match probe.service.protocol.asks {
            Asks::Stream(greeting) => greeting,
            Asks::Call(call) => return answer(probe, call, &pieces.concat()),
            Asks::Question(question) => return datagrams(probe, question, pieces),
        };
        let mut greeting = greeting(&probe.site());
        let mut received = Received::default();
        let mut pieces = pieces.iter();
        let mut talk = Talk {
            sent: Vec::new(),
            moves: 0,
            attempt: None,
        };
        let seen = open();
        let silent = loop {
            if talk.sent.len() + talk.moves >= MOST {
                return talk;
            }
            match act(&mut *greeting, &mut received) {
                Act::Send(bytes) => talk.sent.push(bytes),
                Act::HalfClose => {}
                Act::Read(patience) => match (pieces.next(), patience) {
                    (Some([]), Some(_)) => received.fall_quiet(),
                    (Some(piece), _) => received.add(piece),
                    (None, _) => received.end(),
                },
                Act::End(End::StartTls | End::Reconnect) => {
                    talk.moves += 1;
                    received = Received::default();
                }
                Act::End(End::Answer(answer)) => {
                    if !answer.goodbye.is_empty() {
                        talk.sent.push(answer.goodbye.to_vec());
                    }
                    talk.attempt = Some(probe.judge(answer, &seen));
                    return talk;
                }
                Act::Foreign => break Silent::Foreign(received.whole().to_vec()),
                Act::Closed => break Silent::Closed,
            }
        };
        talk.attempt = Some(fail(probe, silent));
        talk
    }

    /// Datagrams, one each piece, and where none is an answer all of it over a connection.
    fn datagrams(probe: &ServiceProbe, question: &Question, pieces: &[&[u8]]) -> Talk {
        let asked = (question.ask)(&probe.site(), 0x4450);
        let mut talk = Talk {
            sent: vec![asked.clone()],
            moves: 0,
            attempt: None,
        };
        let mut read = pieces.iter().map(|piece| (question.read)(&asked, piece));
        if let Some(answer) = read.find_map(|answer| answer) {
            talk.attempt = Some(probe.judge(answer, &open()));
            return talk;
        }
        talk.moves = 1;
        let mut greeting = (question.stream)(asked);
        let mut received = Received::default();
        loop {
            match act(&mut *greeting, &mut received) {
                Act::Send(bytes) => talk.sent.push(bytes),
                Act::Read(_) if received.whole().is_empty() => {
                    received.add(&pieces.concat());
                    received.end();
                }
                Act::End(End::Answer(answer)) => {
                    talk.attempt = Some(probe.judge(answer, &open()));
                    return talk;
                }
                Act::Foreign => {
                    let silent = Silent::Foreign(received.whole().to_vec());
                    talk.attempt = Some(fail(probe, silent));
                    return talk;
                }
                _ => {
                    talk.attempt = Some(fail(probe, Silent::Closed));
                    return talk;
                }
            }
        }
    }

    /// An answer to a call: lines of its head, an empty one, lines of its trailers, an empty one,
    /// the body. A line is a field; `x-status` is the status of HTTP, and `x-turned-away` that there
    /// is no answer.
    fn answer(probe: &ServiceProbe, call: &Call, said: &[u8]) -> Talk {
        let site = probe.site();
        let mut rest = said;
        let mut reply = Reply {
            status: 200,
            headers: fields(&mut rest),
            ..Reply::default()
        };
        let status = reply.field("x-status").unwrap_or_default();
        let status = std::str::from_utf8(status).ok();
        reply.status = status.and_then(|status| status.parse().ok()).unwrap_or(200);
        if (call.goes_on)(&reply) {
            reply.trailers = fields(&mut rest);
            reply.body = rest
                .get(..rest.len().min(BODY_LIMIT))
                .unwrap_or_default()
                .to_vec();
        }
        let judged = match reply.field("x-turned-away") {
            Some(word) => Some((call.turned_away)(&String::from_utf8_lossy(word))),
            None => (call.judge)(&reply, &site),
        };
        Talk {
            sent: vec![(call.body)(&site)],
            moves: 0,
            attempt: Some(match judged {
                Some(answer) => probe.judge(answer, &open()),
                None => fail(probe, Silent::Foreign(reply.body)),
            }),
        }
    }

    /// Takes lines up to an empty one.
    fn fields(rest: &mut &[u8]) -> HeaderMap {
        let mut fields = HeaderMap::new();
        while !rest.is_empty() {
            let end = rest.iter().position(|byte| *byte == b'\n');
            let (line, after) = rest.split_at(end.unwrap_or(rest.len()));
            *rest = after.get(1..).unwrap_or_default();
            let mut parts = line.splitn(2, |byte| *byte == b':');
            let name = parts.next().map(HeaderName::from_bytes);
            let value = parts
                .next()
                .map(|value| HeaderValue::from_bytes(value.trim_ascii()));
            match (name, value) {
                (Some(Ok(name)), Some(Ok(value))) => _ = fields.append(name, value),
                _ if line.is_empty() => break,
                _ => {}
            }
        }
        fields
    }

    /// A connection that stands.
    fn open() -> Seen {
        let mut seen = Seen::default();
        seen.stage = Stage::Open;
        seen
    }

    fn fail(probe: &ServiceProbe, silent: Silent) -> Attempt {
        let scene = Scene {
            protocol: probe.service.protocol.title,
            host: &probe.service.host,
            proxy: None,
            seen: &open(),
            limit: Limit {
                time: TIMEOUT,
                timeout: TIMEOUT,
            },
            redirected: false,
            http1: false,
            twin: probe.twin(),
        };
        let failure = explain(&Unanswered::Service(silent), &scene);
        Attempt {
            cause: Some(failure.cause),
            detail: failure.detail,
            ..Attempt::blank()
        }
    }
}

/// The next attempt.
pub mod retry {
    pub use crate::run::retry::next;
}

/// Attempts to verdicts.
pub mod verdict {
    pub use crate::verdict::{Finding, Incident, Outcome, Verdict, conclude};
}

/// The report.
pub mod model {
    pub use crate::report::model::{RunInfo, Start, build};
}

/// The log.
pub mod log {
    pub use crate::report::log::{attempt, invalid, opening, result, targets};
}

/// Workflow commands.
pub mod annotations {
    pub use crate::report::annotations::{Level, Reserved, command, render};
}

/// The outputs file.
pub mod outputs {
    pub use crate::report::outputs::{OUTPUTS, Values, failed, of_report, render};
}

/// The job summary.
pub mod summary {
    pub use crate::report::summary::render;
}

/// The commit status.
pub mod commit_status {
    pub use crate::report::commit_status::{describe_report, describe_waiting};
}

/// Foreign text.
pub mod text {
    pub use crate::text::{
        LONG, PIECE, sanitize, show_url, show_value, truncate, without_double_colon,
    };
}
