"""A CURVE client that writes ZMTP by hand, to say in the handshake what libzmq never would.

ZMTP 3.0 (RFC 23) and CurveZMQ (RFC 26) over a plain socket, with libsodium's boxes. Just enough to
be admitted with chosen metadata and to exchange messages.
"""

import ctypes
import ctypes.util
import os
import socket
import struct

from zmq.utils import z85

_sodium = ctypes.CDLL(ctypes.util.find_library("sodium"))
_MAC_BYTES = 16


class Refused(Exception):
    """The other side ended the handshake."""


def _box(plain, nonce, public, secret):
    cipher = ctypes.create_string_buffer(len(plain) + _MAC_BYTES)
    size = ctypes.c_ulonglong(len(plain))
    if _sodium.crypto_box_easy(cipher, plain, size, nonce, public, secret):
        raise ValueError("crypto_box_easy")
    return cipher.raw


def _unbox(cipher, nonce, public, secret):
    plain = ctypes.create_string_buffer(len(cipher) - _MAC_BYTES)
    size = ctypes.c_ulonglong(len(cipher))
    if _sodium.crypto_box_open_easy(plain, cipher, size, nonce, public, secret):
        raise ValueError("a box that does not open")
    return plain.raw


def _property(name, value):
    return bytes([len(name)]) + name + struct.pack(">I", len(value)) + value


class CurveClient:
    """Connected and admitted once it exists; Refused otherwise. `metadata` is a list of pairs."""

    def __init__(self, host, port, key, server_public, metadata):
        self.public, self.secret = z85.decode(key["public"]), z85.decode(key["secret"])
        self.server = z85.decode(server_public)
        short_public, self.short_secret = (ctypes.create_string_buffer(32) for _ in range(2))
        _sodium.crypto_box_keypair(short_public, self.short_secret)
        self.short_public = short_public.raw
        self.count = 0
        self.socket = socket.create_connection((host, port), timeout=10)
        self._greet()
        cookie = self._hello()
        self._initiate(cookie, b"".join(_property(*pair) for pair in metadata))

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def send(self, payload):
        number = self._number()
        box = _box(b"\0" + payload, b"CurveZMQMESSAGEC" + number, self.server_short,
                   self.short_secret)
        self._write(0, b"\x07MESSAGE" + number + box)

    def receive(self, seconds):
        """The payload of the next message; None if none comes in time."""
        self.socket.settimeout(seconds)
        try:
            while True:
                body = self._read()
                if body.startswith(b"\x07MESSAGE"):
                    return _unbox(body[16:], b"CurveZMQMESSAGES" + body[8:16], self.server_short,
                                  self.short_secret)[1:]
        except (TimeoutError, socket.timeout):
            return None

    # ---- handshake ------------------------------------------------------------------------------

    def _greet(self):
        self.socket.sendall(b"\xff" + bytes(8) + b"\x7f\x03\x00" + b"CURVE".ljust(20, b"\0") +
                            bytes(32))
        self._read_exactly(64)

    def _hello(self):
        number = self._number()
        box = _box(bytes(64), b"CurveZMQHELLO---" + number, self.server, self.short_secret)
        self._write(4, b"\x05HELLO\x01\x00" + bytes(72) + self.short_public + number + box)
        body = self._read()
        if not body.startswith(b"\x07WELCOME"):
            raise Refused(body)
        plain = _unbox(body[24:], b"WELCOME-" + body[8:24], self.server, self.short_secret)
        self.server_short = plain[:32]
        return plain[32:]

    def _initiate(self, cookie, metadata):
        vouch_number = os.urandom(16)
        vouch = vouch_number + _box(self.short_public + self.server, b"VOUCH---" + vouch_number,
                                    self.server_short, self.secret)
        number = self._number()
        box = _box(self.public + vouch + metadata, b"CurveZMQINITIATE" + number, self.server_short,
                   self.short_secret)
        self._write(4, b"\x08INITIATE" + cookie + number + box)
        try:
            body = self._read()
        except (ConnectionError, TimeoutError, socket.timeout) as error:
            raise Refused(str(error)) from error
        if not body.startswith(b"\x05READY"):
            raise Refused(body)

    # ---- frames ---------------------------------------------------------------------------------

    def _number(self):
        self.count += 1
        return struct.pack(">Q", self.count)

    def _write(self, flags, body):
        if len(body) < 256:
            self.socket.sendall(bytes([flags, len(body)]) + body)
        else:
            self.socket.sendall(bytes([flags | 2]) + struct.pack(">Q", len(body)) + body)

    def _read(self):
        flags = self._read_exactly(1)[0]
        if flags & 2:
            size = struct.unpack(">Q", self._read_exactly(8))[0]
        else:
            size = self._read_exactly(1)[0]
        return self._read_exactly(size)

    def _read_exactly(self, size):
        data = b""
        while len(data) < size:
            part = self.socket.recv(size - len(data))
            if not part:
                raise ConnectionError("hung up")
            data += part
        return data
