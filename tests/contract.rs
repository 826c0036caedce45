//! What users rely on, said in several places, is the same in all of them: `action.yml`, the
//! README, the published JSON Schema, the reusable workflows, `dist/`, and the code.
//!
//! Nothing here runs the program.

#[path = "contract/examples.rs"]
mod examples;
#[path = "contract/protocols.rs"]
mod protocols;

use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use dep_preflight::facade::outputs::OUTPUTS;
use dep_preflight::facade::{Cause, InputOption, OPTIONS, RunResult, variable};
use serde_json::{Value, json};

type Outcome = Result<(), Box<dyn Error>>;
type Pairs = BTreeMap<String, String>;

/// The binaries that the action ships, each beside `run.sh` in `dist/`.
const BINARIES: [&str; 2] = ["dep-preflight-linux-x86_64", "dep-preflight-linux-aarch64"];

/// The most that a shipped binary may weigh, in bytes: 4.0 MB.
const HEAVIEST: u64 = 4_000_000;

#[test]
fn inputs_have_one_name_and_one_default_everywhere() -> Outcome {
    let code: Pairs = inputs()
        .map(|input| (input.name.to_owned(), input.default.to_owned()))
        .collect();
    assert_eq!(code.len(), inputs().count(), "an input is listed twice");
    assert_eq!(action_inputs()?, code, "action.yml against the code");
    assert_eq!(
        first_two_columns(&readme()?, "Inputs")?,
        code,
        "README against the code"
    );
    Ok(())
}

/// The options of a target are listed twice in words.
#[test]
fn the_documents_list_the_options_of_a_target() -> Outcome {
    let code: Vec<_> = OPTIONS
        .iter()
        .filter(|option| option.places.target)
        .map(|option| option.name.to_owned())
        .collect();
    let action = action()?;
    let description = string(&action, "/inputs/targets/description")?;
    assert_eq!(code_words(description), code, "action.yml against the code");
    let readme = readme()?;
    let (_, start) = readme
        .split_once("Options of one target, in YAML: ")
        .ok_or("no list of a target's options")?;
    let list = start.split("An option of").next().unwrap_or_default();
    assert_eq!(code_words(list), code, "README against the code");
    Ok(())
}

#[test]
fn only_the_token_has_a_default_in_the_action() -> Outcome {
    // A `default:` would reach the program like a value that was given, and hide the one in
    // the config file.
    let action = action()?;
    let with_default: Vec<_> = object(&action, "/inputs")?
        .iter()
        .filter(|(_, input)| input.get("default").is_some())
        .map(|(name, _)| name.as_str())
        .collect();
    assert_eq!(with_default, ["token"]);
    Ok(())
}

#[test]
fn the_action_hands_every_input_to_one_portable_step() -> Outcome {
    let action = action()?;
    assert_eq!(string(&action, "/runs/using")?, "composite");
    let steps = action
        .pointer("/runs/steps")
        .and_then(Value::as_array)
        .ok_or("no steps")?;
    // More than one, and some runners let the last one's outputs override the mapped ones.
    assert_eq!(steps.len(), 1);
    assert_eq!(string(&action, "/runs/steps/0/id")?, "preflight");
    assert_eq!(string(&action, "/runs/steps/0/shell")?, "sh");
    assert_eq!(
        string(&action, "/runs/steps/0/run")?,
        r#"exec sh "$GITHUB_ACTION_PATH/dist/run.sh""#
    );

    let env: Pairs = object(&action, "/runs/steps/0/env")?
        .iter()
        .map(|(name, value)| (name.clone(), value.as_str().unwrap_or_default().to_owned()))
        .collect();
    let complete: Pairs = inputs()
        .map(|input| {
            let value = format!("${{{{ inputs.{} }}}}", input.name);
            (variable(input.name), value)
        })
        .collect();
    assert_eq!(env, complete);
    Ok(())
}

