//! Greeting a proxy in protocols other than that of its scheme, on connections of their own.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};

use super::fault::Asked;
use super::language::Language;
use super::{Kind, Proxy, ProxyFault};
use crate::net::dial;

/// A proxy that is silent for so long is greeted in the other languages. It still has all of its time for an answer: an HTTP proxy says
/// nothing before it has reached the target.
pub(super) const SILENCE: Duration = Duration::from_secs(2);

/// How long the answer to a greeting may take, with the connection.
const ANSWER: Duration = Duration::from_secs(2);

impl Proxy {
    /// Why it does not lead to `target`, if it speaks another language than that of its scheme. None if it answers no greeting.
    pub(crate) async fn mistaken(&self, target: &str) -> Option<ProxyFault> {
        let others = match self.kind {
            Kind::Http(_) => [Language::Socks, Language::Tls],
            Kind::Socks(_) => [Language::Http, Language::Tls],
        };
        let deadline = Instant::now() + ANSWER;
        let mut greeted = JoinSet::new();
        for language in others {
            greeted.spawn(understands(self.host.clone(), self.port, language, deadline));
        }
        while let Some(answered) = greeted.join_next().await {
            if let Ok(Some(language)) = answered {
                return Some(Asked { proxy: self, target }.mistaken(language));
            }
        }
        None
    }
}

/// The language, if a port answers in it.
async fn understands(host: String, port: u16, language: Language, deadline: Instant) -> Option<Language> {
    let answered = async {
        let mut socket = dial(&host, port, deadline).await.ok()?;
        socket.write_all(language.greeting()).await.ok()?;
        let mut answer = Vec::new();
        loop {
            match Language::of(&answer) {
                Some(found) => return (found == language).then_some(language),
                None if answer.len() > 64 => return None,
                None => {}
            }
            if socket.read_buf(&mut answer).await.ok()? == 0 {
                return None;
            }
        }
    };
    timeout_at(deadline, answered).await.ok().flatten()
}
