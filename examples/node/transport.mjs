// `transport` of the WIT world. Calls from wasm are synchronous, and Node's sockets are not: a worker owns the sockets,
// and this side waits for its answers.
import { MessageChannel, Worker, receiveMessageOnPort } from "node:worker_threads";

// The time that the worker may take beyond its limit.
const GRACE_MS = 5_000;

/// `receivers` are the `host:port` that may be reached; `security` are options for `tls.connect`, or null for plain TCP.
export function transport(receivers, security) {
  const { port1: port, port2 } = new MessageChannel();
  const answered = new Int32Array(new SharedArrayBuffer(4));
  const worker = new Worker(new URL("./sockets.mjs", import.meta.url), {
    workerData: { port: port2, answered, security },
    transferList: [port2],
  });
  worker.unref();
  port.unref();

  function call(timeoutMs, method, ...args) {
    Atomics.store(answered, 0, 0);
    port.postMessage({ method, args });
    if (Atomics.wait(answered, 0, 0, Number(timeoutMs) + GRACE_MS) === "timed-out") {
      throw new Error(`the worker of the sockets does not answer (${method})`);
    }
    const { ok, error } = receiveMessageOnPort(port).message;
    // An object that is no Error is the function's `err`.
    if (error) throw error;
    return ok;
  }

  class Connection {
    #id;

    static connect(host, port, timeoutMs) {
      if (!receivers.includes(`${host}:${port}`.toLowerCase())) {
        const message = `${host}:${port} is not allowed: only ${receivers.join(", ") || "nothing"} is; name it in \`logstash.host\` and \`logstash.port\`, or in \`logstash.hosts\``;
        throw { step: "permit", retryable: false, message };
      }
      const connection = new Connection();
      connection.#id = call(timeoutMs, "connect", host, port, Number(timeoutMs));
      return connection;
    }

    write(bytes, timeoutMs) {
      call(timeoutMs, "write", this.#id, bytes, Number(timeoutMs));
    }

    read(maxBytes, timeoutMs) {
      return call(timeoutMs, "read", this.#id, maxBytes, Number(timeoutMs));
    }

    [Symbol.dispose]() {
      call(0, "close", this.#id);
    }
  }

  /// Says goodbye on all connections that are still open.
  const end = () => {
    call(0, "end");
    return worker.terminate();
  };
  return { Connection, end };
}
