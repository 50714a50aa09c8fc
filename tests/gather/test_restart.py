"""A service that restarts while it is read: nobody listens for a moment, and then it is read to its end."""

from __future__ import annotations

import base64
import threading
import time
from pathlib import Path

import pytest

from compliance.credentials.find import Credential
from compliance.gather.server import read_server
from compliance.inventory.inventory import Entry, Limits
from compliance.model import Unread
from compliance.secret import Secret
from tests.adversary.origin import encrypted
from tests.adversary.service import Service
from tests.canary import CANARY
from tests.host_rows import host_rows
from tests.hosts import NOW, Host, Vm
from tests.wire_rows import wire
from tests.wsman.authority import Authority
from tests.wsman.listener import Listener

LOGIN = base64.b64encode(f"reader:{CANARY}".encode()).decode()
CLOCK = {"Win32_OperatingSystem": [{"Version": "10.0.20348", "LocalDateTime": "2026-11-02T06:30:00Z"}]}


@pytest.mark.slow
def test_a_service_that_restarts_for_a_moment_is_read(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    context = authority.server("127.0.0.1")
    service = Service({**wire(host_rows(Host(vms=[Vm(name="sql01"), Vm(name="sql02")]))), **CLOCK})
    messages, stopped = 0, threading.Event()

    def answer(message: str) -> tuple[int, bytes]:
        nonlocal messages
        messages += 1
        if messages == 8:
            stopped.set()
            raise EOFError
        return service.answer(message)

    before = Listener(encrypted(answer, context, LOGIN))
    port = before.port

    def restart() -> None:
        stopped.wait(30)
        before.close()
        time.sleep(0.3)
        restarted.append(Listener(encrypted(answer, context, LOGIN), port=port))

    restarted: list[Listener] = []
    thread = threading.Thread(target=restart)
    thread.start()
    try:
        entry = Entry(
            name="hv01", address="127.0.0.1", port=port, transport="basic", credential="audit", ca=authority.file
        )
        credential = Credential(username="reader", password=Secret(CANARY))
        reading = read_server(entry, credential, Limits(connect=5, operation=20, server=60), lambda: NOW)
    finally:
        stopped.set()
        thread.join(30)
        for listener in restarted:
            listener.close()
    assert not [answer for answer in reading.classes.values() if isinstance(answer, Unread)]
    assert len(reading.classes["Msvm_ComputerSystem"]) == 3
    assert [note for note in reading.notes if "which was built anew" in note]
