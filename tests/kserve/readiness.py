# SPDX-License-Identifier: Apache-2.0
"""Asks whether munkeyd is ready, then for an inference, and so on in turn.

    readiness.py start PORT TOKEN MODEL        until it has been ready for a while
    readiness.py stop PORT TOKEN MODEL PID     until it, told to stop, answers no more

What the two say, in the order in which it was asked, may change once: whoever was told that it is
ready is answered, and whoever was told that it is not is refused, until something happens.  Prints
what was seen; fails when it changed more often, or when too little was seen to tell.
"""
import itertools
import os
import signal
import socket
import sys
import time

what, port, token, model = sys.argv[1:5]
BODY = ('{"inputs":[{"name":"image","shape":[28,28,1],"datatype":"UINT8",'
        '"data":[%s]}],"outputs":[{"name":"label"}]}' % ",".join(["7"] * 784))
READY = "GET /v2/health/ready HTTP/1.1\r\nHost: localhost\r\n\r\n"
MODEL = f"GET /v2/models/{model}/ready HTTP/1.1\r\nHost: localhost\r\n\r\n"
INFER = (f"POST /v2/models/{model}/infer HTTP/1.1\r\nHost: localhost\r\n"
         f"Authorization: Bearer {token}\r\nContent-Length: {len(BODY)}\r\n\r\n{BODY}")
CONNECTIONS = 200
seen = []


def dial():
    connection = socket.create_connection(("127.0.0.1", int(port)), timeout=20)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def ask(request, connection):
    """The status, or 0: no answer."""
    reply = b""
    try:
        connection.sendall(request.encode())
        while b"\r\n\r\n" not in reply or len(reply.split(b"\r\n\r\n", 1)[1]) < length(reply):
            got = connection.recv(65536)
            if not got:
                return 0
            reply += got
    except OSError:
        return 0
    return int(reply.split(b" ", 2)[1])


def length(reply):
    for line in reply.split(b"\r\n\r\n", 1)[0].split(b"\r\n"):
        if line.lower().startswith(b"content-length:"):
            return int(line.split(b":")[1])
    return 0


def note(request, connection):
    status = ask(request, connection) if connection else 0
    seen.append(({READY: "ready", MODEL: "model", INFER: "infer"}[request], status))
    return status


def start():
    """A connection each: there is none to be kept."""
    answers = 0
    deadline = time.monotonic() + 60
    while answers < 30 and time.monotonic() < deadline:
        for request in (READY, INFER, MODEL):
            try:
                connection = dial()
            except OSError:
                connection = None
            answers += note(request, connection) == 200
            if connection:
                connection.close()
        time.sleep(0.005)


def stop():
    """Connections of before, for none is taken any more.  One has not sent all of its request, so
    that munkeyd waits for it a moment."""
    slow = dial()
    slow.sendall(INFER[:-1].encode())
    pool = [dial() for _ in range(CONNECTIONS)]
    for connection in pool:
        assert ask(READY, connection) == 200
    for i in itertools.count():
        if not pool:
            break
        if i == 20:
            os.kill(int(sys.argv[5]), signal.SIGTERM)
        if note((READY, INFER, MODEL)[i % 3], pool[-1]) != 200:
            pool.pop()
        time.sleep(0.005)




def judge(first, last):
    """first, last: whether it is to answer then."""
    said = [status == 200 for _, status in seen]
    changes = sum(a != b for a, b in zip(said, said[1:]))
    for name in ("ready", "model", "infer"):
        statuses = [status for who, status in seen if who == name]
        print(name, {status: statuses.count(status) for status in sorted(set(statuses))})
    assert {status for _, status in seen} <= {0, 200, 503}, "another status"
    assert (said[0], said[-1]) == (first, last), "too little was seen"
    assert changes == 1, f"it changed {changes} times: {seen}"


if what == "start":
    start()
    judge(False, True)
else:
    stop()
    judge(True, False)
    for name in ("ready", "model", "infer"):
        assert (name, 503) in seen, f"{name} never said 503"
