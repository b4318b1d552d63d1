//! The thread that sends requests and reads answers: both continue while the component computes.

use std::future::Future;
use std::io;

use tokio::runtime::{Builder, Handle};
use tokio::sync::oneshot;

/// A runtime of its own on a thread of its own; when this is dropped, both come to an end.
pub(super) struct Wire {
    handle: Handle,
    _end: oneshot::Sender<()>,
}

impl Wire {
    pub(super) fn new() -> io::Result<Self> {
        // It looks at its sockets after every step, for the same reason as the thread of the workers.
        let runtime = Builder::new_current_thread().event_interval(1).enable_all().build()?;
        let (handle, (end, ended)) = (runtime.handle().clone(), oneshot::channel::<()>());
        // Nobody waits for it to end: whoever drops this last may be one of its own tasks.
        std::thread::Builder::new().name("api".to_owned()).spawn(move || runtime.block_on(ended))?;
        Ok(Self { handle, _end: end })
    }

    /// Begins with `task` at once, whether or not anybody waits for it. Whoever drops what is returned puts an end to it.
    pub(super) fn run<T, F>(&self, task: F) -> impl Future<Output = Option<T>> + Send + use<T, F>
    where
        T: Send + 'static,
        F: Future<Output = T> + Send + 'static,
    {
        let task = AbortOnDrop(self.handle.spawn(task));
        async move {
            let mut task = task;
            (&mut task.0).await.ok()
        }
    }
}

struct AbortOnDrop<T>(tokio::task::JoinHandle<T>);

impl<T> Drop for AbortOnDrop<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}