#[test]
fn outputs_have_the_same_names_everywhere() -> Outcome {
    let code: Pairs = OUTPUTS
        .iter()
        .map(|(name, _)| {
            let value = format!("${{{{ steps.preflight.outputs.{name} }}}}");
            ((*name).to_owned(), value)
        })
        .collect();
    let action = action()?;
    let declared = object(&action, "/outputs")?;
    let mapped: Pairs = declared
        .iter()
        .map(|(name, output)| {
            let value = output.get("value").and_then(Value::as_str);
            (name.clone(), value.unwrap_or_default().to_owned())
        })
        .collect();
    assert_eq!(mapped, code, "action.yml against the code");
    for (name, output) in declared {
        assert!(
            output.get("description").is_some(),
            "{name} has no description"
        );
    }

    let shown: Vec<_> = first_two_columns(&readme()?, "Outputs")?
        .into_keys()
        .collect();
    let names: Vec<_> = code.into_keys().collect();
    assert_eq!(shown, names, "README against the code");
    Ok(())
}

#[test]
fn the_readme_lists_every_result_with_its_exit_code() -> Outcome {
    let shown: Vec<Vec<String>> = table(&readme()?, "Exit codes")?
        .into_iter()
        .map(|row| row.into_iter().take(3).collect())
        .collect();
    let code: Vec<Vec<String>> = RunResult::ALL
        .iter()
        .map(|result| {
            vec![
                result.as_str().to_owned(),
                result.code().to_string(),
                result.commit_state().unwrap_or("none").to_owned(),
            ]
        })
        .collect();
    assert_eq!(shown, code);
    Ok(())
}

#[test]
fn the_readme_explains_every_cause() -> Outcome {
    let readme = readme()?;
    let rows = table(&readme, "What a red step means")?;
    let shown: Vec<_> = rows.iter().filter_map(|row| row.first()).cloned().collect();
    assert_eq!(shown, causes());
    for row in rows {
        assert!(
            row.iter().skip(1).all(|cell| !cell.is_empty()),
            "an empty cell beside {:?}",
            row.first()
        );
    }
    Ok(())
}

#[test]
fn the_schema_knows_the_codes_words() -> Outcome {
    let schema = schema()?;
    let results: Vec<_> = RunResult::ALL
        .iter()
        .map(|result| result.as_str())
        .collect();
    assert_eq!(at(&schema, "/$defs/result/enum")?, &json!(results));
    assert_eq!(at(&schema, "/$defs/cause/enum")?, &json!(causes()));

    // After a signal the exit code is the shell's: 128 and the signal's number.
    let mut codes: Vec<u8> = RunResult::ALL.iter().map(|result| result.code()).collect();
    codes.extend([130, 143]);
    assert_eq!(at(&schema, "/$defs/exit_code/enum")?, &json!(codes));
    Ok(())
}

#[test]
fn the_readmes_report_fits_the_schema_and_the_schema_is_strict() -> Outcome {
    let validator = jsonschema::validator_for(&schema()?)?;
    let report: Value = serde_json::from_str(&fenced(&readme()?, "The JSON report", "json")?)?;
    let problems: Vec<_> = validator
        .iter_errors(&report)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    assert_eq!(problems, Vec::<String>::new());

    for (place, wrong) in [
        ("", json!({"extra": 1})),
        ("/targets/0", json!({"extra": 1})),
        ("/targets/0", json!({"cause": "asleep"})),
        ("/targets/0", json!({"protocol": "gopher"})),
        ("/targets/0", json!({"code": 401})),
        ("/targets/0", json!({"verdict": "up"})),
        ("/targets/0", json!({"verdict": "unknown"})),
        ("/targets/0/attempts/0", json!({"extra": 1})),
        ("", json!({"result": "fine"})),
        ("", json!({"exit_code": 75})),
    ] {
        let mut bad = report.clone();
        let target = bad
            .pointer_mut(place)
            .and_then(Value::as_object_mut)
            .ok_or("no such place in the example")?;
        target.extend(wrong.as_object().cloned().unwrap_or_default());
        assert!(!validator.is_valid(&bad), "accepted at {place:?}: {wrong}");
    }
    Ok(())
}

