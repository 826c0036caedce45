use std::fmt::Write;

use serde_json::json;

use crate::nginx::{Nginx, Stopped};

/// One use of the action, as a job of the workflow, and what must come of it.
pub(crate) struct Case {
    pub(crate) job: &'static str,
    inputs: Vec<(&'static str, String)>,
    continue_on_error: bool,
    /// The event is a push, not a pull request.
    pub(crate) push: bool,
    pub(crate) result: &'static str,
    pub(crate) cause: &'static str,
    pub(crate) http_status: &'static str,
    /// The targets with their verdicts, in order.
    pub(crate) targets: Vec<(String, Verdict)>,
    fail_on_down: bool,
}

/// What is found of a target.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Verdict {
    Up,
    Down,
    OptionalDown,
}

use Verdict::{Down, OptionalDown, Up};

/// The file in the repository that one of the cases reads.
pub(crate) fn config_file(nginx: &Nginx, stopped: &Stopped) -> String {
    format!(
        "attempts: 2\ninterval: 20ms\ntargets:\n  login: {}\n  gone:\n    url: {}\n    optional: true\n",
        nginx.plain("/login"),
        stopped.plain("/"),
    )
}

/// More targets than one line of outputs can hold, and no more than fit into a variable of the
/// environment.
const MANY: usize = 120;

/// Every case; each engine runs all of them.
pub(crate) fn all(nginx: &Nginx, stopped: &Stopped) -> Vec<Case> {
    let gateway = || nginx.plain("/gateway");
    let several = format!(
        "login: {}\ngateway:\n  url: {}\n  attempts: 3\ngone: {{url: {:?}, optional: true}}\n",
        nginx.plain("/login"),
        gateway(),
        stopped.plain("/"),
    );
    let name = |number: usize| format!("service-{number}");
    let many = (0..MANY).map(|number| format!("{}: {}\n", name(number), stopped.plain("/")));
    let many: String = many.collect();
    vec![
        Case::probing("login", nginx.plain("/login")).up("401"),
        Case::probing("gateway", gateway()).down("status", "502"),
        Case::probing("stopped", stopped.plain("/login")).down("refused", ""),
        Case::probing("private-authority", nginx.tls())
            .with("ca-certificates", "authority.pem")
            .up("200"),
        Case::probing("expired", nginx.expired())
            .with("ca-certificates", "authority.pem")
            .down("tls-expired", ""),
        Case::probing("tolerated", gateway())
            .down("status", "502")
            .continue_on_error(),
        Case::probing("spared", gateway())
            .with("fail-on-down", "false")
            .down("status", "502")
            .spared(),
        Case::probing("pushed", stopped.plain("/"))
            .down("refused", "")
            .push(),
        Case::of("several")
            .with("targets", several)
            .down("status", "502")
            .targets([("login", Up), ("gateway", Down), ("gone", OptionalDown)]),
        Case::of("configured")
            .with("config", "preflight.yml")
            .up("401")
            .targets([("login", Up), ("gone", OptionalDown)]),
        Case::of("many")
            .with("targets", many)
            .down("refused", "")
            .targets((0..MANY).map(|number| (name(number), Down))),
        Case::probing("invalid", nginx.plain("/"))
            .with("timeout", "10")
            .with("method", "POST")
            .invalid(),
    ]
}

impl Case {
    fn of(job: &'static str) -> Self {
        Self {
            job,
            inputs: Vec::new(),
            continue_on_error: false,
            push: false,
            result: "",
            cause: "",
            http_status: "",
            targets: Vec::new(),
            fail_on_down: true,
        }
        .with("attempts", "2")
        .with("interval", "20ms")
    }

    /// A single target, named as the job.
    fn probing(job: &'static str, url: String) -> Self {
        Self::of(job).with("url", url).with("name", job)
    }

    fn with(mut self, input: &'static str, value: impl Into<String>) -> Self {
        self.inputs.push((input, value.into()));
        self
    }

    fn up(self, http_status: &'static str) -> Self {
        let job = self.job;
        Self {
            result: "up",
            http_status,
            ..self
        }
        .targets([(job, Up)])
    }

    fn down(self, cause: &'static str, http_status: &'static str) -> Self {
        let job = self.job;
        Self {
            result: "down",
            cause,
            http_status,
            ..self
        }
        .targets([(job, Down)])
    }

    fn invalid(self) -> Self {
        Self {
            result: "invalid",
            ..self
        }
    }

    fn targets<N: Into<String>>(self, targets: impl IntoIterator<Item = (N, Verdict)>) -> Self {
        let targets = targets
            .into_iter()
            .map(|(name, verdict)| (name.into(), verdict));
        Self {
            targets: targets.collect(),
            ..self
        }
    }

    fn continue_on_error(self) -> Self {
        Self {
            continue_on_error: true,
            ..self
        }
    }

    fn spared(self) -> Self {
        Self {
            fail_on_down: false,
            ..self
        }
    }

    fn push(self) -> Self {
        Self { push: true, ..self }
    }

    /// The exit code that stands for the result.
    pub(crate) fn code(&self) -> i32 {
        match self.result {
            "up" => 0,
            "down" => 70,
            _ => 78,
        }
    }

    /// The exit code of the step.
    pub(crate) fn exit(&self) -> i32 {
        if self.fail_on_down { self.code() } else { 0 }
    }

    /// What `outcome` and `conclusion` of the step are.
    pub(crate) fn ended(&self) -> [&'static str; 2] {
        match (self.exit(), self.continue_on_error) {
            (0, _) => ["success"; 2],
            (_, true) => ["failure", "success"],
            (_, false) => ["failure"; 2],
        }
    }

    pub(crate) fn job_fails(&self) -> bool {
        self.ended()[1] == "failure"
    }

    pub(crate) fn names(&self, verdicts: &[Verdict]) -> Vec<&str> {
        let targets = self.targets.iter();
        let named = targets.filter(|(_, verdict)| verdicts.contains(verdict));
        named.map(|(name, _)| name.as_str()).collect()
    }

    /// The state of the commit status; none is posted for a configuration that is no good.
    pub(crate) fn state(&self) -> Option<&'static str> {
        match self.result {
            "up" => Some("success"),
            "down" => Some("failure"),
            _ => None,
        }
    }

    /// The job: the action, what it stands before, and steps that write down what they see.
    pub(crate) fn job(&self) -> String {
        let mut inputs = String::new();
        for (name, value) in &self.inputs {
            // A JSON string is a YAML string.
            writeln!(inputs, "          {name}: {}", json!(value)).unwrap();
        }
        include_str!("job.yml")
            .replace("@JOB@", self.job)
            .replace("@CONTINUE@", &self.continue_on_error.to_string())
            .replace("          @INPUTS@\n", &inputs)
    }
}
