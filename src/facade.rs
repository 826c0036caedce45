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
pub use crate::target::{Attempts, Policy, Target};

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
    pub use crate::forge::hints::refusal;
    pub use crate::forge::link::{RunLink, Version};
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
    use crate::probe::failure::{Scene, Unanswered, explain, timeout};

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
        };
        match why {
            Some(why) => explain(&why, &scene),
            None => timeout(&scene),
        }
    }
}

/// The next attempt.
pub mod retry {
    pub use crate::run::retry::next;
}

/// Attempts to verdicts.
pub mod verdict {
    pub use crate::verdict::{Finding, Outcome, Verdict, conclude};
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
