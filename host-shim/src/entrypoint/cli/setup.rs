//! `whiskjack setup`: its arguments.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;

use super::meter::Meter;
use crate::doing::Doing;
use crate::origin::Origin;
use crate::params::ProxyVariables;
use crate::said;
use crate::secret::Secret;
use crate::setup::{self, Login, Setup, SetupError};
use crate::tls::pem;
use whiskjack_settings::is_user_information;

const API_KEY: &str = "ELASTICSEARCH_API_KEY";
const USER: &str = "ELASTICSEARCH_USER";
const PASSWORD: &str = "ELASTICSEARCH_PASSWORD";

/// Bring templates, policies, a pipeline and dashboards to Elasticsearch and Kibana, or to OpenSearch and OpenSearch Dashboards
///
/// It may be repeated at any time: it changes what is not as it should be, and says so. The component template whiskjack-custom is for what an
/// installation adds; it is made once and never changed.
#[derive(Args, Debug, Default, PartialEq, Eq)]
#[command(after_help = "\
The login is for both programs: an API key of Elasticsearch, or user and password. Without options it comes from the environment:
ELASTICSEARCH_API_KEY, or ELASTICSEARCH_USER and ELASTICSEARCH_PASSWORD. Proxies are those of the environment, as for `whiskjack run`.
Exit status: 0 all is set up; 1 a server or a step failed; 2 wrong usage.

Examples:
  whiskjack setup --elasticsearch http://localhost:9200 --kibana http://localhost:5601
  whiskjack setup --elasticsearch https://search.example.com:9200 --api-key-file key --ca ca.pem --dry-run
  whiskjack setup --elasticsearch https://search.example.com:9200 --user admin --password-file password")]
pub struct SetupOptions {
    /// Address of Elasticsearch or OpenSearch
    #[arg(long, value_name = "URL")]
    elasticsearch: Option<String>,
    /// Address of Kibana or OpenSearch Dashboards, with the path of a space if there is one; without it, dashboards are left out
    #[arg(long, value_name = "URL")]
    kibana: Option<String>,
    /// The API key, `id:key` or that in base64, on one line
    #[arg(long, value_name = "FILE", conflicts_with = "user")]
    api_key_file: Option<PathBuf>,
    /// Name of the user
    #[arg(long, value_name = "NAME")]
    user: Option<String>,
    /// The user's password, on one line
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
    /// Certificates to trust, PEM; instead of the public ones
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
    /// Replace dashboards and searches that are there, with what people have changed in them
    #[arg(long)]
    overwrite: bool,
    /// Say what would be changed, and change nothing
    #[arg(long)]
    dry_run: bool,
}

impl SetupOptions {
    /// Does it.
    pub fn go(&self) -> ExitCode {
        let done = prepare(self, &crate::entrypoint::environment).and_then(|setup| {
            let runtime = crate::runtime().map_err(|error| SetupError::Failed(error.to_string()))?;
            let _meter = Meter::on_terminal(setup.doing.clone());
            let outcome = runtime.block_on(setup::up(&setup, &mut |line| said::to_stdout(line)));
            // A name server that hangs must not keep the program from ending.
            runtime.shutdown_background();
            outcome
        });
        let Err(error) = done else { return ExitCode::SUCCESS };
        said::to_stderr(format_args!("whiskjack: {error}"));
        match error {
            SetupError::Misused(_) => ExitCode::from(2),
            SetupError::Failed(_) => ExitCode::FAILURE,
        }
    }
}

/// What to set up. Errors name the option.
pub fn prepare(
    options: &SetupOptions,
    environment: &dyn Fn(&str) -> Option<String>,
) -> Result<Setup, SetupError> {
    let engine = options.elasticsearch.as_deref().ok_or_else(|| {
        SetupError::Misused(
            "--elasticsearch URL: is missing; give the address of Elasticsearch or OpenSearch".to_owned(),
        )
    })?;
    let dashboards = options.kibana.as_deref().map(|url| origin("--kibana", url)).transpose()?;
    let ca = options.ca.as_deref().map(certificates).transpose()?;
    Ok(Setup {
        engine: origin("--elasticsearch", engine)?,
        dashboards,
        login: login(options, environment)?,
        ca,
        proxies: ProxyVariables::read(environment),
        overwrite: options.overwrite,
        dry_run: options.dry_run,
        doing: Doing::default(),
    })
}

fn origin(option: &str, url: &str) -> Result<Origin, SetupError> {
    // A URL that cannot be read may hold a password.
    let shown = if is_user_information(&url.into()) { String::new() } else { format!(" {url}") };
    Origin::parse(url).ok_or_else(|| {
        SetupError::Misused(format!(
            "{option}{shown}: is not an address; give one such as https://search.example.com:9200, without user and password"
        ))
    })
}

fn certificates(file: &Path) -> Result<String, SetupError> {
    let text = text("--ca", file)?;
    match pem::certificates(&text) {
        Ok(_) => Ok(text),
        Err(_) => Err(SetupError::Misused(format!(
            "--ca {}: has no certificate that can be read; give a file of certificates in PEM",
            file.display()
        ))),
    }
}

