//! Common parts of commands that run the forwarder themselves: they can be ended, and report errors.

use std::time::Duration;

use anyhow::Context as _;
use tokio::signal::unix::{SignalKind, signal};

use crate::attached::Stop;
use crate::run::{Shim, runtime};
use crate::said;

/// So long the turns that have begun may take when the command is told to end, and so long the last save after that.
const GRACE: Duration = Duration::from_secs(7);
const SAVE: Duration = Duration::from_secs(3);

/// Does `work` with the component made ready, until it ends; or, when it is told to end and does not in time, with the status `unfinished`.
pub(super) fn run<F>(stop: &Stop, unfinished: u8, work: impl FnOnce(Shim) -> F) -> anyhow::Result<u8>
where
    F: Future<Output = anyhow::Result<u8>>,
{
    let (shim, runtime) = (Shim::new()?, runtime()?);
    let ended = runtime.block_on(async {
        let told = listen(stop.clone())?;
        tokio::select! {
            ended = work(shim) => ended,
            () = told => {
                said::to_stderr("whiskjack: what was begun did not end in time; the next run goes on from what was saved");
                Ok(unfinished)
            }
        }
    });
    // A name server that hangs must not keep the program from ending.
    runtime.shutdown_background();
    ended
}

/// Raises `stop` at SIGINT and SIGTERM. Ends when that was of no use.
fn listen(stop: Stop) -> anyhow::Result<impl Future<Output = ()>> {
    let kinds = [SignalKind::interrupt(), SignalKind::terminate()];
    let [first, second] = kinds.map(signal);
    let (mut interrupts, mut terminations) = (first.context("cannot listen for signals")?, second?);
    let told = async move || {
        tokio::select! {
            _ = interrupts.recv() => {}
            _ = terminations.recv() => {}
        }
    };
    Ok(urge(stop, told))
}

/// Raises `stop` at once when it is told, and more urgently when it is told again or after a while. Ends when even that was of no use.
async fn urge(stop: Stop, mut told: impl AsyncFnMut()) {
    told().await;
    stop.soon();
    tokio::time::timeout(GRACE, told()).await.ok();
    stop.now();
    tokio::time::timeout(SAVE, told()).await.ok();
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::time::Instant;

    #[tokio::test(start_paused = true)]
    async fn work_has_ten_seconds_at_most_after_it_was_told_to_end_and_three_when_told_again() {
        for (times, seconds) in [(1, 10), (2, 3), (3, 0)] {
            let (stop, begin, mut left) = (Stop::default(), Instant::now(), times);
            let told = async || {
                if left == 0 {
                    std::future::pending().await
                }
                left -= 1;
            };
            urge(stop.clone(), told).await;
            assert_eq!(begin.elapsed().as_secs(), seconds, "told {times} times");
            stop.urgent().await;
        }
    }
}
