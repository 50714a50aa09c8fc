"""The socket below: what can't be interrupted is left behind, and what is cut is cut for good."""

from __future__ import annotations

import os
import socket
import threading
import time
from typing import Any

import pytest

from compliance.wsman.wire import Wire, resolve
from tests.wsman.listener import listening


def hangs(*_question: object, **_kind: object) -> list[Any]:
    time.sleep(120)
    return []


def waits(plug: socket.socket) -> None:
    plug.recv(1)


def test_a_lookup_that_hangs_is_left_behind() -> None:
    started = time.monotonic()
    with pytest.raises(TimeoutError):
        resolve("hv01", 5986, 0.05, lookup=hangs)
    assert time.monotonic() - started < 60


def test_the_next_address_is_tried_when_one_refuses() -> None:
    with listening(lambda _plug: None) as listener:
        assert resolve("127.0.0.1", listener.port, 1.0)
        wire = Wire("localhost", listener.port, 1.0)  # ::1 first on most machines, where nobody listens
        with wire.until(time.monotonic() + 1.0):
            wire.open().close()
        wire.close()


def test_nothing_is_opened_when_the_time_is_up() -> None:
    wire = Wire("127.0.0.1", 1, 1.0)
    with wire.until(time.monotonic() - 1.0), pytest.raises(TimeoutError):
        wire.open()


def test_a_cut_reaches_a_socket_that_somebody_else_took_over() -> None:
    with listening(waits) as listener:
        wire = Wire("127.0.0.1", listener.port, 1.0)
        with wire.until(time.monotonic() + 0.2):
            plug = wire.open()
            taken = socket.socket(fileno=plug.detach())  # as ssl does before its handshake
            taken.settimeout(5.0)
            assert ends(taken)
            taken.close()
        assert wire.expired
        wire.close()


def ends(plug: socket.socket) -> bool:
    """Whether nothing more comes: an end on POSIX; on Windows, where we cut it ourselves, WSAESHUTDOWN."""
    try:
        return plug.recv(1) == b""
    except BrokenPipeError:
        return os.name == "nt"


def cut_after(wire: Wire) -> float:
    """Seconds until its open socket is cut."""
    started = time.monotonic()
    with wire.open() as plug:
        plug.settimeout(5.0)
        assert ends(plug)
    return time.monotonic() - started


def watching() -> bool:
    return any(thread.name == "watch of wires" for thread in threading.enumerate())


def test_one_thread_watches_all_wires_and_ends_with_the_last() -> None:
    with listening(waits) as listener:
        wires = [Wire("127.0.0.1", listener.port, 1.0) for _ in range(20)]
        before = threading.active_count()
        for wire in wires:
            with wire.until(time.monotonic() + 60):
                pass
        assert threading.active_count() <= before + 1
        late = Wire("127.0.0.1", listener.port, 1.0)
        with late.until(time.monotonic() + 60):  # what the watch was told first is not what counts
            pass
        with late.until(time.monotonic() + 0.2):
            assert 0.1 < cut_after(late) < 2.0
        assert late.expired
        for wire in (*wires, late):
            wire.close()
        until = time.monotonic() + 5
        while watching() and time.monotonic() < until:
            time.sleep(0.01)
        assert not watching()


def test_a_message_in_time_is_not_cut_by_an_earlier_ones_end() -> None:
    with listening(waits) as listener:
        wire = Wire("127.0.0.1", listener.port, 1.0)
        with wire.until(time.monotonic() + 0.1):
            wire.open().close()
        with wire.until(time.monotonic() + 0.6):
            assert 0.4 < cut_after(wire) < 3.0
        assert wire.expired
        with wire.until(time.monotonic() + 5):
            assert not wire.expired
        wire.close()