fn login(
    options: &SetupOptions,
    environment: &dyn Fn(&str) -> Option<String>,
) -> Result<Option<Login>, SetupError> {
    if let Some(file) = &options.api_key_file {
        return Ok(Some(Login::ApiKey(secret("--api-key-file", file)?)));
    }
    let password = match &options.password_file {
        Some(file) => Some(secret("--password-file", file)?),
        None => environment(PASSWORD).map(Secret::new),
    };
    let user = options.user.clone().or_else(|| environment(USER));
    if options.user.is_none()
        && options.password_file.is_none()
        && let Some(key) = environment(API_KEY)
    {
        return Ok(Some(Login::ApiKey(Secret::new(key.trim()))));
    }
    match (user, password) {
        (None, None) => Ok(None),
        (Some(user), Some(password)) => {
            Ok(Some(Login::Basic(Secret::new(format!("{user}:{}", password.expose())))))
        }
        (Some(_), None) => Err(SetupError::Misused(format!(
            "--user: there is no password; give --password-file FILE, or {PASSWORD} in the environment"
        ))),
        (None, Some(_)) => Err(SetupError::Misused(format!(
            "--password-file: there is no user; give --user NAME, or {USER} in the environment"
        ))),
    }
}

fn text(option: &str, file: &Path) -> Result<String, SetupError> {
    super::text_of(&format!("{option} {}", file.display()), file).map_err(SetupError::Misused)
}

/// What stands alone in a file.
fn secret(option: &str, file: &Path) -> Result<Secret, SetupError> {
    let text = text(option, file)?;
    let text = text.trim_end_matches(['\r', '\n']);
    if text.contains(['\r', '\n']) {
        return Err(SetupError::Misused(format!(
            "{option} {}: has several lines; put it alone into the file, on one line",
            file.display()
        )));
    }
    Ok(Secret::new(text))
}

#[cfg(test)]
mod tests {
    use super::super::{Command, parse};
    use super::*;

    fn prepared(arguments: &str, variables: &[(&str, &str)]) -> Result<Setup, String> {
        let words = format!("setup {arguments}");
        let Command::Setup(options) = parse(words.split_whitespace().map(std::ffi::OsString::from))? else {
            panic!("{arguments}")
        };
        let variable = |name: &str| {
            variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        };
        prepare(&options, &variable).map_err(|error| error.to_string())
    }

    #[test]
    fn the_login_comes_from_files_or_from_the_environment() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str, text: &str| {
            let path = folder.path().join(name);
            std::fs::write(&path, text).unwrap();
            path.display().to_string()
        };
        let (key, password) = (file("k", "id:key\n"), file("p", "sesame\r\n"));
        let both =
            [("ELASTICSEARCH_API_KEY", "a:b "), ("ELASTICSEARCH_USER", "u"), ("ELASTICSEARCH_PASSWORD", "w")];
        for (arguments, variables, login) in [
            (String::new(), &[][..], None),
            (format!("--api-key-file {key}"), &[], Some(("key", "id:key"))),
            (format!("--user admin --password-file {password}"), &both, Some(("basic", "admin:sesame"))),
            (String::new(), &both, Some(("key", "a:b"))),
            (String::new(), &both[1..], Some(("basic", "u:w"))),
            ("--user admin".to_owned(), &both, Some(("basic", "admin:w"))),
        ] {
            let setup =
                prepared(&format!("--elasticsearch http://localhost:9200 {arguments}"), variables).unwrap();
            let found = setup.login.as_ref().map(|login| match login {
                Login::ApiKey(key) => ("key", key.expose()),
                Login::Basic(pair) => ("basic", pair.expose()),
            });
            assert_eq!(found, login, "{arguments}");
            assert!(!format!("{setup:?}").contains("sesame"));
        }
    }

    #[test]
    fn each_command_in_the_pages_about_dashboards_is_understood() {
        let mut commands = 0;
        for page in
            [include_str!("../../../../docs/tutorial.md"), include_str!("../../../../docs/dashboards.md")]
        {
            let blocks = page.split("```sh\n").skip(1).filter_map(|block| block.split("```").next());
            for line in blocks.flat_map(str::lines).filter(|line| line.starts_with("whiskjack ")) {
                let words = line.split_whitespace().skip(1).map(std::ffi::OsString::from);
                assert!(parse(words).is_ok(), "{line}");
                commands += 1;
            }
        }
        assert!(commands > 3);
    }

    #[test]
    fn an_argument_that_cannot_be_right_is_named_and_a_secret_is_not_shown() {
        let folder = tempfile::tempdir().unwrap();
        let lines = folder.path().join("lines");
        std::fs::write(&lines, "a\nb\n").unwrap();
        for (arguments, part) in [
            ("".to_owned(), "--elasticsearch URL: is missing; give "),
            ("--elasticsearch https://admin:sesame@host".to_owned(), "--elasticsearch: is not an address"),
            ("--elasticsearch host --kibana ftp://host".to_owned(), "--kibana ftp://host: is not an address"),
            ("--elasticsearch host --user admin".to_owned(), "--user: there is no password"),
            (
                "--elasticsearch host --password-file /nowhere".to_owned(),
                "--password-file /nowhere: there is no such file; ",
            ),
            (format!("--elasticsearch host --api-key-file {}", lines.display()), "has several lines"),
            (
                format!("--elasticsearch host --ca {}", lines.display()),
                ": has no certificate that can be read; ",
            ),
            (
                "--elasticsearch host --api-key-file /dev/null".to_owned(),
                "--api-key-file /dev/null: is empty; put ",
            ),
            ("--elasticsearch host --api-key-file k --user u".to_owned(), "exclude each other"),
            ("--elasticsearch host --password sesame".to_owned(), "--password: no such option of `setup`"),
        ] {
            let message = prepared(&arguments, &[]).unwrap_err();
            assert!(message.contains(part) && !message.contains("sesame"), "{arguments}: {message}");
        }
    }
}
