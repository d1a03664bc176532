"""A client of the program's API for measurements: many requests over few connections that are kept, one thread, nothing
waited for but in `poll`. It fits into `sipua.serve` beside the phones."""

import collections
import http.client
import json
import select
import socket

from .process import BenchError


def once(address, method, path, token=None, body=None):
    """One request over a connection of its own: the answer's body as JSON. Any status but 2xx is a BenchError."""
    answer = text(address, method, path, token, body)
    return json.loads(answer) if answer else None


def text(address, method, path, token=None, body=None):
    """The same, and the answer's body as it is."""
    connection = http.client.HTTPConnection(*address, timeout=30)
    try:
        headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
        connection.request(method, path, json.dumps(body) if body is not None else None, headers)
        answer = connection.getresponse()
        told = answer.read().decode()
    except (OSError, http.client.HTTPException) as error:
        raise BenchError(f"{method} {path}: {error}")
    finally:
        connection.close()
    if answer.status // 100 != 2:
        raise BenchError(f"{method} {path}: {answer.status} {told[:500]}")
    return told


class Api:
    """Requests wait in a queue for one of at most so many connections. `answered` counts; the first failure is kept."""

    def __init__(self, address, token, connections):
        self.answered, self.first_failure = 0, None
        self._address, self._most = address, connections
        self._head = f"Host: {address[0]}:{address[1]}\r\nAuthorization: Bearer {token}\r\n"
        self._waiting, self._held, self._sockets, self._idle = collections.deque(), {}, {}, []
        self._poll = select.epoll()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._poll.close()
        for s in self._sockets.values():
            s.close()

    def fileno(self):
        return self._poll.fileno()

    def ask(self, method, path, body=None, tenant=None):
        """Sends the request at once if a connection is free, else as soon as one is."""
        text = json.dumps(body) if body is not None else ""
        head = f"{method} {path} HTTP/1.1\r\n{self._head}"
        if tenant:
            head += f"Tandem-Tenant: {tenant}\r\n"
        if text:
            head += "Content-Type: application/json\r\n"
        self._waiting.append(f"{head}Content-Length: {len(text)}\r\n\r\n{text}".encode())
        self._send()

    def poll(self):
        for number, _ in self._poll.poll(0):
            try:
                data = self._sockets[number].recv(1 << 16)
            except BlockingIOError:
                continue
            if not data:
                self._closed(number)
                continue
            held = self._held[number] = self._held.get(number, b"") + data
            head, end, body = held.partition(b"\r\n\r\n")
            if not end:
                continue
            length = next((int(line[15:]) for line in head.lower().split(b"\r\n") if line[:15] == b"content-length:"), 0)
            if len(body) >= length:
                self.answered += 1
                if head.split(b" ", 2)[1][:1] != b"2":
                    self.first_failure = self.first_failure or held[:600].decode("utf-8", "replace")
                self._held[number] = b""
                self._idle.append(number)
        self._send()

    def _send(self):
        while self._waiting and (self._idle or len(self._sockets) < self._most):
            number = self._idle.pop() if self._idle else self._opened()
            self._sockets[number].send(self._waiting.popleft())

    def _opened(self):
        s = socket.create_connection(self._address, timeout=10)
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        s.setblocking(False)
        self._sockets[s.fileno()] = s
        self._poll.register(s, select.EPOLLIN)
        return s.fileno()

    def _closed(self, number):
        """The program closes a connection that asks nothing for 10 s; while it owes an answer it must not."""
        if number not in self._idle:
            raise BenchError("the API closed a connection instead of answering")
        self._idle.remove(number)
        self._sockets.pop(number).close()

    def must_all_be_well(self):
        if self.first_failure:
            raise BenchError(f"the API refused a request:\n{self.first_failure}")
