//! The vocabulary of the public interface, from the files that publish it.

use std::sync::LazyLock;

use jsonschema::Validator;
use serde_json::Value;

use crate::kit::action_yml;

const ACTION: &str = include_str!("../../action.yml");
const SCHEMA: &str = include_str!("../../report.schema.json");

/// The inputs that name targets, and the token: these cannot stand in every place.
const OF_THE_STEP_ALONE: [&str; 5] = ["url", "name", "targets", "config", "token"];

/// Every input.
pub(crate) fn inputs() -> Vec<&'static str> {
    action_yml::names(ACTION, "inputs")
}

/// The options that may stand in every place: environment, config file, command line.
pub(crate) fn options() -> Vec<&'static str> {
    let mut options = inputs();
    options.retain(|input| !OF_THE_STEP_ALONE.contains(input));
    options
}

/// Every output.
pub(crate) fn outputs() -> Vec<&'static str> {
    action_yml::names(ACTION, "outputs")
}

/// Every cause that a report may give.
pub(crate) fn causes() -> Vec<String> {
    let schema: Value = serde_json::from_str(SCHEMA).unwrap();
    serde_json::from_value(schema["$defs"]["cause"]["enum"].clone()).unwrap()
}

/// What is wrong with a report by its published schema.
pub(crate) fn problems(report: &Value) -> Vec<String> {
    static VALIDATOR: LazyLock<Validator> = LazyLock::new(|| {
        jsonschema::validator_for(&serde_json::from_str(SCHEMA).unwrap()).unwrap()
    });
    let errors = VALIDATOR.iter_errors(report);
    errors
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect()
}
