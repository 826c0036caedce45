//! Which program the black-box suites start.
//!
//! Users run a file of `dist/`, so that is what is tested: other optimisation, another panic
//! strategy and another linker script than in a debug build have made faults that no debug build
//! shows. `DEP_PREFLIGHT_PROGRAM` points the suites at another program:
//!
//! - not set: the file of `dist/` for this machine;
//! - `x86_64`, `aarch64`: the file of `dist/` for that architecture;
//! - `debug`: the program that cargo builds with the tests, for a quick loop;
//! - a path, as seen from the folder of Cargo.toml: any other file.
//!
//! A file of `dist/` that was built from other sources than the tests is refused. A program for
//! another architecture is run by qemu.

use std::env;
use std::ffi::OsStr;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// The environment variable that chooses the program.
const CHOICE: &str = "DEP_PREFLIGHT_PROGRAM";

/// The sources that these tests, and the debug program, are built from.
pub(crate) const SOURCES: &str = env!("DEP_PREFLIGHT_SOURCE_DIGEST");

/// The architectures that `dist/` has programs for, with their numbers in an ELF file.
const ARCHITECTURES: [(&str, u16); 2] = [("x86_64", 62), ("aarch64", 183)];

/// What to do about a program that is not there.
const ADVICE: &str = "Run scripts/build-dist, or test the program that cargo builds: \
                      DEP_PREFLIGHT_PROGRAM=debug";

/// A program to be tested.
#[derive(Clone, Debug)]
pub(crate) struct Program {
    /// The file, by its full path.
    pub(crate) file: PathBuf,
    /// What it says of its version: its sources, too.
    pub(crate) version: String,
    /// What runs it, where this machine cannot.
    emulator: Option<PathBuf>,
}

/// The program that this suite tests. Whoever asks first has its name printed.
#[track_caller]
pub(crate) fn under_test() -> &'static Program {
    static CHOSEN: OnceLock<Result<Program, String>> = OnceLock::new();
    let chosen = CHOSEN.get_or_init(|| {
        let chosen = choose(env::var_os(CHOICE).as_deref());
        // Past the capture of tests' output: what was tested is said whatever comes of it.
        let said = match &chosen {
            Ok(program) => format!("runs {}: {}", program.shown(), program.version),
            Err(why) => format!("has no program to test: {why}"),
        };
        let suite = concat!("tests/", env!("CARGO_CRATE_NAME"));
        writeln!(io::stderr(), "{suite} {said}").ok();
        chosen
    });
    match chosen {
        Ok(program) => program,
        Err(why) => panic!("no program to test: {why}"),
    }
}

impl Program {
    /// The words that start it: the emulator, where there is one, and the file.
    pub(crate) fn words(&self) -> impl Iterator<Item = &OsStr> {
        let emulator = self.emulator.as_ref().map(|path| path.as_os_str());
        emulator.into_iter().chain([self.file.as_os_str()])
    }

    /// A command that starts it.
    pub(crate) fn command(&self) -> Command {
        let mut words = self.words();
        let mut command = Command::new(words.next().unwrap_or_default());
        command.args(words);
        command
    }

    /// The file, for what an emulator cannot be put in front of: the action, an empty root.
    #[track_caller]
    pub(crate) fn native(&self) -> &Path {
        assert!(
            self.emulator.is_none(),
            "{} is for another architecture; this suite starts it without an emulator",
            self.shown()
        );
        &self.file
    }

    /// Asks it for its version.
    fn ask(&self) -> Result<String, String> {
        let output = self
            .command()
            .arg("--version")
            .stdin(Stdio::null())
            .output()
            .map_err(|why| format!("{} cannot be started: {why}", self.shown()))?;
        let said = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        if output.status.success() {
            Ok(said)
        } else {
            Err(format!(
                "{} --version ended with {}: {said}",
                self.shown(),
                output.status
            ))
        }
    }

    /// The file for people: as seen from the folder of Cargo.toml.
    pub(crate) fn shown(&self) -> String {
        let file = self.file.strip_prefix(ROOT).unwrap_or(&self.file);
        let emulator = self.emulator.as_ref().map(|path| path.display());
        emulator.map_or_else(
            || file.display().to_string(),
            |emulator| format!("{emulator} {}", file.display()),
        )
    }
}

/// The program that the variable asks for.
fn choose(choice: Option<&OsStr>) -> Result<Program, String> {
    let choice = choice.unwrap_or_default();
    let word = choice.to_str().unwrap_or_default();
    if word == "debug" {
        return of_file(Path::new(env!("CARGO_BIN_EXE_dep-preflight")));
    }
    let known = ARCHITECTURES.iter().any(|(name, _)| *name == word);
    if choice.is_empty() || known {
        return shipped(if known { word } else { env::consts::ARCH });
    }
    if choice.as_encoded_bytes().contains(&b'/') {
        return of_file(&Path::new(ROOT).join(choice));
    }
    Err(format!(
        "{CHOICE}={word} is neither x86_64, aarch64, debug nor a path with a /"
    ))
}

/// The file of `dist/` for an architecture, if it is from the sources of these tests.
fn shipped(architecture: &str) -> Result<Program, String> {
    let name = format!("dist/dep-preflight-linux-{architecture}");
    let file = Path::new(ROOT).join(&name);
    let bytes = fs::read(&file).map_err(|why| format!("{name}: {why}. {ADVICE}"))?;
    let current = bytes
        .windows(SOURCES.len())
        .any(|part| part == SOURCES.as_bytes());
    if current {
        of_file(&file)
    } else {
        Err(format!(
            "{name} was built from other sources than these tests ({SOURCES}). {ADVICE}"
        ))
    }
}

/// A program, with an emulator if it is for another architecture than this machine's.
fn of_file(file: &Path) -> Result<Program, String> {
    let head = fs::read(file).map_err(|why| format!("{}: {why}", file.display()))?;
    let number = head
        .get(18..20)
        .filter(|_| head.starts_with(b"\x7fELF"))
        .and_then(|bytes| bytes.try_into().ok())
        .map(u16::from_le_bytes);
    let foreign = ARCHITECTURES
        .iter()
        .find(|(name, known)| Some(*known) == number && *name != env::consts::ARCH);
    let emulator = match foreign {
        Some((name, _)) => Some(find(&format!("qemu-{name}"))?),
        None => None,
    };
    let mut program = Program {
        file: file.to_owned(),
        version: String::new(),
        emulator,
    };
    program.version = program.ask()?;
    Ok(program)
}

/// Where servers are that are no commands for everybody.
const FOR_ADMINISTRATORS: [&str; 2] = ["/usr/sbin", "/usr/local/sbin"];

/// Where commands are looked for: PATH, and the administrators' directories.
pub(crate) fn path() -> String {
    let given = env::var("PATH").unwrap_or_default();
    [&[given.as_str()], FOR_ADMINISTRATORS.as_slice()]
        .concat()
        .join(":")
}

/// A command of this machine, by its full path: the suites start it without a PATH.
pub(crate) fn find(name: &str) -> Result<PathBuf, String> {
    env::split_paths(&path())
        .map(|folder| folder.join(name))
        .find(|file| file.is_file())
        .ok_or_else(|| format!("there is no `{name}` on this machine; scripts/test installs it"))
}