#[test]
fn the_reusable_workflows_use_inputs_that_exist() -> Outcome {
    for file in [
        ".github/workflows/preflight.yml",
        ".gitea/workflows/preflight.yml",
    ] {
        let workflow: Value = serde_saphyr::from_str(&read(file)?)?;
        let steps = workflow
            .pointer("/jobs/preflight/steps")
            .and_then(Value::as_array)
            .ok_or("no steps")?;
        let step = steps
            .iter()
            .find(|step| step.get("id") == Some(&json!("preflight")))
            .ok_or("no step with the id preflight")?;
        let taken = object(&workflow, "/on/workflow_call/inputs")?;
        for (name, value) in object(step, "/with")? {
            let input = inputs()
                .find(|input| input.name == name)
                .ok_or_else(|| format!("{file}: the action has no input {name}"))?;
            let declared = taken
                .get(name)
                .ok_or_else(|| format!("{file}: {name} cannot be given"))?;
            // There it is always in a job, so what it is outside of one may be left out.
            let stated = stated_default(string(declared, "/description")?);
            let in_a_job = input.default.split(", ").next();
            assert!(
                stated == input.default || Some(stated.as_str()) == in_a_job,
                "{file}: the default of {name} is {:?}, not {stated:?}",
                input.default
            );
            assert_eq!(value, &json!(format!("${{{{ inputs.{name} }}}}")), "{file}");
        }
        for name in object(&workflow, "/on/workflow_call/outputs")?.keys() {
            assert!(
                OUTPUTS.iter().any(|(output, _)| output == name),
                "{file}: the action has no output {name}"
            );
        }
    }
    Ok(())
}

#[test]
fn dist_holds_what_its_checksums_say() -> Outcome {
    let sums = read("dist/SHA256SUMS")?;
    let listed: Vec<_> = sums
        .lines()
        .filter_map(|line| line.split_whitespace().nth(1))
        .map(|name| name.trim_start_matches('*'))
        .collect();
    for name in BINARIES {
        assert!(listed.contains(&name), "{name} is not in SHA256SUMS");
        let size = fs::metadata(path("dist").join(name))?.len();
        assert!(size <= HEAVIEST, "{name} has {size} bytes");
    }
    for entry in fs::read_dir(path("dist"))? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        assert!(
            !name.starts_with("dep-preflight-") || listed.contains(&name.as_str()),
            "{name} is not in SHA256SUMS"
        );
    }
    let check = Command::new("sha256sum")
        .args(["--check", "--strict", "--quiet", "SHA256SUMS"])
        .current_dir(path("dist"))
        .output()?;
    assert!(
        check.status.success(),
        "{}{}",
        String::from_utf8_lossy(&check.stdout),
        String::from_utf8_lossy(&check.stderr)
    );
    Ok(())
}

#[cfg(unix)]
#[test]
fn dist_can_be_run() -> Outcome {
    use std::os::unix::fs::PermissionsExt;

    for name in BINARIES.iter().chain(&["run.sh"]) {
        let mode = fs::metadata(path("dist").join(name))
            .map_err(|error| format!("dist/{name}: {error}"))?
            .permissions()
            .mode();
        assert_eq!(mode & 0o111, 0o111, "dist/{name} has no run bit");
    }
    Ok(())
}

/// The inputs of the action.
fn inputs() -> impl Iterator<Item = &'static InputOption> {
    OPTIONS.iter().filter(|option| option.places.input)
}

/// Every cause, as the code orders them.
fn causes() -> Vec<&'static str> {
    Cause::ALL.iter().map(|cause| cause.as_str()).collect()
}

/// The inputs that `action.yml` declares, with the default that each states: the `default:`
/// key if it has one, else the last sentence of its description, `Default: ….`
fn action_inputs() -> Result<Pairs, Box<dyn Error>> {
    let action = action()?;
    let mut inputs = Pairs::new();
    for (name, input) in object(&action, "/inputs")? {
        let description = string(input, "/description")?;
        let stated = match input.get("default").and_then(Value::as_str) {
            Some(default) => default.to_owned(),
            None => stated_default(description),
        };
        inputs.insert(name.clone(), stated);
    }
    Ok(inputs)
}

