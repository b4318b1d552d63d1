//! The command line.

use anyhow::{Context, Result, bail};
use std::path::PathBuf;

const USAGE: &str = "\
usage: cargo xtask bench codec [OPTIONS]

  --rounds N      how often each pair is measured (default 9)
  --windows N     windows of each kind of log (default 2)
  --events N      most events in a window (default 2048)
  --file PATH     one more kind of log: the lines of this text; may be repeated
  --once NAME:LEVEL
                  only this encoder, natively, all windows once and no clock: for tools that count instructions";

pub(crate) struct Options {
    /// The component with the codecs.
    pub(crate) guest: PathBuf,
    pub(crate) rounds: u32,
    pub(crate) windows: usize,
    pub(crate) events: u32,
    pub(crate) files: Vec<PathBuf>,
    pub(crate) once: Option<(String, u8)>,
}

impl Options {
    pub(crate) fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Self> {
        let guest = arguments.next().context(USAGE)?.into();
        let mut options = Self { guest, rounds: 9, windows: 2, events: 2048, files: Vec::new(), once: None };
        while let Some(option) = arguments.next() {
            let mut value = || arguments.next().with_context(|| format!("{option} needs a value\n{USAGE}"));
            let number = |text: String| match text.parse::<u32>() {
                Ok(number @ 1..=10_000) => Ok(number),
                _ => bail!("{option} {text}: 1–10000 is possible"),
            };
            match option.as_str() {
                "--rounds" => options.rounds = number(value()?)?,
                "--windows" => options.windows = number(value()?)? as usize,
                "--events" => options.events = number(value()?)?,
                "--file" => options.files.push(value()?.into()),
                "--once" => options.once = Some(encoder(&value()?)?),
                "--help" => bail!(USAGE),
                _ => bail!("{option}: no such option\n{USAGE}"),
            }
        }
        Ok(options)
    }
}

fn encoder(text: &str) -> Result<(String, u8)> {
    let (name, level) =
        text.split_once(':').with_context(|| format!("--once {text}: NAME:LEVEL is needed"))?;
    let level = level.parse().with_context(|| format!("--once {text}: the level is not a number"))?;
    Ok((name.to_owned(), level))
}
