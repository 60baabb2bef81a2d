//! The command and the examples, as the tests use them.

#[cfg(feature = "cli")]
pub(crate) use self::command::{buildout, buildout_in, err, out};

use std::fs;
use std::path::{Path, PathBuf};

/// The folder of the project.
pub(crate) const PROJECT: &str = env!("CARGO_MANIFEST_DIR");

/// The scenarios of `examples/`, in the order of their names.
pub(crate) fn examples() -> Vec<PathBuf> {
    let entries = fs::read_dir(Path::new(PROJECT).join("examples")).expect("the folder is there");
    let mut files: Vec<PathBuf> = entries
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "toml"))
        .collect();
    files.sort_unstable();
    files
}

#[cfg(feature = "cli")]
mod command {
    use std::path::Path;
    use std::process::{Command, Output, Stdio};

    /// What the command says in the folder of the project.
    pub(crate) fn buildout(arguments: &[&str]) -> Output {
        buildout_in(Path::new(super::PROJECT), arguments)
    }

    /// What the command says in a folder, with nothing to read from its standard input.
    pub(crate) fn buildout_in(folder: &Path, arguments: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_buildout"))
            .args(arguments)
            .current_dir(folder)
            .stdin(Stdio::null())
            .output()
            .expect("the command was built with the tests")
    }

    /// What it printed.
    pub(crate) fn out(output: &Output) -> String {
        String::from_utf8(output.stdout.clone()).expect("UTF-8")
    }

    /// What it warned of and why it failed.
    pub(crate) fn err(output: &Output) -> String {
        String::from_utf8(output.stderr.clone()).expect("UTF-8")
    }
}
