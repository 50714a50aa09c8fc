"""A hundred guests over ssh side by side, five of them dead: seconds, CPU and connections, and what stays behind.

    .venv/bin/python benchmarks/guests.py [--guests 100] [--threads 32]

Every guest is this machine, behind a port of its own of one OpenSSH server (Debian: openssh-server). Beside it stands
what the same logins cost by `ssh … true` in a shell's loop, as many at a time: what is ours is the rest.
"""

from __future__ import annotations

import argparse
import os
import resource
import socket
import subprocess
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

from compliance.gather.gather import gather
from compliance.inventory.entries import Limits
from compliance.inventory.guests import GuestEntry
from compliance.model import Unread
from tests.builders import inventory
from tests.guests.sshd import Sshd, sshd
from tests.lab import closed_port

PORTS = 15  # one sshd listens on sixteen at most
DEAD = ("nobody listens", "nobody listens", "says nothing", "says nothing", "hangs after the login")


def main() -> None:
    parser = argparse.ArgumentParser(description="many guests over ssh")
    parser.add_argument("--guests", type=int, default=100)
    parser.add_argument("--threads", type=int, default=32)
    options = parser.parse_args()
    alive = options.guests - len(DEAD)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        servers = [
            serving(stack, folder / f"sshd{number}", min(PORTS, alive - start))
            for number, start in enumerate(range(0, alive, PORTS))
        ]
        entries = [entry(server, port) for server, ports in servers for port in ports]
        first = servers[0][0]
        hanging = stack.enter_context(sshd(folder / "hanging", instead="sleep 600"))
        silent = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(2)]
        entries += [entry(first, port) for port in (closed_port(), closed_port())]
        entries += [entry(first, one.getsockname()[1]) for one in silent]
        entries.append(hanging.entry(machine=("hanging",)))
        limits = Limits(connect=10, operation=30, server=60, threads=options.threads)

        seconds, cpu = plain(entries[:alive], options.threads)
        print(f"ssh … true, {options.threads} at a time: {alive} guests in {seconds:.1f} s, {cpu:.1f} s of CPU")

        before, started, used = connections(servers), time.monotonic(), spent()
        found = gather(inventory([], guests=tuple(entries), limits=limits), {}, tool="benchmark")
        seconds, cpu = time.monotonic() - started, spent() - used
        unread = [one.reading for one in found.guests if isinstance(one.reading, Unread)]
        print(
            f"gathered, {options.threads} at a time: {len(found.guests)} guests in {seconds:.1f} s, {cpu:.1f} s of CPU"
        )
        print(f"{len(found.guests) - len(unread)} were read over {connections(servers) - before} connections")
        for reading in unread:
            print(f"  {reading.why}: {reading.reason}")
        print(f"ssh clients left behind: {left(folder)}")


def serving(stack: ExitStack, folder: Path, count: int) -> tuple[Sshd, list[int]]:
    ports = [closed_port() for _ in range(count - 1)]
    server = stack.enter_context(sshd(folder, more="\n".join(f"Port {port}" for port in ports)))
    key = (folder / "host.pub").read_text("ascii").split()
    (folder / "known_hosts").write_text(f"[127.0.0.1]:* {key[0]} {key[1]}\n", encoding="ascii")
    return server, [server.port, *ports]


def connections(servers: list[tuple[Sshd, list[int]]]) -> int:
    return sum(server.connections for server, _ in servers)


def entry(server: Sshd, port: int) -> GuestEntry:
    at = server.entry().connection.rpartition(":")[0]
    return server.entry(connection=f"{at}:{port}", machine=(f"guest{port}",))


def plain(entries: list[GuestEntry], threads: int) -> tuple[float, float]:
    started, used = time.monotonic(), spent()
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(login, entries))
    return time.monotonic() - started, spent() - used


def login(one: GuestEntry) -> None:
    options = [
        "-F",
        one.ssh_config,
        "-i",
        one.key,
        "-o",
        f"UserKnownHostsFile={one.known_hosts}",
        "-o",
        "BatchMode=yes",
    ]
    where, _, port = one.endpoint.rpartition(":")
    subprocess.run(["ssh", *map(str, options), "-p", port, where, "true"], check=True, stdin=subprocess.DEVNULL)


def spent() -> float:
    """Seconds of CPU, ours and those of the ssh clients that have ended; the server's are not in it."""
    return sum(
        usage.ru_utime + usage.ru_stime
        for usage in (resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN))
    )


def left(folder: Path) -> int:
    listed = subprocess.run(["ps", "-ww", "-eo", "ppid,args"], capture_output=True, text=True, check=True).stdout
    ours = [line for line in listed.splitlines() if line.split()[0] == str(os.getpid())]
    return sum(str(folder) in line and "ssh -" in line for line in ours)


if __name__ == "__main__":
    main()
