//! The same failures with servers that we did not write: OpenSSL's and Node's, where these are installed.

use std::io::{BufRead, BufReader, Read};
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Stdio};

use tempfile::TempDir;

use super::messages::row;
use super::*;

const HANDSHAKE: (TransportStep, bool) = (TransportStep::Handshake, false);

/// A server program; it ends with the test.
pub(crate) struct Program {
    child: Child,
    pub(crate) port: u16,
    _stdout: BufReader<ChildStdout>,
}

impl Program {
    /// Starts it; it says the port as the last thing on a line. None, said aloud, if it is not installed.
    fn start(command: &mut Command) -> Option<Self> {
        let started = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        let Ok(mut child) = started else {
            println!("{command:?} is not installed: left out");
            return None;
        };
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        loop {
            line.clear();
            if stdout.read_line(&mut line).unwrap() == 0 {
                let mut why = String::new();
                child.stderr.take().unwrap().read_to_string(&mut why).unwrap();
                panic!("{command:?} ended: {why}");
            }
            let said = line.trim_end().strip_prefix("ACCEPT ").and_then(|rest| rest.rsplit(':').next());
            if let Some(port) = said.and_then(|port| port.parse().ok()) {
                return Some(Self { child, port, _stdout: stdout });
            }
        }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// Certificates as files.
pub(crate) struct Files(TempDir);

impl Files {
    pub(super) fn new(files: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            std::fs::write(folder.path().join(name), text).unwrap();
        }
        Self(folder)
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(super) fn s_server(&self, arguments: &[&str]) -> Option<Program> {
        let arguments = ["s_server", "-accept", "127.0.0.1:0"].iter().chain(arguments);
        Program::start(Command::new("openssl").args(arguments).current_dir(&self.0))
    }

    /// Node's TLS server with these further options, or a plain server without any.
    pub(super) fn node(&self, options: Option<&str>) -> Option<Program> {
        let create = match options {
            Some(options) => format!(
                "require('tls').createServer({{cert:fs.readFileSync('cert'),key:fs.readFileSync('key'),ca:fs.readFileSync('ca'),{options}}},s=>s.resume())"
            ),
            None => "require('net').createServer(s=>s.once('data',()=>s.end('2A')))".to_owned(),
        };
        let script = format!(
            "const fs=require('fs');process.stdin.on('end',()=>process.exit()).resume();const s={create};\
             s.on('tlsClientError',()=>{{}}).listen(0,'127.0.0.1',()=>console.log('ACCEPT 127.0.0.1:'+s.address().port))"
        );
        Program::start(Command::new("node").args(["-e", &script]).current_dir(&self.0))
    }
}

/// Runs OpenSSL with these words; false if it is not installed.
pub(super) fn openssl(words: &str, files: &Files) -> bool {
    match Command::new("openssl").args(words.split_whitespace()).current_dir(&files.0).output() {
        Ok(output) => {
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            true
        }
        Err(_) => false,
    }
}

fn pki() -> (Authority, Files) {
    let authority = Authority::new();
    let issued = authority.issue("127.0.0.1");
    let files = Files::new(&[("cert", &issued.cert), ("key", &issued.key), ("ca", &authority.pem())]);
    (authority, files)
}

#[tokio::test]
async fn openssl_is_understood() {
    let (authority, files) = pki();
    let ca = json!({"ca": authority.pem()});
    let stranger = Authority::named("Other CA").issue("client");
    let strange = json!({"ca": authority.pem(), "cert": stranger.cert, "key": stranger.key});
    let wanted = ["-Verify", "1", "-verify_return_error", "-CAfile", "ca"];
    let shown = ["-cert", "cert", "-key", "key"];
    let (own_ca, strange) = (&ca, &strange);
    let other_name = &json!({"ca": authority.pem(), "servername": "logs.example.com"});
    let only_13 = &json!({"ca": authority.pem(), "minVersion": "TLSv1.3"});
    for (what, further, params, part) in [
        ("unknown CA", &[][..], &json!({}), "put the CA's certificate in `logstash.ca`"),
        ("name mismatch", &[], other_name, "is for 127.0.0.1, not for logs.example.com"),
        ("client certificate wanted, TLS 1.2", &["-tls1_2"], own_ca, "wants a client certificate"),
        ("client certificate wanted, TLS 1.3", &["-tls1_3"], own_ca, "wants a client certificate"),
        ("client certificate of an unknown CA, TLS 1.2", &["-tls1_2"], strange, "does not trust the CA"),
        ("client certificate of an unknown CA, TLS 1.3", &["-tls1_3"], strange, "does not trust the CA"),
        ("TLS 1.1 only", &["-tls1_1", "-cipher", "ALL:@SECLEVEL=0"], own_ca, "no common TLS version"),
        ("TLS 1.2 only, minVersion TLSv1.3", &["-tls1_2"], only_13, "no common TLS version"),
    ] {
        let wanted = if what.starts_with("client") { &wanted[..] } else { &[] };
        let Some(program) = files.s_server(&[&shown[..], further, wanted].concat()) else { return };
        row(&format!("openssl: {what}"), program.port, params.clone(), HANDSHAKE, part).await;
    }
    let Some(program) = files.s_server(&shown) else { return };
    let broken = (TransportStep::Read, true);
    row("openssl: plain to a TLS port", program.port, json!({"tls": false}), broken, "if the port wants TLS")
        .await;
}

#[tokio::test]
async fn certificates_as_openssl_makes_them_are_understood() {
    let files = Files::new(&[("v3", "subjectAltName=IP:127.0.0.1\n")]);
    if !openssl("req -x509 -newkey rsa:2048 -nodes -keyout key -out self -subj /CN=127.0.0.1", &files) {
        return;
    }
    openssl("req -new -key key -out csr -subj /CN=127.0.0.1", &files);
    for how in ["-out v1", "-sha1 -extfile v3 -out sha1", "-extfile v3 -out good"] {
        openssl(&format!("x509 -req -in csr -CA self -CAkey key -CAcreateserial {how}"), &files);
    }
    let ca = std::fs::read_to_string(files.path("self")).unwrap();
    for (what, cert, part) in [
        ("self-signed, CN only", "self", "no subject alternative names"),
        // From OpenSSL 3.4 on it is version 3, still without names.
        ("X.509 version 1", "v1", "subject alternative names"),
        ("signed with SHA-1", "sha1", "is not supported"),
    ] {
        let Some(program) = files.s_server(&["-cert", cert, "-key", "key", "-cipher", "DEFAULT:@SECLEVEL=0"])
        else {
            return;
        };
        row(&format!("openssl: {what}"), program.port, json!({ "ca": ca }), HANDSHAKE, part).await;
    }
    // The way of docs/tls.md to a pin of the kind that Filebeat has.
    let pin = Command::new("sh")
        .args(["-c", "openssl x509 -in self -noout -pubkey | openssl pkey -pubin -outform der | openssl dgst -sha256 -binary | openssl base64"])
        .current_dir(&files.0)
        .output()
        .unwrap();
    let fingerprint = Command::new("openssl")
        .args(["x509", "-in", "good", "-noout", "-fingerprint", "-sha256"])
        .current_dir(&files.0)
        .output()
        .unwrap();
    let fingerprint = String::from_utf8(fingerprint.stdout).unwrap();
    let Some(program) = files.s_server(&["-cert", "good", "-key", "key"]) else { return };
    open(
        program.port,
        json!({
            "ca": ca,
            "ca_sha256": String::from_utf8(pin.stdout).unwrap(),
            "leaf_sha256": fingerprint.split_once('=').unwrap().1,
        }),
    )
    .await
    .map_err(|error| error.message)
    .unwrap();
}

#[tokio::test]
async fn node_is_understood() {
    let (authority, files) = pki();
    let ca = json!({"ca": authority.pem()});
    for (what, options, params, part) in [
        ("unknown CA", Some(""), json!({}), "put the CA's certificate in `logstash.ca`"),
        (
            "client certificate wanted, TLS 1.2",
            Some("requestCert:true,maxVersion:'TLSv1.2'"),
            ca.clone(),
            "wants a client certificate",
        ),
        (
            "client certificate wanted, TLS 1.3",
            Some("requestCert:true,minVersion:'TLSv1.3'"),
            ca.clone(),
            "wants a client certificate",
        ),
        ("plain to a TLS port", Some(""), json!({"tls": false}), "TLS"),
        ("TLS to a plain port", None, ca, "does not speak TLS"),
    ] {
        let Some(program) = files.node(options) else { return };
        let error = super::messages::failure(program.port, params).await;
        println!("| node: {what} | {} |", error.message.replace(&program.port.to_string(), "PORT"));
        assert!(error.message.contains(part), "{what}: {}", error.message);
    }
}
