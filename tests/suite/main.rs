//! The tests of the library and the command from outside, a file for each behaviour, in one binary.

mod command;
mod comparison;
mod documents;
mod drivers;
mod examples;
mod golden;
mod house;
mod import;
mod keys;
mod long_runs;
mod money;
mod page;
mod parquet;
mod power;
mod properties;
mod ranks;
mod reference;
mod schedule;
mod schedule_command;
mod subcommands;
mod update;
mod yardstick;
