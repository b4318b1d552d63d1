"""Plays the proxy of OpenWhisk's image dockerskeleton: a new process for each activation.

Our own code with the original's behaviour, for tests that run where the original cannot be had; only error texts that the
forwarder's users may meet are the original's. The first line of stdout is {"address":"127.0.0.1:PORT"}. What the container would print on
stdout and stderr goes to stderr. The process ends when its stdin is closed.
"""

import base64
import io
import json
import os
import subprocess
import sys
import tempfile
import threading
import zipfile
from http.server import BaseHTTPRequestHandler, HTTPServer

END_OF_LOGS = "XXX_THE_END_OF_A_WHISK_ACTIVATION_XXX\n"
# What Linux takes as one argument, less the byte that ends it.
LONGEST_ARGUMENT = 131071
NO_RESULT = (502, {"error": "The action did not return a dictionary or array."})
STUB = '#!/bin/sh\necho \'{"error":"This is a stub action. Replace it with custom logic."}\'\n'


class Skeleton:
    """The action's directory, with a stub in place of the action until there is one."""

    def __init__(self, directory):
        self.directory = directory
        self.executable = os.path.join(directory, "exec")
        self.initialized = False
        # What a run adds stays: the original changes its own environment too.
        self.environment = dict(os.environ)
        with open(self.executable, "w") as stub:
            stub.write(STUB)
        os.chmod(self.executable, 0o755)

    def init(self, message):
        if self.initialized:
            return 403, {"error": "Cannot initialize the action more than once."}
        value = message.get("value", {})
        if self.unpack(value.get("code"), value.get("binary", False)) and os.access(self.executable, os.X_OK):
            self.initialized = True
            return 200, {"ok": True}
        log(END_OF_LOGS, END_OF_LOGS)
        return 502, {"error": "The action failed to generate or locate a binary. See logs for details."}

    def unpack(self, code, binary):
        if code is None:
            return True
        if not binary:
            with open(self.executable, "w") as script:
                script.write(code)
            return True
        try:
            # Restores no permissions: what was executable stays so, anything new is not.
            with zipfile.ZipFile(io.BytesIO(base64.b64decode(code))) as archive:
                archive.extractall(self.directory)
            return True
        except (ValueError, zipfile.BadZipFile) as error:
            log("err %s\n" % error)
            return False

    def run(self, message):
        params = message.get("value", {})
        if not isinstance(params, (dict, list)):
            answer = 404, {"error": "The action did not receive a dictionary or array as an argument."}
        else:
            for key, value in message.items():
                if key != "value":
                    self.environment["__OW_" + key.upper()] = value
            try:
                answer = self.execute(json.dumps(params))
            except UnicodeDecodeError as error:
                answer = 500, {"error": "Internal error. %s" % error}
        log(END_OF_LOGS, END_OF_LOGS)
        return answer

    def execute(self, params):
        arguments = [params] if len(params) <= LONGEST_ARGUMENT else []
        ended = subprocess.run(
            [self.executable] + arguments,
            input=params.encode(),
            capture_output=True,
            env=self.environment,
            cwd=self.directory,
        )
        # The exit status is not looked at.
        above, _, result = ended.stdout.decode().removesuffix("\n").rpartition("\n")
        log(above + "\n" if above else "", ended.stderr.decode())
        try:
            value = json.loads(result.strip())
        except ValueError:
            value = None
        if isinstance(value, (dict, list)):
            return 200, value
        log(result + "\n")
        return NO_RESULT


def log(*texts):
    for text in texts:
        sys.stderr.write(text)
    sys.stderr.flush()


class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        message = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        act = {"/init": self.server.skeleton.init, "/run": self.server.skeleton.run}[self.path]
        status, answer = act(message)
        body = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments):
        pass


def main():
    with tempfile.TemporaryDirectory(prefix="dockerskeleton-") as directory:
        server = HTTPServer(("127.0.0.1", 0), Handler)
        server.skeleton = Skeleton(directory)
        print(json.dumps({"address": "127.0.0.1:%d" % server.server_address[1]}), flush=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        sys.stdin.buffer.read()


main()
