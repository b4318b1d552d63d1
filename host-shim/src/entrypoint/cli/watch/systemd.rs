//! Messages of a service to systemd: `sd_notify(3)`, written by hand, as it is one datagram.

use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::time::Duration;

use tokio::task::AbortHandle;

/// The service manager, if there is one that wants to know.
#[derive(Clone, Debug)]
pub(super) struct Manager {
    socket: Option<(std::sync::Arc<UnixDatagram>, SocketAddr)>,
    watchdog: Option<Duration>,
}

/// Says that the program lives, until it is dropped.
#[derive(Debug)]
pub(super) struct Alive(Option<AbortHandle>);

impl Manager {
    /// That of the environment: `NOTIFY_SOCKET`, `WATCHDOG_USEC`.
    pub(super) fn of(environment: &dyn Fn(&str) -> Option<String>) -> Self {
        let socket = environment("NOTIFY_SOCKET").and_then(|name| {
            let address = match name.strip_prefix('@') {
                Some(name) => SocketAddr::from_abstract_name(name),
                None => SocketAddr::from_pathname(&name),
            };
            let socket = UnixDatagram::unbound().ok()?;
            socket.set_nonblocking(true).ok()?;
            Some((std::sync::Arc::new(socket), address.ok()?))
        });
        let watchdog =
            environment("WATCHDOG_USEC").and_then(|time| time.parse().ok()).map(Duration::from_micros);
        Self { socket, watchdog }
    }

    /// Says something. Nobody need listen.
    pub(super) fn say(&self, what: &str) {
        if let Some((socket, address)) = &self.socket {
            // One line is one assignment.
            let what = what.replace('\r', " ");
            socket.send_to_addr(what.as_bytes(), address).ok();
        }
    }

    /// Says twice as often as it must that the program lives, on the thread that does the work: when that is stuck, nothing is said.
    pub(super) fn keep_alive(&self) -> Alive {
        let Some(every) = self.watchdog.filter(|time| !time.is_zero()) else { return Alive(None) };
        let manager = self.clone();
        let task = tokio::spawn(async move {
            loop {
                manager.say("WATCHDOG=1");
                tokio::time::sleep(every / 2).await;
            }
        });
        Alive(Some(task.abort_handle()))
    }
}

impl Drop for Alive {
    fn drop(&mut self) {
        if let Some(task) = &self.0 {
            task.abort();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_manager_is_told_in_datagrams_and_hears_that_the_program_lives() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notify");
        let socket = UnixDatagram::bind(&path).unwrap();
        let environment = |name: &str| match name {
            "NOTIFY_SOCKET" => Some(path.display().to_string()),
            "WATCHDOG_USEC" => Some("2000".to_owned()),
            _ => None,
        };
        let manager = Manager::of(&environment);
        let heard = || {
            let mut bytes = [0; 100];
            let count = socket.recv(&mut bytes).unwrap();
            String::from_utf8(bytes[..count].to_vec()).unwrap()
        };
        manager.say("READY=1\nSTATUS=x");
        assert_eq!(heard(), "READY=1\nSTATUS=x");
        let alive = manager.keep_alive();
        let watchdog = tokio::task::spawn_blocking({
            let socket = socket.try_clone().unwrap();
            move || {
                let mut bytes = [0; 100];
                (0..2).all(|_| {
                    socket.recv(&mut bytes).is_ok_and(|count| bytes.starts_with(b"WATCHDOG=1") && count == 10)
                })
            }
        });
        assert!(watchdog.await.unwrap());
        drop(alive);
        Manager::of(&|_| None).say("to nobody");
    }
}
