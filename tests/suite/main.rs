//! The tests of the library and the command from outside, a file for each behaviour, in one binary.

mod command;
mod comparison;
mod coverage;
mod documents;
mod examples;
mod faults;
mod golden;
mod hostile;
mod house;
mod import;
mod independent;
mod long_runs;
mod money;
mod mutated;
mod page;
mod parquet;
mod power;
mod properties;
mod ranks;
mod reference;
mod schedule;
mod schedule_command;
mod subcommands;
mod terms;
mod verification;
mod yardstick;
