use crate::kit::program;

/// By itself (`cargo test --test action program::`), before a whole suite fails for the want of it.
#[test]
fn there_is_one_to_test() {
    program::under_test();
}
