#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A receiver of callbacks that behaves as their URL says, and writes down what it gets.

    receiver.py FOLDER [PORT [CERTIFICATE KEY]]

FOLDER/port says where it listens; each request becomes a file FOLDER/NUMBER.json: path, headers, body,
and when it came.  The second part of the path is what it does:

    /hooks/ok/...          200
    /hooks/busy-2/...      503 twice for this URL, then 200
    /hooks/later-3/...     429 once for this URL, with Retry-After of 3 seconds, then 200
    /hooks/400/...         always that status
    /hooks/away/...        a redirect to /hooks/ok/redirected
    /hooks/slow/...        no reply for a minute
    /hooks/long/...        200 and a body without an end
"""
import collections
import http.server
import json
import os
import ssl
import sys
import threading
import time

folder = sys.argv[1]
lock = threading.Lock()
seen = collections.Counter()
before = len([name for name in os.listdir(folder) if name.endswith(".json")])


class Receiver(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def write_down(self, body):
        with lock:
            seen[self.path] += 1
            seen[""] += 1
            number, times = before + seen[""], seen[self.path]
            name = f"{folder}/{number:04}.json"
            letter = {"file": name, "path": self.path, "headers": {k.lower(): v for k, v in self.headers.items()},
                      "body": body, "came": time.time()}
            with open(f"{folder}/new", "w") as file:
                json.dump(letter, file)
            os.rename(f"{folder}/new", name)
        return times

    def reply(self, status, *headers):
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def endless(self):
        self.send_response(200)
        self.end_headers()
        sent = 0
        try:
            while sent < 1 << 28:
                sent += self.wfile.write(b"x" * 65536)
        except OSError:
            pass
        with open(f"{folder}/sending", "w") as file:
            file.write(str(sent))
        os.rename(f"{folder}/sending", f"{folder}/sent")
        self.close_connection = True

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        times = self.write_down(body)
        what, _, number = self.path.split("/")[2].partition("-")
        if what == "slow":
            time.sleep(60)
        elif what == "long":
            self.endless()
        elif what == "away":
            self.reply(302, ("Location", "/hooks/ok/redirected"))
        elif what == "busy" and times <= int(number):
            self.reply(503)
        elif what == "later" and times == 1:
            self.reply(429, ("Retry-After", number))
        else:
            self.reply(int(what) if what.isdigit() else 200)

    def do_GET(self):
        self.write_down("a GET")
        self.reply(200)


server = http.server.ThreadingHTTPServer(
    ("127.0.0.1", int(sys.argv[2]) if len(sys.argv) > 2 else 0), Receiver)
server.daemon_threads = True
if len(sys.argv) > 4:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(sys.argv[3], sys.argv[4])
    server.socket = context.wrap_socket(server.socket, server_side=True)
with open(f"{folder}/new", "w") as file:
    file.write(str(server.server_port))
os.rename(f"{folder}/new", f"{folder}/port")
server.serve_forever()
