#!/usr/bin/env python3
"""Takes Tandem's events: checks the signature and the time, leaves out what it has seen, and prints the rest.

    python3 receiver.py --port 8000 --secret secret.txt --last last.txt

`secret.txt` holds the webhook's secret (`whsec_...`); while it is replaced, both, with a space between them. It is read
for every event, so it can be changed while the program runs. `last.txt` remembers the last number between two runs, and
is read for every event too: to be told again from event 4000 on, `echo 4000 > last.txt`, then ask Tandem for a replay.
Put a server that speaks TLS in front: Tandem sends events to https:// only, but for addresses that its administrator
allows ([webhooks] networks).
"""

import argparse
import base64
import hashlib
import hmac
import json
import pathlib
import time
from http.server import BaseHTTPRequestHandler, HTTPServer

TOLERANCE_S = 5 * 60  # An older event may be one that somebody has recorded and plays again.
BODY_BYTES_MAX = 1024 * 1024


def is_signed(secrets, headers, body):
    """Whether Tandem has sent this, a moment ago: https://www.standardwebhooks.com."""
    id, timestamp, given = (headers.get(f"webhook-{name}", "") for name in ("id", "timestamp", "signature"))
    if not timestamp.isdigit() or abs(time.time() - int(timestamp)) > TOLERANCE_S:
        return False
    for secret in secrets:
        key = base64.b64decode(secret.removeprefix("whsec_"))
        mac = hmac.new(key, f"{id}.{timestamp}.".encode() + body, hashlib.sha256).digest()
        wanted = "v1," + base64.b64encode(mac).decode()
        if any(hmac.compare_digest(wanted, one) for one in given.split()):
            return True
    return False


class Receiver(BaseHTTPRequestHandler):
    def do_POST(self):
        length = int(self.headers.get("content-length", 0))
        if length > BODY_BYTES_MAX:
            return self.answer(413)
        body = self.rfile.read(length)
        if not is_signed(arguments.secret.read_text().split(), self.headers, body):
            return self.answer(401)
        event = json.loads(body)
        last = int(arguments.last.read_text()) if arguments.last.exists() else 0
        # Events come in order, and one may come twice: what is not higher than the last was here before. 0 is a test.
        if event["number"] > last or event["number"] == 0:
            print(json.dumps(event), flush=True)  # Here the work is done, or put into a queue: within 15 seconds.
            arguments.last.write_text(str(max(last, event["number"])))
        self.answer(204)

    def answer(self, status):
        self.send_response(status)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


parser = argparse.ArgumentParser()
parser.add_argument("--port", type=int, default=8000)
parser.add_argument("--secret", type=pathlib.Path, required=True)
parser.add_argument("--last", type=pathlib.Path, required=True)
arguments = parser.parse_args()
server = HTTPServer(("127.0.0.1", arguments.port), Receiver)
print(f"http://127.0.0.1:{server.server_port}/", flush=True)
server.serve_forever()