/// The default that the last sentence of a description states.
fn stated_default(description: &str) -> String {
    description
        .trim()
        .rsplit_once("Default: ")
        .map(|(_, default)| plain(default.trim_end_matches('.')))
        .unwrap_or_default()
}

/// What stands between code marks, but not in parentheses.
fn code_words(text: &str) -> Vec<String> {
    let outside: String = text
        .split('(')
        .enumerate()
        .map(|(index, part)| match part.split_once(')') {
            Some((_, rest)) if index > 0 => rest,
            _ => part,
        })
        .collect();
    let words = outside.split('`').skip(1).step_by(2);
    words.map(str::to_owned).collect()
}

/// The first two cells of each row of the table under a heading of the README.
fn first_two_columns(readme: &str, heading: &str) -> Result<Pairs, Box<dyn Error>> {
    let rows = table(readme, heading)?;
    let count = rows.len();
    let pairs: Pairs = rows
        .into_iter()
        .filter_map(|row| {
            let mut cells = row.into_iter();
            Some((cells.next()?, cells.next()?))
        })
        .collect();
    if pairs.len() == count {
        Ok(pairs)
    } else {
        Err(format!("a row of \"{heading}\" is short, or there twice").into())
    }
}

/// The rows of the first table under a heading, without its head, without code marks.
fn table(markdown: &str, heading: &str) -> Result<Vec<Vec<String>>, Box<dyn Error>> {
    let rows: Vec<Vec<String>> = section(markdown, heading)?
        .skip_while(|line| !line.starts_with('|'))
        .take_while(|line| line.starts_with('|'))
        .skip(2)
        .map(|line| line.trim_matches('|').split('|').map(plain).collect())
        .collect();
    if rows.is_empty() {
        return Err(format!("no table under \"{heading}\"").into());
    }
    Ok(rows)
}

/// The first fenced block of a language under a heading.
fn fenced(markdown: &str, heading: &str, language: &str) -> Result<String, Box<dyn Error>> {
    let fence = format!("```{language}");
    let block: Vec<_> = section(markdown, heading)?
        .skip_while(|line| *line != fence)
        .skip(1)
        .take_while(|line| *line != "```")
        .collect();
    Ok(block.join("\n"))
}

/// The lines after a heading.
fn section<'a>(
    markdown: &'a str,
    heading: &str,
) -> Result<impl Iterator<Item = &'a str>, Box<dyn Error>> {
    let mut lines = markdown.lines();
    let found =
        lines.any(|line| line.starts_with('#') && line.trim_start_matches('#').trim() == heading);
    if found {
        Ok(lines)
    } else {
        Err(format!("no heading \"{heading}\"").into())
    }
}

/// A cell's text without code marks.
fn plain(cell: &str) -> String {
    cell.trim().replace('`', "")
}

fn action() -> Result<Value, Box<dyn Error>> {
    Ok(serde_saphyr::from_str(&read("action.yml")?)?)
}

fn schema() -> Result<Value, Box<dyn Error>> {
    Ok(serde_json::from_str(&read("report.schema.json")?)?)
}

fn readme() -> Result<String, Box<dyn Error>> {
    read("README.md")
}

fn read(name: &str) -> Result<String, Box<dyn Error>> {
    fs::read_to_string(path(name)).map_err(|error| format!("{name}: {error}").into())
}

fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

fn at<'a>(value: &'a Value, pointer: &str) -> Result<&'a Value, Box<dyn Error>> {
    value
        .pointer(pointer)
        .ok_or_else(|| format!("nothing at {pointer}").into())
}

fn string<'a>(value: &'a Value, pointer: &str) -> Result<&'a str, Box<dyn Error>> {
    at(value, pointer)?
        .as_str()
        .ok_or_else(|| format!("no text at {pointer}").into())
}

fn object<'a>(
    value: &'a Value,
    pointer: &str,
) -> Result<&'a serde_json::Map<String, Value>, Box<dyn Error>> {
    at(value, pointer)?
        .as_object()
        .ok_or_else(|| format!("no mapping at {pointer}").into())
}
