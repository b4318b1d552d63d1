//! Proxies that we did not write, as processes that end with the test: tinyproxy for HTTP, microsocks for SOCKS 5.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::process::Peer;

/// A running proxy on 127.0.0.1.
#[derive(Debug)]
pub struct OtherProxy {
    peer: Peer,
    /// Its settings and log.
    directory: TempDir,
}

/// How a proxy is started.
#[derive(Clone, Copy, Debug, Default)]
pub struct ProxyOptions<'a> {
    /// User name and password that it demands.
    pub user: Option<(&'a str, &'a str)>,
    /// What it finds in `/etc/hosts`, in a mount namespace of its own: names that nobody else knows.
    pub hosts: Option<&'a str>,
    /// The only port that it makes tunnels to; tinyproxy's only.
    pub only_port: Option<u16>,
}

impl OtherProxy {
    /// tinyproxy. Panics where it is not installed, which `cargo xtask setup` does on Debian.
    #[track_caller]
    pub fn tinyproxy(options: ProxyOptions<'_>) -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let (settings, log) = (directory.path().join("settings"), directory.path().join("log"));
        let mut text = format!(
            "Port @PORT@\nListen 127.0.0.1\nTimeout 60\nMaxClients 50\nLogLevel Connect\nLogFile \"{}\"\n",
            log.display()
        );
        if let Some((user, password)) = options.user {
            text.push_str(&format!("BasicAuth {user} {password}\n"));
        }
        if let Some(port) = options.only_port {
            text.push_str(&format!("ConnectPort {port}\n"));
        }
        fs::write(&settings, text).expect("a file in the temporary directory");
        let filled = directory.path().join("settings.filled");
        let arguments = ["-d".into(), "-c".into(), filled.display().to_string()];
        Self::start("tinyproxy", "tinyproxy-bin", &settings, &arguments, options, directory)
    }

    /// microsocks. Panics where it is not installed, which `cargo xtask setup` does on Debian.
    #[track_caller]
    pub fn microsocks(options: ProxyOptions<'_>) -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let mut arguments: Vec<String> = ["-i", "127.0.0.1", "-p", "@PORT@"].map(str::to_owned).to_vec();
        if let Some((user, password)) = options.user {
            arguments.extend(["-u", user, "-P", password].map(str::to_owned));
        }
        Self::start("microsocks", "microsocks", Path::new(""), &arguments, options, directory)
    }

    #[track_caller]
    fn start(
        program: &'static str,
        package: &str,
        settings: &Path,
        arguments: &[String],
        options: ProxyOptions<'_>,
        directory: TempDir,
    ) -> Self {
        let found = find(program).unwrap_or_else(|| {
            panic!("{program} is missing: `cargo xtask setup` installs it as root on Debian, else install its package {package}")
        });
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../peers/python/proxy.py");
        let mut command = match options.hosts {
            None => Command::new("python3"),
            Some(hosts) => {
                let file = directory.path().join("hosts");
                fs::write(&file, hosts).expect("a file in the temporary directory");
                let mut unshare = Command::new("unshare");
                unshare.args(["--map-root-user", "--mount", "sh", "-c"]);
                unshare.arg(r#"mount --bind "$0" /etc/hosts && exec "$@""#).arg(file).arg("python3");
                unshare
            }
        };
        command.arg("-B").arg(script).arg(settings).arg(found).args(arguments);
        Self { peer: Peer::start(program, command, |_| ()), directory }
    }

    /// `127.0.0.1:port`
    pub fn address(&self) -> String {
        self.peer.address().to_string()
    }

    /// What it has logged so far: tinyproxy each request, microsocks each connection.
    pub fn log(&self) -> String {
        let log = fs::read_to_string(self.directory.path().join("log")).unwrap_or_default();
        log + &self.peer.stderr().text()
    }
}

/// Where a program is: its directory may not be in everybody's `PATH`.
fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let usual = ["/usr/bin", "/usr/sbin", "/usr/local/bin"].map(PathBuf::from);
    let mut all = std::env::split_paths(&path).chain(usual);
    all.find_map(|directory| Some(directory.join(program)).filter(|file| file.is_file()))
}
