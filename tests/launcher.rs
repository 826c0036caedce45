//! `dist/run.sh`: which program it starts, how, and what it does where there is none.
//!
//! A copy of it runs beside programs that only tell how they were called, under every shell that
//! a forge's runner may have as `sh`. The system, the architecture and cargo are scripts in PATH.
//! One test starts the program that is shipped.

#![cfg(unix)]
#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on fails; the helpers are tests, too"
)]

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

// All that this suite needs of the kit.
#[allow(dead_code, reason = "the suites use different parts of it")]
#[path = "kit/program.rs"]
mod program;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// What `sh` is on Debian and Ubuntu, on Fedora and macOS, in Alpine and bare images.
const SHELLS: [&str; 3] = ["dash", "bash", "busybox"];

/// A static busybox prefers its own uname to the one in PATH, but not to a function.
const BUSYBOX: &str = r#"
uname() { "${PATH%%:*}/uname" "$@"; }
case $0 in */*) . "$0" ;; *) . "./$0" ;; esac
"#;

/// What the launcher may use to copy or to build a program. To start one, it has uname alone.
const TOOLS: [&str; 15] = [
    "chmod",
    "cp",
    "cut",
    "dirname",
    "find",
    "mkdir",
    "mv",
    "rm",
    "sed",
    "sh",
    "sha256sum",
    "sleep",
    "sort",
    "tr",
    "xargs",
];

/// Tells how it was called; its exit code says that it was it.
const PROGRAM: &str = r#"#!/bin/sh
echo "program $0"
echo "pid $$"
echo "in $PWD"
echo "url ${PREFLIGHT_URL-}"
for argument; do printf 'argument [%s]\n' "$argument"; done
exit 70
"#;

/// Writes down how it was called, and "builds" the program.
const CARGO: &str = r#"#!/bin/sh
{
  echo "in $PWD"
  echo "arguments $*"
  echo "flags ${RUSTFLAGS-}"
} >>"$LOG"
folder=$CARGO_TARGET_DIR/${CARGO_BUILD_TARGET-}/release
mkdir -p "$folder"
cp "$MADE" "$folder/dep-preflight$SUFFIX"
"#;

/// An action as it is checked out, and a machine to run it on.
struct Checkout {
    directory: TempDir,
    env: BTreeMap<&'static str, String>,
}

/// What a run of the launcher left behind.
struct Run {
    code: Option<i32>,
    stdout: String,
    stderr: String,
    pid: u32,
}

impl Checkout {
    /// A machine that says `system` and `machine`, and has no tool but uname.
    fn new(system: &str, machine: &str) -> Self {
        let checkout = Self {
            directory: TempDir::new().unwrap(),
            env: BTreeMap::new(),
        };
        for folder in [
            "action/dist",
            "action/scripts",
            "action/src",
            "bin",
            "temp",
            "tools",
        ] {
            fs::create_dir_all(checkout.path(folder)).unwrap();
        }
        for file in ["dist/run.sh", "scripts/source-digest"] {
            let text = fs::read(Path::new(ROOT).join(file)).unwrap();
            fs::write(checkout.path("action").join(file), text).unwrap();
        }
        for file in ["build.rs", "Cargo.lock", "Cargo.toml", "src/main.rs"] {
            fs::write(checkout.path("action").join(file), file).unwrap();
        }
        let uname =
            format!("#!/bin/sh\ncase $1 in -s) echo '{system}' ;; -m) echo '{machine}' ;; esac\n");
        checkout.executable("bin/uname", &uname);
        let (bin, temp) = (checkout.text("bin"), checkout.text("temp"));
        checkout.env("PATH", bin).env("RUNNER_TEMP", temp)
    }

    /// The same with what Linux machines have, and the programs that the action ships.
    fn linux(machine: &str) -> Self {
        let checkout = Self::new("Linux", machine);
        for program in ["x86_64", "aarch64"] {
            let file = format!("action/dist/dep-preflight-linux-{program}");
            checkout.executable(&file, PROGRAM);
        }
        checkout
    }

    /// A machine that no program is shipped for, and a cargo that can build one.
    fn with_cargo(system: &str, machine: &str) -> Self {
        let checkout = Self::new(system, machine).with_tools();
        checkout.executable("bin/cargo", CARGO);
        checkout.executable("made", PROGRAM);
        let (log, made) = (checkout.text("cargo.log"), checkout.text("made"));
        let store = checkout.text("store");
        checkout
            .env("LOG", log)
            .env("MADE", made)
            .env("SUFFIX", "")
            .env("RUNNER_TOOL_CACHE", store)
    }

    fn with_tools(self) -> Self {
        for tool in TOOLS {
            let file = find(tool);
            symlink(file, self.path("tools").join(tool)).unwrap();
        }
        let path = format!("{}:{}", self.text("bin"), self.text("tools"));
        self.env("PATH", path)
    }

    fn env(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.env.insert(name, value.into());
        self
    }

    fn without(mut self, name: &str) -> Self {
        self.env.remove(name);
        self
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn text(&self, name: &str) -> String {
        self.path(name).to_str().unwrap().to_owned()
    }

    /// Written by another process: what this one has open for writing, a process that another
    /// test starts at this moment would have open, too, and Linux refuses to run such a file.
    fn executable(&self, name: &str, text: &str) {
        let mut writer = Command::new("sh")
            .args(["-c", r#"cat >"$1" && chmod 755 "$1""#, "sh"])
            .arg(self.path(name))
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        writer
            .stdin
            .take()
            .unwrap()
            .write_all(text.as_bytes())
            .unwrap();
        assert!(writer.wait().unwrap().success());
    }

    /// Runs the launcher as the action does.
    fn run(&self, shell: &str, arguments: &[&str]) -> Run {
        let launcher = self.text("action/dist/run.sh");
        Run::of(self.command(shell, &launcher).args(arguments))
    }

    /// A shell that runs the launcher, named like this.
    fn command(&self, shell: &str, launcher: &str) -> Command {
        let mut command = Command::new(find(shell));
        if shell == "busybox" {
            command.args(["sh", "-c", BUSYBOX]);
        }
        command
            .arg(launcher)
            .env_clear()
            .envs(&self.env)
            .current_dir(self.directory.path());
        command
    }

    fn cargo_log(&self) -> String {
        fs::read_to_string(self.path("cargo.log")).unwrap_or_default()
    }

    /// What lies in a folder of this checkout.
    fn list(&self, name: &str) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.path(name)).unwrap();
        entries.map(|entry| entry.unwrap().path()).collect()
    }
}

impl Run {
    fn of(command: &mut Command) -> Self {
        let child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let pid = child.id();
        let Output {
            status,
            stdout,
            stderr,
        } = child.wait_with_output().unwrap();
        let run = Self {
            code: status.code(),
            stdout: String::from_utf8(stdout).unwrap(),
            stderr: String::from_utf8(stderr).unwrap(),
            pid,
        };
        let commands = run.stdout.lines().chain(run.stderr.lines());
        assert!(
            commands
                .clone()
                .all(|line| !line.trim_start().starts_with("::")),
            "a runner takes this for a command: {run}"
        );
        run
    }

    /// The program was started, in place of the shell.
    fn started(&self) -> PathBuf {
        assert_eq!(self.code, Some(70), "{self}");
        assert_eq!(self.stderr, "", "{self}");
        assert_eq!(self.value("pid"), self.pid.to_string(), "{self}");
        PathBuf::from(self.value("program"))
    }

    /// No program could be had; returns what is said about it.
    fn gave_up(&self) -> &str {
        assert_eq!(self.code, Some(69), "{self}");
        self.stdout
            .lines()
            .last()
            .and_then(|line| line.strip_prefix("dep-preflight: "))
            .unwrap_or_else(|| panic!("no last word: {self}"))
    }

    fn value(&self, name: &str) -> &str {
        let mut lines = self.stdout.lines();
        lines
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(' '))
            .unwrap_or_else(|| panic!("no {name}: {self}"))
    }
}

impl std::fmt::Display for Run {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "exit {:?}\n{}\n{}", self.code, self.stdout, self.stderr)
    }
}

fn find(program: &str) -> PathBuf {
    program::find(program).unwrap_or_else(|why| panic!("{why}"))
}

#[test]
fn the_program_of_this_machine_is_started() {
    for shell in SHELLS {
        for (machine, program) in [
            ("x86_64", "x86_64"),
            ("amd64", "x86_64"),
            ("aarch64", "aarch64"),
            ("arm64", "aarch64"),
        ] {
            let checkout = Checkout::linux(machine);
            let run = checkout.run(shell, &[]);
            let expected = format!("action/dist/dep-preflight-linux-{program}");
            assert_eq!(
                run.started(),
                checkout.path(&expected),
                "{shell:?} {machine}: {run}"
            );
        }
    }
}

#[test]
fn the_shipped_program_is_started() {
    let machine = std::env::consts::ARCH;
    for shell in SHELLS {
        let checkout = Checkout::linux(machine);
        let file = checkout.path(&format!("action/dist/dep-preflight-linux-{machine}"));
        fs::remove_file(&file).unwrap();
        symlink(program::under_test().native(), &file).unwrap();
        let run = checkout.run(shell, &["--version"]);
        assert_eq!(run.code, Some(0), "{run}");
        assert_eq!(run.stdout, program::under_test().version.clone() + "\n");
    }
}

#[test]
fn arguments_environment_and_folder_are_passed_on() {
    for shell in SHELLS {
        let checkout = Checkout::linux("x86_64").env("PREFLIGHT_URL", "http://a b/*?c=$d");
        let run = checkout.run(shell, &["--config", "a b.yml", "", "*", "$HOME\\n", "-x"]);
        run.started();
        assert_eq!(run.value("url"), "http://a b/*?c=$d", "{run}");
        let folder = checkout.directory.path().canonicalize().unwrap();
        assert_eq!(Path::new(run.value("in")), folder, "{run}");
        let arguments: Vec<_> = run
            .stdout
            .lines()
            .filter(|line| line.starts_with("argument"))
            .collect();
        assert_eq!(
            arguments,
            [
                "argument [--config]",
                "argument [a b.yml]",
                "argument []",
                "argument [*]",
                "argument [$HOME\\n]",
                "argument [-x]",
            ]
        );
    }
}

#[test]
fn the_launcher_finds_its_folder_however_it_is_named() {
    for shell in SHELLS {
        let checkout = Checkout::linux("x86_64");
        Run::of(&mut checkout.command(shell, "action/dist/run.sh")).started();
        // With a variable that makes `cd` go elsewhere, from the folder itself.
        let mut command = checkout.command(shell, "run.sh");
        command
            .env("CDPATH", "/")
            .current_dir(checkout.path("action/dist"));
        Run::of(&mut command).started();
    }
}

#[test]
fn a_lost_run_bit_does_not_matter() {
    for shell in SHELLS {
        let checkout = Checkout::linux("aarch64").with_tools();
        for program in checkout.list("action/dist") {
            let status = Command::new("chmod")
                .arg("644")
                .arg(program)
                .status()
                .unwrap();
            assert!(status.success());
        }
        let before = snapshot(&checkout.path("action"));
        // Twice: in a container, the second step's shell may well have the first one's number.
        for _ in 0..2 {
            let run = checkout.run(shell, &["x"]);
            let started = run.started();
            assert!(started.starts_with(checkout.path("temp")), "{run}");
            assert_eq!(run.value("argument"), "[x]");
            let mode = fs::metadata(started.parent().unwrap()).unwrap().mode();
            assert_eq!(
                mode & 0o777,
                0o700,
                "somebody else could change the program"
            );
        }
        assert_eq!(
            snapshot(&checkout.path("action")),
            before,
            "the action was written to"
        );
    }
}

#[test]
fn a_folder_that_others_made_is_not_used() {
    for shell in SHELLS {
        let checkout = Checkout::linux("x86_64").with_tools();
        let program = checkout.path("action/dist/dep-preflight-linux-x86_64");
        Command::new("chmod")
            .arg("644")
            .arg(program)
            .status()
            .unwrap();
        // The launcher's process, before the launcher.
        let script = r#"mkdir -m 777 "$RUNNER_TEMP/dep-preflight.$$.1"; . "${0%/*}/run.sh""#;
        checkout.executable("action/dist/before.sh", script);
        let launcher = checkout.text("action/dist/before.sh");
        let run = Run::of(&mut checkout.command(shell, &launcher));
        let folder = format!("temp/dep-preflight.{}.2/dep-preflight", run.pid);
        assert_eq!(run.started(), checkout.path(&folder), "{run}");
    }
}

#[test]
fn an_action_on_a_mount_that_runs_nothing_does_not_matter() {
    // busybox asks for the run bits only, and not whether the file system honours them.
    for shell in ["dash", "bash"] {
        let checkout = Checkout::linux("x86_64").with_tools();
        let script = r#"mount -t tmpfs -o noexec none mount && cp -r action mount/ &&
            mount -o remount,ro,noexec mount && PATH=$1 && shift && exec "$@""#;
        fs::create_dir(checkout.path("mount")).unwrap();
        let path = &checkout.env["PATH"];
        let mut command = Command::new(find("unshare"));
        command
            // As root, without a user namespace: not every container can make one.
            .args((!rustix::process::geteuid().is_root()).then_some("--map-root-user"))
            .args(["--mount", "sh", "-c", script, "sh", path])
            .arg(find(shell))
            .arg("mount/action/dist/run.sh")
            .env_clear()
            .envs(&checkout.env)
            .env("PATH", std::env::var_os("PATH").unwrap())
            .current_dir(checkout.directory.path());
        let run = Run::of(&mut command);
        assert!(run.started().starts_with(checkout.path("temp")), "{run}");
    }
}

#[test]
fn elsewhere_cargo_builds_the_program_once() {
    for shell in SHELLS {
        for (system, machine) in [
            ("Darwin", "arm64"),
            ("Linux", "armv7l"),
            ("FreeBSD", "amd64"),
        ] {
            let checkout = Checkout::with_cargo(system, machine);
            let before = snapshot(&checkout.path("action"));
            let first = checkout.run(shell, &["a b"]);
            let program = first.started();
            assert!(program.starts_with(checkout.path("store")), "{first}");
            assert_eq!(first.value("argument"), "[a b]");
            let said = first.value("dep-preflight:");
            assert!(
                said.contains(&format!("no ready-made program for {system} {machine}")),
                "{first}"
            );
            let folder = checkout.path("action").canonicalize().unwrap();
            let expected = format!(
                "in {}\narguments build --release --locked --quiet --bin dep-preflight\nflags \n",
                folder.display()
            );
            assert_eq!(checkout.cargo_log(), expected);
            assert!(
                checkout.list("temp").is_empty(),
                "the build was left behind"
            );

            let second = checkout.run(shell, &[]);
            assert_eq!(second.started(), program);
            assert!(!second.stdout.contains("dep-preflight:"), "{second}");
            assert_eq!(checkout.cargo_log(), expected, "built once more");
            assert_eq!(
                snapshot(&checkout.path("action")),
                before,
                "the action was written to"
            );

            // Another version of the action does not get this one's program.
            fs::write(checkout.path("action/src/new.rs"), "").unwrap();
            assert_ne!(checkout.run(shell, &[]).started(), program);
            assert_eq!(checkout.cargo_log(), expected.repeat(2));
        }
    }
}

#[test]
fn a_missing_program_is_built_like_one_for_another_system() {
    let checkout = Checkout::with_cargo("Linux", "x86_64");
    let run = checkout.run("dash", &[]);
    assert!(run.started().starts_with(checkout.path("store")), "{run}");
}

#[test]
fn what_jobs_set_for_their_own_rust_does_not_break_the_build() {
    for shell in SHELLS {
        let checkout = Checkout::with_cargo("Darwin", "arm64")
            .env("RUSTFLAGS", "-D warnings")
            .env("CARGO_BUILD_TARGET", "aarch64-apple-darwin");
        checkout.run(shell, &[]).started();
        assert!(
            checkout
                .cargo_log()
                .contains("flags -D warnings --cap-lints=warn\n")
        );
    }
}

#[test]
fn without_a_place_to_keep_it_the_program_is_built_all_the_same() {
    for shell in SHELLS {
        let checkout = Checkout::with_cargo("Darwin", "arm64").without("RUNNER_TOOL_CACHE");
        let run = checkout.run(shell, &[]);
        let program = run.started();
        assert!(program.starts_with(checkout.path("temp")), "{run}");
        // Without the half gigabyte that cargo left beside it.
        let left: Vec<_> = fs::read_dir(program.parent().unwrap()).unwrap().collect();
        assert_eq!(left.len(), 1);

        // A person's machine keeps it in the usual place.
        let home = checkout.text("home");
        let checkout = checkout.env("HOME", &home);
        assert!(
            checkout
                .run(shell, &[])
                .started()
                .starts_with(format!("{home}/.cache/dep-preflight"))
        );
    }
}

#[test]
fn windows_paths_are_understood() {
    for shell in SHELLS {
        let checkout =
            Checkout::with_cargo("MINGW64_NT-10.0-20348", "x86_64").env("SUFFIX", ".exe");
        // Both names lead to the action: the one that Windows knows, and the one that Git's sh
        // knows better.
        fs::create_dir(checkout.path("D:")).unwrap();
        symlink(checkout.path("action"), checkout.path("D:/v1")).unwrap();
        symlink(checkout.path("action"), checkout.path("D:\\v1")).unwrap();
        let launcher = "D:\\v1/dist/run.sh";
        let run = Run::of(checkout.command(shell, launcher).arg("x"));
        let program = run.started();
        assert_eq!(program.extension().unwrap(), "exe", "{run}");
        assert_eq!(run.value("argument"), "[x]");
        let again = Run::of(&mut checkout.command(shell, launcher));
        assert_eq!(again.started(), program);
        assert_eq!(checkout.cargo_log().matches("arguments").count(), 1);
    }
}

#[test]
fn without_cargo_one_message_says_what_to_do() {
    for shell in SHELLS {
        let checkout = Checkout::new("Darwin", "arm64").with_tools();
        let output = checkout.text("output");
        fs::write(&output, "earlier=1\n").unwrap();
        let checkout = checkout.env("GITHUB_OUTPUT", &output);
        let run = checkout.run(shell, &[]);
        let message = run.gave_up();
        for part in [
            "Darwin arm64",
            "Linux x86_64",
            "Linux aarch64",
            "cargo",
            "rustup.rs",
        ] {
            assert!(message.contains(part), "{part}: {run}");
        }
        assert_eq!(run.stdout.lines().count(), 1, "{run}");
        assert_eq!(run.stderr, "", "{run}");
        assert_eq!(
            fs::read_to_string(&output).unwrap(),
            format!("earlier=1\nresult=error\nexit-code=69\nmessage={message}\n")
        );
        // No tool at all, and no runner: the same words.
        let bare = Checkout::new("Darwin", "arm64");
        assert_eq!(bare.run(shell, &[]).gave_up(), message);
    }
}

#[test]
fn a_failed_build_says_so_after_what_cargo_said() {
    for shell in SHELLS {
        let checkout = Checkout::with_cargo("Linux", "riscv64");
        checkout.executable(
            "bin/cargo",
            "#!/bin/sh\necho 'error: no linker' >&2\nexit 101\n",
        );
        let run = checkout.run(shell, &[]);
        assert!(
            run.gave_up()
                .contains("cargo could not build the program for Linux riscv64"),
            "{run}"
        );
        assert_eq!(run.stderr, "error: no linker\n");
        assert!(
            checkout
                .list("temp")
                .iter()
                .all(|folder| !folder.join("target").exists())
        );
        // Nothing half done is taken for a program later.
        checkout.executable("bin/cargo", CARGO);
        checkout.run(shell, &[]).started();
    }
}

#[test]
fn the_program_and_the_script_agree_on_the_digest_of_the_sources() {
    let script = Path::new(ROOT).join("scripts/source-digest");
    for shell in [&["dash"][..], &["bash"], &["busybox", "sh"]] {
        let mut command = Command::new(find(shell[0]));
        let output = command.args(&shell[1..]).arg(&script).output().unwrap();
        let digest = String::from_utf8(output.stdout).unwrap();
        assert_eq!(digest.trim_end(), env!("DEP_PREFLIGHT_SOURCE_DIGEST"));
    }
}

/// Every file below a folder, its mode, and when it was last changed.
fn snapshot(folder: &Path) -> Vec<(PathBuf, u32, i64, i64)> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let data = fs::symlink_metadata(&path).unwrap();
            found.push((path.clone(), data.mode(), data.ctime(), data.ctime_nsec()));
            if data.is_dir() {
                folders.push(path);
            }
        }
    }
    found.sort();
    found
}

/// A program that dies by this signal, at once.
fn dying(signal: &str) -> String {
    format!("#!/bin/sh\nkill -{signal} $$\n")
}

#[test]
fn a_program_that_cannot_report_its_death_leaves_outputs_all_the_same() {
    for shell in SHELLS {
        for (signal, earlier) in [("ABRT", ""), ("KILL", "a=1\n"), ("ILL", "a=1")] {
            let checkout = Checkout::linux("x86_64");
            checkout.executable("action/dist/dep-preflight-linux-x86_64", &dying(signal));
            let outputs = checkout.path("outputs");
            fs::write(&outputs, earlier).unwrap();
            let checkout = checkout.env("GITHUB_OUTPUT", outputs.to_str().unwrap());
            let run = checkout.run(shell, &[]);
            assert_eq!(run.code, None, "{shell} {signal}: killed, not ended: {run}");
            let written = fs::read_to_string(&outputs).unwrap();
            let lines: Vec<_> = written.lines().collect();
            let own = lines.strip_prefix(&["a=1"][..usize::from(!earlier.is_empty())]);
            let own = own.unwrap_or_else(|| panic!("{shell}: {written}"));
            assert_eq!(
                own[..2],
                ["result=error", "exit-code=1"],
                "{shell}: {written}"
            );
            assert!(
                own[2].starts_with("message=dep-preflight ended before"),
                "{written}"
            );
            assert_eq!(own.len(), 3, "{written}");
        }
    }
}

#[test]
fn a_limit_of_file_size_does_not_keep_the_program_from_starting() {
    for shell in SHELLS {
        let checkout = Checkout::linux("x86_64");
        let outputs = checkout.path("outputs");
        fs::write(&outputs, "").unwrap();
        let checkout = checkout.env("GITHUB_OUTPUT", outputs.to_str().unwrap());
        let launcher = checkout.text("action/dist/run.sh");
        let mut limited = Command::new("/bin/sh");
        limited.args(["-c", "ulimit -f 0; exec \"$@\"", "sh"]);
        let command = checkout.command(shell, &launcher);
        limited.arg(command.get_program()).args(command.get_args());
        limited.env_clear().envs(&checkout.env);
        Run::of(limited.current_dir(checkout.directory.path())).started();
    }
}

#[test]
fn what_the_program_reports_comes_last() {
    for shell in SHELLS {
        let checkout = Checkout::linux("x86_64");
        let program = "#!/bin/sh\necho result=up >>\"$GITHUB_OUTPUT\"\n";
        checkout.executable("action/dist/dep-preflight-linux-x86_64", program);
        let outputs = checkout.path("outputs");
        fs::write(&outputs, "").unwrap();
        let checkout = checkout.env("GITHUB_OUTPUT", outputs.to_str().unwrap());
        checkout.run(shell, &[]);
        let written = fs::read_to_string(&outputs).unwrap();
        assert!(written.ends_with("\nresult=up\n"), "{shell}: {written}");
        // A command of a person's may be one that has no outputs.
        fs::write(&outputs, "").unwrap();
        checkout.run(shell, &["--version"]);
        assert_eq!(
            fs::read_to_string(&outputs).unwrap(),
            "result=up\n",
            "{shell}"
        );
    }
}

#[test]
fn outputs_that_cannot_be_written_do_not_keep_the_program_from_starting() {
    for shell in SHELLS {
        let checkout = Checkout::linux("x86_64");
        for outputs in ["/dev/full", "/nowhere/outputs", "/dev/null"] {
            let checkout = Checkout::linux("x86_64").env("GITHUB_OUTPUT", outputs);
            checkout.run(shell, &[]).started();
        }
        let pipe = checkout.path("pipe");
        assert!(
            Command::new("mkfifo")
                .arg(&pipe)
                .status()
                .unwrap()
                .success()
        );
        let checkout = checkout.env("GITHUB_OUTPUT", pipe.to_str().unwrap());
        checkout.run(shell, &[]).started();
    }
}
