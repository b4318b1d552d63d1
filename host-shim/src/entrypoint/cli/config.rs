//! `whiskjack config`: the schema of a configuration, an example to begin with, and a configuration of the forwarder of 2017 in today's
//! keys.

mod example;
mod migrate;
mod yaml;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand};

use super::ending::{ended, misused, print};
use super::packed::{SCHEMA, unpacked};
use crate::said;

/// Write a configuration to begin with, its schema, or an old one in today's keys
#[derive(Args, Debug, PartialEq, Eq)]
#[command(after_help = "\
Examples:
  whiskjack config example > whiskjack.yaml
  whiskjack config schema > whiskjack.schema.json
  whiskjack config migrate --config config.json > whiskjack.yaml")]
pub struct ConfigOptions {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, PartialEq, Eq, Subcommand)]
enum What {
    /// Write the JSON Schema, for editors
    #[command(after_help = "\
Examples:
  whiskjack config schema > whiskjack.schema.json")]
    Schema,
    /// Write a configuration with every key, its default and its meaning; all but the necessary ones are comments
    #[command(after_help = "\
Examples:
  whiskjack config example > whiskjack.yaml")]
    Example,
    Migrate(MigrateOptions),
}

/// Write to stdout what the configuration of a forwarder of 2017 is in today's keys: YAML with comments
///
/// The old file stays as it is. What cannot be taken over is left out, with a comment that says why and what to do. In the place of a private
/// key and its passphrase stand variables of the environment, which a run fills in: LOGSTASH_KEY and LOGSTASH_PASSPHRASE.
#[derive(Args, Debug, PartialEq, Eq)]
#[command(after_help = "\
Exit status: 0 all was taken over; 1 something was left out, which stderr names; 2 it cannot be read.

Examples:
  whiskjack config migrate --config config.json > whiskjack.yaml")]
struct MigrateOptions {
    /// The file of the old configuration, JSON or YAML
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
}

impl ConfigOptions {
    /// Writes it.
    pub(super) fn go(&self) -> ExitCode {
        match &self.what {
            What::Schema => ended(print(&unpacked(SCHEMA))),
            What::Example => ended(print(&example::text())),
            What::Migrate(options) => match options.read() {
                Ok(params) => ended(migrated(params)),
                Err(message) => misused(&message),
            },
        }
    }
}

impl MigrateOptions {
    fn read(&self) -> Result<serde_json::Map<String, serde_json::Value>, String> {
        let name = format!("--config {}", self.config.display());
        let bytes = crate::os_error::read(&name, &self.config)?;
        Ok(whiskjack_config_file::read(&name, &bytes, &crate::entrypoint::environment)?.params)
    }
}

fn migrated(params: serde_json::Map<String, serde_json::Value>) -> anyhow::Result<u8> {
    let migration = migrate::migrated(params)?;
    print(&migration.text)?;
    migration.left_out.iter().for_each(said::to_stderr);
    Ok(u8::from(!migration.left_out.is_empty()))
}
