"""For tunnel.py: what many sessions cost a server, and a server of bytes at their other end.

The client's side is one process, tunnel_crowd, which costs the same with either server.
"""

import multiprocessing
import os
import shutil
import socket
import struct
import subprocess
import tempfile
import threading

from relay import Relay
from sshd import Sshd, wait_until

CROWD = os.path.join(os.environ.get("RIFTBUS_BIN", "build/release/bin"), "tunnel_crowd")
PAUSE = threading.Event()  # never set: only waited on
CHUNK = 1 << 20


def receive(connection, count):
    buffer = bytearray(CHUNK)
    while count > 0:
        size = connection.recv_into(buffer, min(count, CHUNK))
        if size == 0:
            raise OSError("ended early")
        count -= size


def send(connection, count):
    buffer = memoryview(os.urandom(CHUNK))
    while count > 0:
        connection.sendall(buffer[:min(count, CHUNK)])
        count -= min(count, CHUNK)


def serve_bytes(connection):
    with connection:
        order, count = struct.unpack(">cQ", connection.recv(9, socket.MSG_WAITALL))
        if order == b"G":
            send(connection, count)
            connection.recv(1)
        else:
            receive(connection, count)
            connection.sendall(b".")


def serve_all(listener):
    while True:
        connection, _ = listener.accept()
        threading.Thread(target=serve_bytes, args=(connection,), daemon=True).start()


def pss_kb(pids):
    total = 0
    for pid in pids:
        try:
            with open(f"/proc/{pid}/smaps_rollup", encoding="utf-8") as file:
                total += next(int(line.split()[1]) for line in file if line.startswith("Pss:"))
        except (FileNotFoundError, ProcessLookupError, StopIteration):
            pass
    return total


def cpu_s(pid):
    with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def hold_crowd(count, keys, server, port):
    process = subprocess.Popen([CROWD, "hold", str(count), keys, server, str(port)],
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    said = process.stdout.readline()
    assert said.startswith("up "), said
    return process, float(said.split()[1])


def release(process):
    process.stdin.close()
    process.wait(timeout=60)


def keys_of(count, keys):
    return subprocess.run([CROWD, "keys", str(count), keys], check=True, capture_output=True,
                          text=True).stdout.splitlines()


def crowd_at_relay(count, keys, port, idle_s):
    relay = Relay("--relay-strangers-per-address-max", "64", "--relay-sessions-max", "2000",
                  "--relay-sessions-per-address-max", "2000")
    relay.allow(*keys_of(count, keys))
    relay.start()
    try:
        empty, cpu = pss_kb([relay.process.pid]), cpu_s(relay.process.pid)
        process, setup = hold_crowd(count, keys, relay.server(), port)
        result = {"setup_s": setup, "setup_cpu_s": cpu_s(relay.process.pid) - cpu}
        cpu = cpu_s(relay.process.pid)
        PAUSE.wait(idle_s)
        result["idle_cpu"] = (cpu_s(relay.process.pid) - cpu) / idle_s
        result["pss_kb"] = pss_kb([relay.process.pid])
        result["pss_per_session_kb"] = (result["pss_kb"] - empty) / count
        names = [each for each in os.listdir(relay.socket("")) if each.startswith("crowd-")]
        result["echoed"] = sum(echoes(relay.socket(name)) for name in names)
        release(process)
        return result
    finally:
        relay.close()


def echoes(path):
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(10)
        connection.connect(path)
        connection.sendall(struct.pack(">cQ", b"P", 0))
        return connection.recv(1) == b"."


def crowd_at_sshd(count, keys, port):
    sshd = Sshd(["MaxStartups 1000"])
    with open(sshd.authorized, "w", encoding="utf-8") as file:
        file.writelines(f"restrict,port-forwarding {line}\n" for line in keys_of(count, keys))
    # The first value of a setting holds: this one comes last.
    with open(sshd.path("config"), encoding="utf-8") as file:
        text = file.read().replace("MaxStartups 50:30:200\n", "").replace("DEBUG1", "ERROR")
    with open(sshd.path("config"), "w", encoding="utf-8") as file:
        file.write(text)
    sshd.start()
    try:
        empty = pss_kb(sshd.family())
        process, setup = hold_crowd(count, keys, sshd.server(), port)
        family = sshd.family()
        total = pss_kb(family)
        release(process)
        return {"setup_s": setup, "processes": len(family), "pss_kb": total,
                "pss_per_session_kb": (total - empty) / count}
    finally:
        sshd.close()


def measure_crowd(quick):
    keys = tempfile.mkdtemp(prefix="riftbus-crowd-")
    os.chmod(keys, 0o700)
    listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
    target = multiprocessing.Process(target=serve_all, args=(listener,), daemon=True)
    target.start()
    port = listener.getsockname()[1]
    try:
        result = {"relay, 200": crowd_at_relay(200, keys, port, 3 if quick else 10),
                  "sshd, 200": crowd_at_sshd(200, keys, port),
                  "relay, 1000": crowd_at_relay(1000, keys, port, 3 if quick else 20)}
    finally:
        target.terminate()
        shutil.rmtree(keys, ignore_errors=True)
    for name, values in result.items():
        print(f"crowd       {name:11} " + "  ".join(
            f"{key} {value:.4g}" for key, value in values.items()), flush=True)
    return result


def measure_soak(quick):
    """Memory of one relay over many sessions and connections, after the first round of them."""
    keys = tempfile.mkdtemp(prefix="riftbus-crowd-")
    os.chmod(keys, 0o700)
    listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
    target = multiprocessing.Process(target=serve_all, args=(listener,), daemon=True)
    target.start()
    relay = Relay("--relay-strangers-per-address-max", "64",
                  "--relay-sessions-per-address-max", "2000")
    relay.allow(*keys_of(100, keys))
    relay.start()
    resident, result = [], {"sessions": 0, "connections": 0}
    try:
        for _ in range(3 if quick else 6):
            process, _ = hold_crowd(100, keys, relay.server(), listener.getsockname()[1])
            names = [each for each in os.listdir(relay.socket("")) if each.startswith("crowd-")]
            result["sessions"] += len(names)
            for name in names * 10:
                result["connections"] += echoes(relay.socket(name))
            release(process)
            wait_until(lambda: not any(each.startswith("crowd-")
                                       for each in os.listdir(relay.socket(""))), "all are gone")
            resident.append(relay.resident_kb())
    finally:
        relay.close()
        target.terminate()
        shutil.rmtree(keys, ignore_errors=True)
    result |= {"rss_kb": resident[0], "growth_kb": resident[-1] - resident[0]}
    print("soak        " + "  ".join(f"{key} {value}" for key, value in result.items()), flush=True)
    return result
