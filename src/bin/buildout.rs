//! The `buildout` command.
fn main() {}
