// The sockets, in a worker of their own. See transport.mjs.
import { once } from "node:events";
import { connect as dial, isIP } from "node:net";
import { connect as secure } from "node:tls";
import { setTimeout as sleep } from "node:timers/promises";
import { workerData } from "node:worker_threads";

const { port, answered, security } = workerData;
// Bytes kept that nobody has read yet; the receiver waits then.
const KEPT = 64 * 1024;
const GOODBYE_MS = 500;
const connections = new Map();
let lastId = 0;

const methods = {
  async connect(host, port, timeoutMs) {
    const peer = `${host}:${port}`;
    const signal = AbortSignal.timeout(timeoutMs);
    // All addresses of the name, one after the other.
    const plain = dial({ host, port, noDelay: true, autoSelectFamilyAttemptTimeout: 2_000 });
    await arrived(plain, "connect", signal, peer, dialFault);
    const name = security && { servername: isIP(host) ? undefined : host, ...security };
    const socket = security ? secure({ socket: plain, host, ...name }) : plain;
    if (security) await arrived(socket, "secureConnect", signal, peer, handshakeFault);
    connections.set(++lastId, new Kept(socket, peer));
    return lastId;
  },

  async write(id, bytes, timeoutMs) {
    const { socket, peer, failure } = connections.get(id);
    if (failure) throw failure;
    const written = new Promise((done, fail) => socket.write(bytes, (error) => (error ? fail(error) : done())));
    const late = fault("timeout", true, `${peer} did not take the bytes in time; it is overloaded or stuck`);
    await within(timeoutMs, written, late).catch((error) => {
      throw connections.get(id).failure ?? (error.step ? error : brokenFault("write", peer, error));
    });
  },

  async read(id, maxBytes, timeoutMs) {
    const connection = connections.get(id);
    const late = fault("timeout", true, `${connection.peer} sent nothing in the time given`);
    await within(timeoutMs, connection.something(), late);
    return connection.take(maxBytes);
  },

  close(id) {
    connections.get(id)?.socket.destroySoon();
    connections.delete(id);
  },

  async end() {
    const open = [...connections.values()].map(({ socket }) => socket).filter((socket) => !socket.destroyed);
    const closed = open.map((socket) => once(socket, "close").catch(() => {}));
    open.forEach((socket) => socket.destroySoon());
    await within(GOODBYE_MS, Promise.all(closed)).catch(() => {});
  },
};

/// A socket, and what came from it: it is read at all times, so that a receiver can always get rid of its acknowledgements.
class Kept {
  bytes = Buffer.alloc(0);
  ended = false;

  constructor(socket, peer) {
    Object.assign(this, { socket, peer });
    socket.on("data", (bytes) => {
      this.bytes = Buffer.concat([this.bytes, bytes]);
      if (this.bytes.length > KEPT) socket.pause();
      this.wake?.();
    });
    socket.on("end", () => this.stop());
    socket.on("close", () => this.stop());
    socket.on("error", (error) => this.stop(brokenFault("read", peer, error)));
  }

  stop(failure) {
    this.ended = true;
    this.failure ??= failure;
    this.wake?.();
  }

  async something() {
    while (!this.bytes.length && !this.ended) await new Promise((wake) => (this.wake = wake));
  }

  /// Empty: the receiver has closed its side.
  take(maxBytes) {
    if (!this.bytes.length && this.failure) throw this.failure;
    const taken = new Uint8Array(this.bytes.subarray(0, maxBytes));
    this.bytes = this.bytes.subarray(maxBytes);
    if (this.bytes.length < KEPT) this.socket.resume();
    return taken;
  }
}

async function arrived(socket, event, signal, peer, why) {
  try {
    await once(socket, event, { signal });
  } catch (error) {
    socket.on("error", () => {}).destroy();
    throw signal.aborted ? fault("timeout", true, `${peer} did not answer in time`) : why(peer, error);
  }
}

function within(timeoutMs, work, late) {
  const time = new AbortController();
  // With no time at all, what has come already still counts.
  const limit = sleep(Math.max(timeoutMs, 1), null, { signal: time.signal }).then(() => Promise.reject(late));
  return Promise.race([work, limit]).finally(() => {
    limit.catch(() => {});
    time.abort();
  });
}

const fault = (step, retryable, message) => ({ step, retryable, message });

function dialFault(peer, error) {
  if (error.syscall === "getaddrinfo") {
    return fault("resolve", true, `the name of ${peer} is not known (${error.code}); is \`logstash.host\` right?`);
  }
  return fault("connect", true, `${peer} cannot be reached (${error.code}); does the receiver run there?`);
}

function handshakeFault(peer, error) {
  // A connection that breaks may do better next time, a certificate that is not trusted will not.
  const broken = error.syscall !== undefined || error.code === "ECONNRESET";
  return fault("handshake", broken, `the TLS handshake with ${peer} failed: ${error.reason ?? error.message}; see \`logstash.ca\`, \`logstash.servername\` and \`logstash.cert\``);
}

function brokenFault(step, peer, error) {
  const refused = error.code?.startsWith("ERR_SSL");
  return refused ? handshakeFault(peer, error) : fault(step, true, `the connection to ${peer} broke (${error.code})`);
}

port.on("message", async ({ method, args }) => {
  try {
    port.postMessage({ ok: await methods[method](...args) });
  } catch (error) {
    const { step, retryable, message } = error;
    port.postMessage({ error: step ? { step, retryable, message } : error });
  }
  Atomics.store(answered, 0, 1);
  Atomics.notify(answered, 0);
});
