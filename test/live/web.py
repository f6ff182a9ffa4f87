"""HTTP as a client of a node speaks it, and as an attacker does."""

import http.client
import json
import socket

TOKEN = "open-sesame-live"


class Web:
    """Requests to one node; .port and .health_port as `riftbus init` chose them."""

    def __init__(self, cluster, node, token=None):
        self.host, self.node, self.token = "127.0.0.1", node, token
        self.port = cluster.call_port(node) + 2
        self.health_port = cluster.call_port(node) + 3

    def request(self, method, target, body=None, headers=None, port=None, seconds=10):
        """(status, parsed JSON or text, headers)"""
        connection = http.client.HTTPConnection(self.host, port or self.port, timeout=seconds)
        try:
            sent = {"Authorization": f"Bearer {self.token}"} if self.token else {}
            sent.update(headers or {})
            data = None if body is None else body if isinstance(body, (bytes, str)) \
                else json.dumps(body)
            connection.request(method, target, data, sent)
            answer = connection.getresponse()
            text = answer.read().decode()
            is_json = answer.getheader("Content-Type", "").startswith("application/json")
            return answer.status, json.loads(text) if is_json and text else text, answer
        finally:
            connection.close()

    def get(self, target, status=200, **options):
        found, body, _ = self.request("GET", target, **options)
        if found != status:
            raise ValueError(f"GET {target}: {found} {body}")
        return body

    def post(self, target, body=None, status=200, **options):
        found, answer, _ = self.request("POST", target, {} if body is None else body, **options)
        if found != status:
            raise ValueError(f"POST {target}: {found} {answer}")
        return answer

    def connect(self, port=None, seconds=10):
        return socket.create_connection((self.host, port or self.port), timeout=seconds)

    def raw(self, data, seconds=10):
        """What comes back for these bytes until the node hangs up."""
        with self.connect(seconds=seconds) as connection:
            try:
                connection.sendall(data)
            except OSError:
                pass  # it may hang up before it has everything
            received = b""
            try:
                while part := connection.recv(65536):
                    received += part
            except OSError:
                pass
            return received.decode(errors="replace")


class Stream:
    """Server-sent events of a node, one at a time."""

    def __init__(self, web, last_id=None, seconds=10, target="/events"):
        self.connection = web.connect(seconds=seconds)
        headers = f"Last-Event-ID: {last_id}\r\n" if last_id else ""
        if web.token:
            headers += f"Authorization: Bearer {web.token}\r\n"
        self.connection.sendall(
            f"GET {target} HTTP/1.1\r\nHost: 127.0.0.1\r\n{headers}\r\n".encode())
        self.file = self.connection.makefile("rb")
        while self.file.readline().strip():
            pass

    def close(self):
        self.file.close()
        self.connection.close()

    def next(self):
        """{"id":..., "event":..., "data":...}"""
        found = {}
        while True:
            raw = self.file.readline()
            if not raw:
                raise EOFError("the node ended the stream")
            line = raw.decode().rstrip("\n")
            if not line and found:
                return found
            name, _, value = line.partition(": ")
            if name in ("id", "event", "data"):
                found[name] = value
