//! `--keep`: API and receiver stay, and the reader runs the forwarder.

use std::borrow::Cow;
use std::fs;
use std::io::{self, BufRead, Write};
use std::path::Path;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result};
use whiskjack_testbed::artifacts;

use crate::stage::Stage;
use crate::table::Table;

/// How soon a document is shown after its arrival.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// What the reader wants.
enum Wish {
    More,
    Stop,
}

/// Says how to run the forwarder, and shows what arrives, until the reader has had enough.
pub(crate) fn keep(stage: &mut Stage, table: &Table, out: &mut dyn Write) -> Result<()> {
    let wishes = wishes()?;
    // With the directory the configuration and the checkpoint go, too.
    let directory = tempfile::Builder::new().prefix("whiskjack-demo-").tempdir()?;
    let config = directory.path().join("config.json");
    fs::write(&config, format!("{:#}\n", stage.params)).with_context(|| config.display().to_string())?;
    invite(stage, &config, &directory.path().join("state.json"), out)?;
    table.head(out)?;
    loop {
        match wishes.recv_timeout(LOOK_EVERY) {
            Ok(Wish::More) => {
                let added = stage.add_activations().len();
                writeln!(out, "  {added} more activations are in the API: run the command again")?;
            }
            Ok(Wish::Stop) | Err(RecvTimeoutError::Disconnected) => return Ok(()),
            Err(RecvTimeoutError::Timeout) => table.rows(out, &stage.arrived()?)?,
        }
    }
}

fn invite(stage: &Stage, config: &Path, state: &Path, out: &mut dyn Write) -> io::Result<()> {
    let api = &stage.api;
    writeln!(
        out,
        "\nAPI and receiver stay. In another terminal (the key is invented, the API is not reachable from outside):\n"
    )?;
    writeln!(
        out,
        "export __OW_API_HOST={} __OW_API_KEY={} __OW_NAMESPACE={}",
        quoted(&api.origin()),
        quoted(&api.key()),
        quoted(&api.namespace())
    )?;
    writeln!(
        out,
        "{} run --config {} --state {}\n",
        quoted(&artifacts().whiskjack().to_string_lossy()),
        quoted(&config.to_string_lossy()),
        quoted(&state.to_string_lossy())
    )?;
    writeln!(
        out,
        "The first of these runs knows nothing of those above, and sends everything again, with the same ids.\n\
         Enter adds a few activations. Ctrl-C, or the end of stdin, stops. What arrives:\n"
    )
}

/// What comes from the keyboard.
fn wishes() -> Result<Receiver<Wish>> {
    let (tell, wishes) = mpsc::channel();
    let stop = tell.clone();
    // Nobody listens any more: the demo is ending already.
    ctrlc::set_handler(move || drop(stop.send(Wish::Stop)))?;
    thread::spawn(move || {
        let mut lines = io::stdin().lock().lines().map_while(Result::ok);
        while lines.next().is_some() && tell.send(Wish::More).is_ok() {}
        let _ = tell.send(Wish::Stop);
    });
    Ok(wishes)
}

/// `text` as one word of a shell.
fn quoted(text: &str) -> Cow<'_, str> {
    let plain = |char: char| char.is_ascii_alphanumeric() || "/._-:@%+=,".contains(char);
    if !text.is_empty() && text.chars().all(plain) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(format!("'{}'", text.replace('\'', r"'\''")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_with_odd_characters_is_one_word_of_a_shell() {
        assert_eq!(quoted("/a/b-c.json"), "/a/b-c.json");
        assert_eq!(quoted("/it's here"), r"'/it'\''s here'");
    }
}
