//! `whiskjack completions`: texts with which a shell completes commands and options.
//!
//! The texts are files in `host-shim/made`, which a test makes from the arguments; `clap_complete` is not in the program.

use std::process::ExitCode;

use clap::Args;

use super::ending::{ended, print};
use super::packed::{BASH, FISH, ZSH, unpacked};

/// Write completions of commands and options for a shell
#[derive(Args, Debug, PartialEq, Eq)]
#[command(after_help = "\
Examples:
  whiskjack completions bash > /etc/bash_completion.d/whiskjack
  whiskjack completions zsh > /usr/local/share/zsh/site-functions/_whiskjack
  whiskjack completions fish > ~/.config/fish/completions/whiskjack.fish")]
pub struct CompletionsOptions {
    /// bash, zsh or fish
    #[arg(value_name = "SHELL", value_parser = shell)]
    shell: Shell,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shell {
    Bash,
    Zsh,
    Fish,
}

fn shell(text: &str) -> Result<Shell, &'static str> {
    match text {
        "bash" => Ok(Shell::Bash),
        "zsh" => Ok(Shell::Zsh),
        "fish" => Ok(Shell::Fish),
        _ => Err("there are no completions for this shell; give bash, zsh or fish"),
    }
}

impl CompletionsOptions {
    /// Writes them.
    pub(super) fn go(&self) -> ExitCode {
        ended(print(&unpacked(match self.shell {
            Shell::Bash => BASH,
            Shell::Zsh => ZSH,
            Shell::Fish => FISH,
        })))
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use clap::Command;
    use clap_complete::{Generator, shells};

    /// Set, it makes the test write the files instead of comparing them.
    const UPDATE: &str = "WHISKJACK_UPDATE";

    #[track_caller]
    fn kept(name: &str, made: &[u8]) {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("made").join(name);
        if std::env::var_os(UPDATE).is_some() {
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(&file, made).unwrap();
        }
        let kept = std::fs::read(&file).unwrap_or_default();
        assert!(
            kept == made,
            "made/{name} is not what the arguments say: run `{UPDATE}=1 cargo test -p whiskjack-host --lib made_from_the_arguments`, then build again"
        );
    }

    fn command() -> Command {
        let mut command = super::super::arguments::command();
        command.build();
        command
    }

    fn completions(shell: impl Generator) -> Vec<u8> {
        let mut out = Vec::new();
        clap_complete::generate(shell, &mut command(), "whiskjack", &mut out);
        out
    }

    #[test]
    fn completions_are_made_from_the_arguments() {
        kept("whiskjack.bash", &completions(shells::Bash));
        kept("_whiskjack", &completions(shells::Zsh));
        kept("whiskjack.fish", &completions(shells::Fish));
    }

    /// `whiskjack.1`, and a page for each command: `whiskjack-config-migrate.1`.
    fn pages(command: &Command, name: &str, into: &mut Vec<(String, Vec<u8>)>) {
        let mut page = Vec::new();
        // A command's name is a part of the program.
        let named = command.clone().name(&*name.to_owned().leak()).display_name(name.to_owned());
        clap_mangen::Man::new(named).render(&mut page).unwrap();
        into.push((format!("man/{name}.1"), page));
        for inner in command.get_subcommands().filter(|inner| inner.get_name() != "help") {
            pages(inner, &format!("{name}-{}", inner.get_name()), into);
        }
    }

    #[test]
    fn man_pages_are_made_from_the_arguments() {
        let mut all = Vec::new();
        pages(&command(), "whiskjack", &mut all);
        all.iter().for_each(|(name, page)| kept(name, page));
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("made/man");
        let mut there: Vec<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|file| format!("man/{}", file.unwrap().file_name().display()))
            .collect();
        let mut made: Vec<String> = all.into_iter().map(|(name, _)| name).collect();
        there.sort_unstable();
        made.sort_unstable();
        assert_eq!(there, made, "a page of a command that is gone");
    }
}
