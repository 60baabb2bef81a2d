//! `buildout schema`, `completions` and `man`: what editors, shells and readers of manuals need.

use std::path::PathBuf;

use buildout::Scenario;
use buildout::report::{OutputFile, OutputFolder};
use clap::{Args, CommandFactory};
use clap_complete::Shell;

use crate::failure::{Failure, print, say};
use crate::{Arguments, EXIT_STATUS};

#[derive(Args)]
#[command(after_help = format!("\
Examples:
  buildout schema > scenario.schema.json
With this first line in a scenario file an editor with a TOML server (Taplo) completes and checks it:
  #:schema ./scenario.schema.json
  buildout schema --reference | less       all keys, inputs and metrics

{EXIT_STATUS}"))]
pub(crate) struct Schema {
    /// Prints the reference of all keys, inputs and metrics instead, in Markdown
    #[arg(long)]
    reference: bool,
}

pub(crate) fn schema(arguments: &Schema) -> Result<(), Failure> {
    if arguments.reference {
        return print(Scenario::reference().as_bytes());
    }
    let mut text = serde_json::to_vec_pretty(&Scenario::json_schema())?;
    text.push(b'\n');
    print(&text)
}

#[derive(Args)]
#[command(after_help = format!("\
Examples:
  buildout completions bash > ~/.local/share/bash-completion/completions/buildout
  buildout completions fish > ~/.config/fish/completions/buildout.fish
  buildout completions zsh  > ~/.zfunc/_buildout

{EXIT_STATUS}"))]
pub(crate) struct Completions {
    /// The shell
    shell: Shell,
}

pub(crate) fn completions(arguments: &Completions) -> Result<(), Failure> {
    let mut text = Vec::new();
    clap_complete::generate(
        arguments.shell,
        &mut Arguments::command(),
        "buildout",
        &mut text,
    );
    print(&text)
}

#[derive(Args)]
#[command(after_help = format!("\
Examples:
  buildout man | man -l -
  buildout man --out ~/.local/share/man/man1   a page for each subcommand, too

{EXIT_STATUS}"))]
pub(crate) struct Man {
    /// Write buildout.1 and a page for each subcommand into this folder, replacing those there
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

pub(crate) fn man(arguments: &Man) -> Result<(), Failure> {
    let mut command = Arguments::command();
    command.build();
    let page = |command: clap::Command| -> Result<Vec<u8>, Failure> {
        let mut text = Vec::new();
        clap_mangen::Man::new(command)
            .render(&mut text)
            .map_err(Failure::Print)?;
        Ok(text)
    };
    let Some(out) = &arguments.out else {
        return print(&page(command)?);
    };
    let mut files = Vec::new();
    for sub in command
        .get_subcommands()
        .filter(|sub| sub.get_name() != "help")
    {
        let name = format!("buildout-{}", sub.get_name());
        let sub = sub.clone().name(name.clone());
        files.push(OutputFile::new(format!("{name}.1"), page(sub)?));
    }
    files.push(OutputFile::new("buildout.1".to_owned(), page(command)?));
    for path in OutputFolder::new(out).overwrite(true).write(&files)? {
        say(&format!("wrote {}", path.display()));
    }
    Ok(())
}
