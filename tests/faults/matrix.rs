use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};
use std::{env, fs};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::kit::program;
use crate::lab::Lab;
use crate::row::Row;

/// The environment variable that names the row to be played.
pub(crate) const ROLE: &str = "FAULTS_ROW";
/// Where the process that plays a row leaves what came of it.
const RESULT: &str = "FAULTS_RESULT";
/// Rows under way at once: they mostly wait.
const AT_ONCE: usize = 8;
/// No row may take longer.
const PATIENCE: Duration = Duration::from_secs(100);

fn rows() -> Vec<Row> {
    let mut rows = Vec::new();
    rows.extend(crate::unknown::rows());
    rows.extend(crate::evidence::rows());
    rows.extend(crate::causes::rows());
    rows.extend(crate::names::rows());
    rows.extend(crate::srv::rows());
    rows.extend(crate::redirects::rows());
    rows.extend(crate::files::rows());
    rows.extend(crate::addresses::rows());
    rows.extend(crate::proxies::rows());
    rows.extend(crate::dial::rows());
    rows.extend(crate::encrypted::rows());
    rows.extend(crate::limits::rows());
    rows.extend(crate::deadline_probing::rows());
    rows.extend(crate::deadline_publishing::rows());
    rows.extend(crate::attempts::rows());
    rows.extend(crate::commit_status::rows());
    rows
}

/// Plays all rows and prints the table.
pub(crate) fn run() {
    // Without one, no row need be played.
    let program = program::under_test();
    let flags = namespaces();
    let wanted = env::var("FAULTS").unwrap_or_default();
    let rows: Vec<_> = rows()
        .into_iter()
        .filter(|row| row.name.contains(&wanted))
        .collect();
    let mut order: Vec<_> = (0..rows.len()).collect();
    order.sort_by_key(|index| std::cmp::Reverse(rows[*index].most()));
    let (turn, done) = (
        AtomicUsize::new(0),
        Mutex::new(vec![Value::Null; rows.len()]),
    );
    let started = Instant::now();
    thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let Some(index) = order.get(turn.fetch_add(1, Ordering::SeqCst)) {
                    let result = start(&rows[*index], flags);
                    done.lock().unwrap()[*index] = result;
                }
            });
        }
    });
    let done = done.into_inner().unwrap();
    println!("\n{}\n\n{}", program.shown(), table(&rows, &done));
    println!(
        "{} rows in {:.1} s",
        rows.len(),
        started.elapsed().as_secs_f64()
    );
    let failed: Vec<_> = rows.iter().zip(&done).filter(|row| is_bad(row.1)).collect();
    for (row, result) in &failed {
        println!("\n--- {}", row.name);
        for wrong in result["wrong"].as_array().into_iter().flatten() {
            println!("  wrong: {}", wrong.as_str().unwrap_or_default());
        }
        println!("{}", result["log"].as_str().unwrap_or_default());
    }
    let names: Vec<_> = failed.iter().map(|(row, _)| row.name).collect();
    assert!(names.is_empty(), "these rows failed: {names:#?}");
}

/// How namespaces are made here: as root, or in a user namespace.
fn namespaces() -> &'static [&'static str] {
    let flags: &[&str] = if rustix::process::getuid().is_root() {
        &["-n", "-m"]
    } else {
        &["-r", "-n", "-m"]
    };
    let try_all = "mount -t tmpfs tmpfs /mnt && ip link add v0 type veth peer name v1 && nft add table inet t && nsenter --version";
    let tried = Command::new("unshare")
        .args(flags)
        .args(["sh", "-ec", try_all])
        .output();
    let why = match tried {
        Ok(tried) if tried.status.success() => return flags,
        Ok(tried) => String::from_utf8_lossy(&tried.stderr).into_owned(),
        Err(error) => format!("unshare: {error}"),
    };
    panic!(
        "the fault matrix cannot be played: network namespaces cannot be made here. It needs \
         root, or user namespaces, and the programs unshare, nsenter (util-linux), ip \
         (iproute2) and nft (nftables). What was said: {}",
        why.trim()
    );
}

/// Has a row played by a process of its own.
fn start(row: &Row, flags: &[&str]) -> Value {
    let home = TempDir::new().unwrap();
    let (result, log) = (home.path().join("result"), home.path().join("log"));
    let mut child = Command::new("unshare")
        .args(flags)
        .arg(env::current_exe().unwrap())
        .args(["matrix", "--exact", "--nocapture"])
        .env(ROLE, row.name)
        .env(RESULT, &result)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(fs::File::create(&log).unwrap())
        .spawn()
        .unwrap();
    let begun = Instant::now();
    while child.try_wait().unwrap().is_none() {
        if begun.elapsed() > PATIENCE {
            child.kill().unwrap();
        }
        thread::sleep(Duration::from_millis(5));
    }
    let said = fs::read_to_string(result).unwrap_or_default();
    serde_json::from_str(&said).unwrap_or_else(|_| {
        let log = fs::read_to_string(log).unwrap_or_default();
        json!({"wrong": ["it did not come to its end"], "log": log})
    })
}

/// Plays one row, in the world's namespace.
pub(crate) fn play(name: &str) {
    let row = rows().into_iter().find(|row| row.name == name).unwrap();
    let lab = Lab::new();
    let run = (row.play)(&lab);
    let result = row.judge(&run, &lab.seen());
    fs::write(env::var(RESULT).unwrap(), result.to_string()).unwrap();
}

fn is_bad(result: &Value) -> bool {
    result["wrong"]
        .as_array()
        .is_none_or(|wrong| !wrong.is_empty())
}

fn table(rows: &[Row], done: &[Value]) -> String {
    let head = [
        "case",
        "verdict",
        "cause",
        "exit",
        "ms",
        "connections/requests",
        "",
    ];
    let mut lines = vec![head.map(str::to_owned)];
    for (row, result) in rows.iter().zip(done) {
        let text = |key: &str| match &result[key] {
            Value::String(text) => text.clone(),
            Value::Null => String::new(),
            other => other.to_string(),
        };
        let good = if is_bad(result) { "FAILED" } else { "ok" };
        lines.push([
            row.name.to_owned(),
            text("verdict"),
            text("cause"),
            text("exit"),
            text("millis"),
            text("seen"),
            good.to_owned(),
        ]);
    }
    let width = |column: usize| lines.iter().map(|line| line[column].chars().count()).max();
    let widths: Vec<_> = (0..head.len())
        .map(|column| width(column).unwrap_or(0))
        .collect();
    let mut out = String::new();
    for line in &lines {
        let cells = line
            .iter()
            .zip(&widths)
            .enumerate()
            .map(|(column, (cell, width))| {
                // Numbers to the right.
                if matches!(column, 3 | 4) {
                    format!("{cell:>width$}")
                } else {
                    format!("{cell:<width$}")
                }
            });
        let line = cells.collect::<Vec<_>>().join("  ");
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}
