//! `--open` and `--watch`: a page that one looks at while the scenario changes.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use buildout::Scenario;
use clap::Args;
use notify::{RecursiveMode, Watcher};

use crate::failure::{Failure, say};

/// Showing a page.
#[derive(Args)]
pub(crate) struct Live {
    /// Open the page in a browser
    #[arg(long)]
    open: bool,
    /// Run again whenever a file of the scenario changes, until interrupted; the open page shows it
    #[arg(long)]
    watch: bool,
    /// The page is to look for its successor: a command that watches starts others with it
    #[arg(long, hide = true)]
    refresh: bool,
}

/// Changes that follow one another within this time are one.
const SETTLES: Duration = Duration::from_millis(300);

impl Live {
    /// Whether this command only starts others.
    pub(crate) fn is_watching(&self) -> bool {
        self.watch
    }

    /// Whether a page is to be loaded again and again.
    pub(crate) fn refreshes(&self) -> bool {
        self.refresh
    }

    /// Opens a page, if that was asked for.
    pub(crate) fn show(&self, page: &Path) -> Result<(), Failure> {
        if !self.open {
            return Ok(());
        }
        open::that_detached(page).map_err(|error| {
            Failure::Usage(format!(
                "{} cannot be opened in a browser: {error}",
                page.display()
            ))
        })
    }

    /// Runs this command for each change of the files, without the wish to watch.
    pub(crate) fn watch(files: &[PathBuf]) -> Result<(), Failure> {
        let failed =
            |error: notify::Error| Failure::Usage(format!("files cannot be watched: {error}"));
        let (sender, changes) = channel();
        let mut watcher = notify::recommended_watcher(move |event| {
            // Nobody listens any more when the command ends.
            let _ = sender.send(event);
        })
        .map_err(failed)?;
        let mut folders = BTreeSet::new();
        let mut first = true;
        loop {
            let watched = all_files(files);
            for folder in watched.iter().filter_map(|file| file.parent()) {
                if folders.insert(folder.to_owned()) {
                    watcher
                        .watch(folder, RecursiveMode::NonRecursive)
                        .map_err(failed)?;
                }
            }
            run_once(first)?;
            first = false;
            say("watching the scenario: save it to run again, Ctrl-C to end");
            wait_for(&changes, &watched);
        }
    }
}

/// The scenarios with all files that they extend or read, as far as they can be loaded.
fn all_files(files: &[PathBuf]) -> BTreeSet<PathBuf> {
    let mut all: BTreeSet<PathBuf> = files.iter().cloned().collect();
    for file in files {
        if let Ok(loaded) = Scenario::load(file, &[]) {
            all.extend(loaded.inputs.into_iter().map(|input| input.file));
        }
    }
    (all.iter())
        .filter_map(|file| file.canonicalize().ok())
        .collect()
}

/// This command without `--watch`; later ones overwrite what the first has written and open nothing.
fn run_once(first: bool) -> Result<(), Failure> {
    let mut arguments: Vec<OsString> = std::env::args_os().skip(1).collect();
    arguments.retain(|argument| argument != "--watch" && (first || argument != "--open"));
    arguments.push("--refresh".into());
    if !first && !arguments.iter().any(|argument| argument == "--force") {
        arguments.push("--force".into());
    }
    let failed = |error| Failure::Usage(format!("the command cannot be started again: {error}"));
    let program = std::env::current_exe().map_err(failed)?;
    let status = Command::new(program)
        .args(arguments)
        .status()
        .map_err(failed)?;
    // What is wrong with a scenario is reported, and may be corrected; a command line may not.
    if first && !status.success() && status.code() != Some(2) {
        return Err(Failure::Invalid);
    }
    Ok(())
}

/// Returns when one of the files has changed, and none has for a while. What happens to other files of their folders, such as a
/// page that is read again and again, does not matter.
fn wait_for(changes: &Receiver<notify::Result<notify::Event>>, files: &BTreeSet<PathBuf>) {
    let concerns = |event: &notify::Event| {
        !event.kind.is_access() && event.paths.iter().any(|path| files.contains(path))
    };
    while let Ok(event) = changes.recv() {
        if event.is_ok_and(|event| concerns(&event)) {
            break;
        }
    }
    let mut quiet_from = Instant::now();
    while let Some(left) = SETTLES.checked_sub(quiet_from.elapsed()) {
        match changes.recv_timeout(left) {
            Ok(event) => {
                if event.is_ok_and(|event| concerns(&event)) {
                    quiet_from = Instant::now();
                }
            }
            Err(_) => return,
        }
    }
}
