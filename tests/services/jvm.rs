use std::path::{Path, PathBuf};
use std::process::Command;

use crate::daemon::command;

/// A Java program of these archives, at home in this folder, with little memory and a quick
/// start.
pub(crate) fn java(classes: &str, home: &Path) -> Command {
    let mut java = command("java", home);
    java.args(["-Xmx512m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"]);
    java.args(["-cp", classes]);
    java
}

/// The archives that `need_jars` of scripts/tools has put into a folder of this name.
pub(crate) fn jars(name: &str) -> String {
    let folder: PathBuf = [env!("CARGO_MANIFEST_DIR"), ".tools", name]
        .iter()
        .collect();
    assert!(
        folder.is_dir(),
        "there is no {}; scripts/test installs it",
        folder.display()
    );
    format!("{}/*", folder.display())
}

/// The version of one of those archives, by its file's name: `kafka_2.13-` for
/// `kafka_2.13-4.0.0.jar`.
pub(crate) fn version(jars: &str, start: &str) -> String {
    let folder = Path::new(jars.trim_end_matches('*'));
    let files = folder.read_dir().unwrap().map(|file| file.unwrap());
    let mut names = files.filter_map(|file| file.file_name().into_string().ok());
    let found = names.find_map(|name| {
        let rest = name.strip_prefix(start)?.strip_suffix(".jar")?;
        rest.starts_with(|ch: char| ch.is_ascii_digit())
            .then(|| rest.to_owned())
    });
    found.unwrap_or_else(|| panic!("no {start}*.jar in {jars}"))
}
