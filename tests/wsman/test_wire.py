"""The socket below: what can't be interrupted is left behind, and what is cut is cut for good."""

from __future__ import annotations

import socket
import time
from typing import Any

import pytest

from compliance.wsman.wire import Wire, resolve
from tests.wsman.listener import listening


def hangs(*_question: object, **_kind: object) -> list[Any]:
    time.sleep(0.5)
    return []


def waits(plug: socket.socket) -> None:
    plug.recv(1)


def test_a_lookup_that_hangs_is_left_behind() -> None:
    started = time.monotonic()
    with pytest.raises(TimeoutError):
        resolve("hv01", 5986, 0.05, lookup=hangs)
    assert time.monotonic() - started < 0.4


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
            assert taken.recv(1) == b""
            taken.close()
        assert wire.expired
        wire.close()
