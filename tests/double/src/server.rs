//! Sockets: accepts connections, reads requests, does what the script orders, sends replies.

use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use percent_encoding::percent_decode_str;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::time::sleep;
use tokio_rustls::TlsAcceptor;

use crate::api;
use crate::delivery::{Broken, Control, Delivery};
use crate::gateway::Gateway;
use crate::journal::{Journal, Request};
use crate::options::{Limits, RequestIds};
use crate::reply::Reply;
use crate::script::{Ending, Script, Trouble};
use crate::world::World;

/// What all connections share.
#[derive(Debug)]
pub(crate) struct App {
    pub(crate) world: World,
    pub(crate) limits: Limits,
    pub(crate) gateway: Gateway,
    pub(crate) request_ids: RequestIds,
    pub(crate) script: Mutex<Script>,
    pub(crate) journal: Arc<Journal>,
    /// Microseconds that every reply takes.
    pub(crate) latency: AtomicU64,
    pub(crate) transactions: AtomicU64,
    /// How often connections were refused: then idle ones end.
    pub(crate) shut: watch::Sender<u64>,
}

/// Accepts connections for as long as it is polled; while `door` is shut nobody listens, and connections are refused.
pub(crate) async fn accept(door: Door, mut orders: Orders, tls: Option<TlsAcceptor>, app: Arc<App>) {
    let mut listener: Option<TcpListener> = None;
    loop {
        let accepted = async {
            match &listener {
                Some(listener) => listener.accept().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            accepted = accepted => if let Ok((socket, _)) = accepted {
                tokio::spawn(connection(socket, tls.clone(), app.clone()));
            },
            Some((shut, done)) = orders.recv() => {
                if shut {
                    listener = None;
                    app.shut.send_modify(|times| *times += 1);
                } else if listener.is_none() {
                    listener = Some(door.open().expect("our own address"));
                }
                done.send(()).expect("somebody waits for it");
            }
        }
    }
}

/// Orders to shut the door or to open it, each with where to say that it is done.
pub(crate) type Orders = tokio::sync::mpsc::UnboundedReceiver<(bool, std::sync::mpsc::Sender<()>)>;

/// A port that stays ours also while nobody listens on it.
#[derive(Debug)]
pub(crate) struct Door {
    address: SocketAddr,
    _bound: socket2::Socket,
}

impl Door {
    /// Takes a free port of the loopback interface.
    pub(crate) fn new() -> io::Result<Self> {
        let bound = bound(SocketAddr::from(([127, 0, 0, 1], 0)))?;
        let address = bound.local_addr()?.as_socket().expect("an IP address");
        Ok(Self { address, _bound: bound })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    fn open(&self) -> io::Result<TcpListener> {
        let socket = bound(self.address)?;
        socket.listen(128)?;
        socket.set_nonblocking(true)?;
        TcpListener::from_std(socket.into())
    }
}

/// A socket that shares its address with one that does not listen.
fn bound(address: SocketAddr) -> io::Result<socket2::Socket> {
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None)?;
    socket.set_reuse_address(true)?;
    socket.bind(&address.into())?;
    Ok(socket)
}

/// Serves one connection. What goes wrong on it is the client's to notice.
async fn connection(socket: TcpStream, tls: Option<TlsAcceptor>, app: Arc<App>) -> std::io::Result<()> {
    socket.set_nodelay(true)?;
    // A second handle keeps the socket after the connection has ended, to say how it closes.
    let socket = socket.into_std()?;
    let handle = socket.try_clone()?;
    let socket = TcpStream::from_std(socket)?;
    let control = Arc::new(Control::default());
    match tls {
        None => http(socket, app, &control).await,
        Some(tls) => http(tls.accept(socket).await?, app, &control).await,
    }
    if control.reset.load(Ordering::Relaxed) {
        socket2::SockRef::from(&handle).set_linger(Some(Duration::ZERO))?;
    }
    Ok(())
}

async fn http<S>(stream: S, app: Arc<App>, control: &Arc<Control>)
where
    S: AsyncRead + AsyncWrite + Unpin + 'static,
{
    let serve = service_fn(|request| exchange(app.clone(), request, control.clone()));
    let builder = hyper::server::conn::http1::Builder::new();
    let mut connection = pin!(builder.serve_connection(TokioIo::new(stream), serve));
    let mut shut = app.shut.subscribe();
    // An error here is a client that left, or a fault that was ordered.
    tokio::select! {
        _ = connection.as_mut() => return,
        () = control.close.notified() => connection.as_mut().graceful_shutdown(),
        _ = shut.changed() => connection.as_mut().graceful_shutdown(),
    }
    let _ = connection.await;
}

async fn exchange(
    app: Arc<App>,
    request: hyper::Request<Incoming>,
    control: Arc<Control>,
) -> Result<hyper::Response<Delivery>, Broken> {
    let request = received(request).await?;
    let arrived = Instant::now();
    let orders = app.script.lock().unwrap().orders(&request);
    let in_flight = app.journal.begin(request.clone());
    orders.calls.into_iter().for_each(|call| call(&app.world));
    for mut held in orders.holds {
        // Ends when the hold is dropped: nothing is ever sent.
        let _ = held.changed().await;
    }
    let latency = Duration::from_micros(app.latency.load(Ordering::Relaxed));

    let (mut cut, mut last, mut announced) = (None, false, usize::MAX);
    let answer = || match app.gateway.pass(&request) {
        Ok(request) => api::answer(&app.world, &app.limits, &request),
        Err(reply) => reply,
    };
    let (trouble, mut answered) = match orders.fault.map(|fault| fault.0) {
        Some(Trouble::Over { bytes, trouble }) => {
            let reply = answer();
            ((reply.body("").len() > bytes).then_some(*trouble), Some(reply))
        }
        trouble => (trouble, None),
    };
    let reply = match trouble {
        Some(Trouble::Silence(Ending::Stall)) => std::future::pending().await,
        Some(Trouble::Silence(ending)) => {
            control.reset.store(ending == Ending::Reset, Ordering::Relaxed);
            return Err(Broken);
        }
        Some(Trouble::Instead(reply)) => reply,
        trouble => {
            match trouble {
                Some(Trouble::Delay(by)) => sleep(by).await,
                Some(Trouble::Cut { after, ending }) => cut = Some((after, ending)),
                Some(Trouble::Understated(bytes)) => announced = bytes,
                Some(Trouble::LastOne) => last = true,
                _ => {}
            }
            answered.take().unwrap_or_else(answer)
        }
    };
    let request_id = app.request_id(&request);
    let mut body = app.gateway.pack(reply.body(&request_id));
    body.truncate(announced);
    wait_until(arrived + latency).await;
    in_flight.replied(reply.status, body.len());
    let mut head = head(&reply, &request_id, body.len());
    if app.gateway.compresses {
        head = head.header("content-encoding", "gzip");
    }
    let delivery = match cut {
        None => Delivery::whole(body, last, control, in_flight),
        Some((after, ending)) => Delivery::cut(body, after, ending, control, in_flight),
    };
    Ok(head.body(delivery).expect("the head is well formed"))
}

async fn received(request: hyper::Request<Incoming>) -> Result<Request, Broken> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.map_err(|_| Broken)?.to_bytes().to_vec();
    let decode = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
    let path = head.uri.path();
    let query = head.uri.query().unwrap_or_default();
    let header = |(name, value): (&hyper::header::HeaderName, &hyper::header::HeaderValue)| {
        (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
    };
    Ok(Request {
        method: head.method.to_string(),
        path: decode(path),
        query: form_urlencoded::parse(query.as_bytes()).into_owned().collect(),
        headers: head.headers.iter().map(header).collect(),
        body,
        status: None,
        reply_bytes: 0,
        segments: path.trim_start_matches('/').split('/').map(decode).collect(),
    })
}

fn head(reply: &Reply, request_id: &str, length: usize) -> hyper::http::response::Builder {
    let mut head = hyper::Response::builder()
        .status(reply.status)
        .header("x-request-id", request_id)
        .header("access-control-allow-origin", "*")
        .header("content-type", &reply.content_type)
        .header("content-length", length);
    for (name, value) in &reply.headers {
        head = head.header(name, value);
    }
    head
}

impl App {
    fn request_id(&self, request: &Request) -> String {
        let given = request.header("x-request-id").filter(|given| !given.starts_with("sid_"));
        match (self.request_ids, given) {
            (RequestIds::Echo, Some(given)) => given.to_owned(),
            _ => format!("{:032x}", 0x5eed_0000 + self.transactions.fetch_add(1, Ordering::Relaxed)),
        }
    }
}

/// To the tenth of a millisecond: tokio's timers are late by one or two, which a latency of some ten would show.
async fn wait_until(moment: Instant) {
    let left = moment.saturating_duration_since(Instant::now());
    if !left.is_zero() {
        let _ = tokio::task::spawn_blocking(move || std::thread::sleep(left)).await;
    }
}
