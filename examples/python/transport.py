"""`transport` of the WIT world: the sockets and TLS of Python."""

import select
import socket
import ssl
import time

# Bytes kept that nobody has read yet; the receiver waits then.
KEPT = 64 * 1024
AGAIN = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


class Fault(Exception):
    """The error of a call: step, whether a retry may help, and a sentence."""

    def __init__(self, step: str, retryable: bool, message: str):
        super().__init__(message)
        self.step, self.retryable, self.message = step, retryable, message


class Connection:
    """A connection to a receiver. It is read at all times, so that the receiver can always get rid of its acknowledgements."""

    def __init__(self, sock: socket.socket, peer: str):
        self.sock, self.peer = sock, peer
        self.received, self.ended, self.failure = bytearray(), False, None
        sock.setblocking(False)

    @classmethod
    def open(cls, host: str, port: int, timeout_ms: int, tls: ssl.SSLContext | None, servername: str | None):
        peer, until = f"{host}:{port}", time.monotonic() + timeout_ms / 1000
        sock = dial(host, port, peer, until)
        try:
            if tls:
                sock.settimeout(left(until, peer))
                sock = tls.wrap_socket(sock, server_hostname=servername or host)
        except TimeoutError:
            raise late(peer, "did not answer in time")
        except OSError as error:
            raise handshake_fault(peer, error)
        return cls(sock, peer)

    def write(self, data: bytes, timeout_ms: int) -> None:
        until, rest = time.monotonic() + timeout_ms / 1000, memoryview(data)
        while rest:
            if self.failure:
                raise self.failure
            try:
                rest = rest[self.sock.send(rest) :]
            except AGAIN:
                if not self.wait(until, writing=True):
                    raise late(self.peer, "did not take the bytes in time; it is overloaded or stuck")
            except OSError as error:
                self.receive()
                raise self.failure or broken_fault("write", self.peer, error)
            self.receive()

    def read(self, max_bytes: int, timeout_ms: int) -> bytes:
        """Empty: the receiver has closed its side."""
        until = time.monotonic() + timeout_ms / 1000
        self.receive()
        while not self.received and not self.ended:
            if not self.wait(until):
                raise late(self.peer, "sent nothing in the time given")
            self.receive()
        if self.failure and not self.received:
            raise self.failure
        taken = bytes(self.received[:max_bytes])
        del self.received[:max_bytes]
        return taken

    def close(self) -> None:
        try:
            if isinstance(self.sock, ssl.SSLSocket):
                self.sock.unwrap()
        except OSError:
            pass  # The goodbye is out, or nobody is there to hear it.
        self.sock.close()

    def receive(self) -> None:
        """Takes what has come."""
        while not self.ended and len(self.received) < KEPT:
            try:
                data = self.sock.recv(KEPT)
            except AGAIN:
                return
            except OSError as error:
                data, self.failure = b"", broken_fault("read", self.peer, error)
            self.ended = not data
            self.received += data

    def wait(self, until: float, writing: bool = False) -> bool:
        readers = [] if self.ended or len(self.received) >= KEPT else [self.sock]
        ready = select.select(readers, [self.sock] if writing else [], [], max(0, until - time.monotonic()))
        return any(ready)


def dial(host: str, port: int, peer: str, until: float) -> socket.socket:
    """Tries all addresses of the name."""
    try:
        addresses = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise Fault("resolve", True, f"the name of {peer} is not known ({error}); is `logstash.host` right?")
    for number, (family, kind, protocol, _, address) in enumerate(addresses):
        sock = socket.socket(family, kind, protocol)
        try:
            sock.settimeout(left(until, peer) / (len(addresses) - number))
            sock.connect(address)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return sock
        except OSError as error:
            sock.close()
            reason = error
    raise Fault("connect", True, f"{peer} cannot be reached ({reason}); does the receiver run there?")


def left(until: float, peer: str) -> float:
    seconds = until - time.monotonic()
    if seconds <= 0:
        raise late(peer, "did not answer in time")
    return seconds


def late(peer: str, what: str) -> Fault:
    return Fault("timeout", True, f"{peer} {what}")


def handshake_fault(peer: str, error: OSError) -> Fault:
    # A connection that breaks may do better next time, a certificate that is not trusted will not.
    reason = getattr(error, "verify_message", None) or getattr(error, "reason", None) or error
    remedy = "see `logstash.ca`, `logstash.servername` and `logstash.cert`"
    return Fault("handshake", not isinstance(error, ssl.SSLError), f"the TLS handshake with {peer} failed: {reason}; {remedy}")


def broken_fault(step: str, peer: str, error: OSError) -> Fault:
    if isinstance(error, ssl.SSLError) and not isinstance(error, ssl.SSLEOFError):
        return handshake_fault(peer, error)
    return Fault(step, True, f"the connection to {peer} broke ({error})")
