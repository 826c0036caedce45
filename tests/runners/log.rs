use serde_json::Value;

/// What an engine says in JSON while it runs a job, an object a line. All engines are
/// descendants of nektos/act, and say it in the same words.
pub(crate) struct Log(Vec<Value>);

impl Log {
    pub(crate) fn parse(text: &str) -> Self {
        let entries = text
            .lines()
            .filter_map(|line| serde_json::from_str(line).ok());
        Self(entries.collect())
    }

    /// What the action printed: its lines, and those that the engine took for a command.
    pub(crate) fn printed(&self) -> String {
        let mut header = Header::default();
        let mut printed = String::new();
        for entry in self.0.iter().filter(|entry| is_of_action(entry)) {
            let said = &entry["msg"];
            if entry["raw_output"] != true {
                // A command; the message is the engine's, in words of its own.
                printed += entry["raw"].as_str().unwrap_or_default();
            } else if let Some(line) = said.as_str().filter(|line| !header.has(line)) {
                printed += line;
            }
        }
        printed
    }

    /// The commands that the engine has obeyed, files and printed lines alike, without
    /// repetition: a composite action's are obeyed for the inner step and for the outer one.
    pub(crate) fn commands(&self) -> Vec<&str> {
        let commands = self.0.iter().filter_map(|entry| entry["command"].as_str());
        let mut commands: Vec<_> = commands.collect();
        commands.sort_unstable();
        commands.dedup();
        commands
    }

    /// The job summary, as the engine has read it.
    pub(crate) fn summary(&self) -> String {
        let content = self.0.iter().find_map(|entry| entry["content"].as_str());
        content.unwrap_or_default().to_owned()
    }

    /// The exit codes that the engine names: `exit status 70` on act and Forgejo, `Process
    /// completed with exit code 70.` on Gitea.
    pub(crate) fn exits(&self) -> Vec<i32> {
        let told = self.0.iter().filter(|entry| entry["raw_output"] != true);
        told.filter_map(|entry| {
            let message = entry["msg"].as_str()?;
            let named = ["exit status ", "exit code "]
                .iter()
                .find_map(|words| Some(message.split_once(words)?.1))?;
            named.trim().trim_end_matches('.').parse().ok()
        })
        .collect()
    }

    pub(crate) fn job_result(&self) -> Option<&str> {
        self.0.iter().find_map(|entry| entry["jobResult"].as_str())
    }
}

/// Whether an entry is about the step within the action.
fn is_of_action(entry: &Value) -> bool {
    entry["stepID"].as_array().is_some_and(|id| id.len() == 2)
}

/// What Gitea's runner, from version 3, says before and after a step as if the step said it:
/// `::group::Run …`, the script, what it was given by `with:` and `env:`, `::endgroup::`. Unlike
/// a line of the step, none of it has a line end of its own.
#[derive(Default)]
struct Header {
    begun: bool,
}

impl Header {
    /// Whether the header goes on with this.
    fn has(&mut self, said: &str) -> bool {
        let whole_line = said.ends_with('\n');
        if !whole_line && said.starts_with("::group::Run ") {
            self.begun = true;
            return true;
        }
        // An action's group is ended after its last step.
        if said == "::endgroup::" {
            self.begun = false;
            return true;
        }
        // Only a value of several lines, such as that of `targets`, may end with one.
        self.begun = self.begun && (!whole_line || is_assignment(said));
        self.begun
    }
}

/// `  NAME: value`
fn is_assignment(said: &str) -> bool {
    let name = said
        .strip_prefix("  ")
        .and_then(|rest| rest.split(": ").next());
    name.is_some_and(|name| {
        let mut chars = name.chars();
        chars.next().is_some_and(char::is_alphabetic)
            && chars.all(|char| char.is_ascii_alphanumeric() || "-_".contains(char))
    })
}

#[test]
fn a_step_s_lines_are_told_from_the_engine_s() {
    let log = Log::parse(include_str!("logs/act.json"));
    let printed = log.printed();
    let starts: Vec<_> = printed.lines().filter_map(|line| line.get(..13)).collect();
    assert_eq!(
        starts,
        [
            "dep-preflight",
            "  gone: attem",
            "DEP-DOWN:gone",
            "::error title",
            "down: gone (r",
        ],
        "{printed}"
    );
    assert!(printed.ends_with('\n'), "{printed}");
    assert_eq!(log.exits(), [70, 70]);
    assert_eq!(log.commands(), ["error", "set-output", "summary"]);
    assert_eq!(log.job_result(), Some("failure"));
}

/// Not recorded, but written after `act/runner/step_run.go` of gitea.com/gitea/runner. The step
/// says the same as in the other log; what the engine says before and after it is left out.
#[test]
fn the_header_of_gitea_s_runner_is_not_the_step_s() {
    let act = Log::parse(include_str!("logs/act.json"));
    let gitea = Log::parse(include_str!("logs/gitea-runner.json"));
    assert_eq!(gitea.printed(), act.printed());
    assert_eq!(gitea.exits(), [70, 70]);
    assert_eq!(gitea.commands(), act.commands());
    assert_eq!(gitea.job_result(), Some("failure"));
}

/// A step that does not end its last line has lost it on some engines: that is for the strict
/// reader of the log to find.
#[test]
fn a_line_that_does_not_end_is_kept() {
    let entry = |said: &str| {
        serde_json::json!({"msg": said, "raw_output": true, "stepID": ["a", "b"]}).to_string()
    };
    for (said, printed) in [
        (vec!["down: gone"], "down: gone"),
        (
            vec!["::group::Run x\n", "::endgroup::\n"],
            "::group::Run x\n::endgroup::\n",
        ),
        (vec!["::group::Run x", "shell: sh", "a\n", "b"], "a\nb"),
        (
            vec![
                "::group::Run x",
                "env:",
                "  A: b\nc: d\n",
                "::endgroup::",
                "  A: b\n",
            ],
            "  A: b\n",
        ),
    ] {
        let log: Vec<_> = said.iter().map(|said| entry(said)).collect();
        assert_eq!(Log::parse(&log.join("\n")).printed(), printed, "{said:?}");
    }
}
