//! Common parts of commands that run the forwarder themselves: they can be ended, and report errors.

use std::time::Duration;

use anyhow::Context as _;
use tokio::signal::unix::{SignalKind, signal};

use crate::attached::Stop;
use crate::run::{Shim, runtime};

/// So long the turns that have begun may take when the command is told to end.
const GRACE: Duration = Duration::from_secs(10);

/// Does `work` with the component made ready, until it ends or gives up on being told to.
pub(super) fn run<F>(stop: &Stop, work: impl FnOnce(Shim) -> F) -> anyhow::Result<u8>
where
    F: Future<Output = anyhow::Result<u8>>,
{
    let (shim, runtime) = (Shim::new()?, runtime()?);
    let ended = runtime.block_on(async {
        let told = listen(stop.clone())?;
        tokio::select! {
            ended = work(shim) => ended,
            () = told => anyhow::bail!("what was begun did not end in time; the next run goes on from what was saved"),
        }
    });
    // A name server that hangs must not keep the program from ending.
    runtime.shutdown_background();
    ended
}

/// Raises `stop` at SIGINT and SIGTERM, at once for the first and more urgently for the second or after a while. Ends when even that was of no
/// use for as long again.
fn listen(stop: Stop) -> anyhow::Result<impl Future<Output = ()>> {
    let kinds = [SignalKind::interrupt(), SignalKind::terminate()];
    let [first, second] = kinds.map(signal);
    let (mut interrupts, mut terminations) = (first.context("cannot listen for signals")?, second?);
    Ok(async move {
        let mut told = async || {
            tokio::select! {
                _ = interrupts.recv() => {}
                _ = terminations.recv() => {}
            }
        };
        told().await;
        stop.soon();
        tokio::time::timeout(GRACE, told()).await.ok();
        stop.now();
        tokio::time::timeout(GRACE, told()).await.ok();
    })
}
