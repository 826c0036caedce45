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
        let of_action = |entry: &&Value| entry["stepID"].as_array().is_some_and(|id| id.len() == 2);
        let line = |entry: &Value| {
            let raw = if entry["raw_output"] == true {
                &entry["msg"]
            } else {
                &entry["raw"]
            };
            raw.as_str().map(str::to_owned)
        };
        self.0.iter().filter(of_action).filter_map(line).collect()
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
