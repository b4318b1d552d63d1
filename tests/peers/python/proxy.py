"""A proxy that somebody else wrote, on a free port: `proxy.py TEMPLATE PROGRAM ARGUMENTS…`.

In TEMPLATE, a file of settings ("" for none), and in the arguments `@PORT@` stands for the port. The filled file is TEMPLATE.filled. Says
where the proxy listens on the first line of stdout, and ends with it when stdin is closed, as all peers do.
"""

import ctypes
import json
import signal
import socket
import subprocess
import sys
import time

ATTEMPTS = 20
LISTENS_WITHIN = 30


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def dies_with_us():
    """Also when we are killed: PR_SET_PDEATHSIG."""
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)


def start(template: str, arguments: list[str]):
    """The proxy and its port, once it listens. Another program may take the port first: the proxy ends then, and gets another one."""
    for _ in range(ATTEMPTS):
        port = free_port()
        if template:
            with open(template) as settings, open(f"{template}.filled", "w") as filled:
                filled.write(settings.read().replace("@PORT@", str(port)))
        command = [argument.replace("@PORT@", str(port)) for argument in arguments]
        proxy = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=sys.stderr, preexec_fn=dies_with_us)
        until = time.monotonic() + LISTENS_WITHIN
        while proxy.poll() is None and time.monotonic() < until:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                return proxy, port
            except OSError:
                time.sleep(0.01)
        proxy.kill()
    sys.exit(f"{arguments[0]} does not listen")


def main():
    proxy, port = start(sys.argv[1], sys.argv[2:])
    print(json.dumps({"address": f"127.0.0.1:{port}"}), flush=True)
    sys.stdin.read()
    proxy.kill()
    proxy.wait()


if __name__ == "__main__":
    main()
