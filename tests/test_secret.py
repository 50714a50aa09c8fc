"""A password shows itself in nothing that prints, stores, copies or logs values."""

from __future__ import annotations

import copy
import json
import logging
import pickle
import pprint
import traceback
from dataclasses import asdict, replace
from functools import partial
from typing import Any

import pytest

from compliance.credentials.find import Credential
from compliance.secret import Environment, Secret
from compliance.world import World
from compliance.wsman.endpoint import Endpoint
from tests.canary import CANARY, is_in

ENVIRON = Environment({"COMPLIANCE_AUDIT_PASSWORD": CANARY})
HOLDERS = [
    Secret(CANARY),
    Credential(username="audit", password=Secret(CANARY)),
    Credential(username="audit", password=CANARY),  # type: ignore[arg-type]  # a bare one, which must not stay so
    Endpoint(address="hv01", username="audit", password=Secret(CANARY)),
    ENVIRON,
    World(environ=ENVIRON),
]


@pytest.mark.parametrize("holder", HOLDERS, ids=lambda holder: type(holder).__name__)
def test_it_does_not_show_itself(holder: Any, caplog: pytest.LogCaptureFixture) -> None:
    shown = [repr(holder), str(holder), f"{holder}", "%s" % [holder], pprint.pformat({1: holder}), ascii(holder)]
    logging.getLogger("anybody").error("%s %r", holder, (holder,))
    with pytest.raises(TypeError) as error:
        json.dumps(holder)
    shown += traceback.TracebackException.from_exception(error.value, capture_locals=True).format()
    shown += [json.dumps({"it": holder}, default=str), caplog.text]
    assert not [text for text in shown if is_in(text.encode())]


@pytest.mark.parametrize("holder", HOLDERS[:4], ids=lambda holder: type(holder).__name__)
def test_it_is_not_pickled(holder: object) -> None:
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        with pytest.raises(TypeError, match="a secret is not pickled"):
            pickle.dumps(holder, protocol)
    for convert in (json.dumps, partial(str.join, "")):
        with pytest.raises(TypeError):
            convert([holder])  # type: ignore[operator]


def test_it_is_compared_and_copied() -> None:
    secret = Secret(CANARY)
    assert secret == Secret(CANARY) != Secret("other")
    assert secret != CANARY
    assert {secret: 1}[Secret(CANARY)] == 1
    assert copy.copy(secret).reveal() == copy.deepcopy(secret).reveal() == CANARY
    assert (bool(secret), bool(Secret(""))) == (True, False)
    credential = Credential(username="audit", password=secret)
    assert replace(credential, username="other").password == asdict(credential)["password"] == secret
    assert credential != Credential(username="audit", password=Secret("another"))


def test_the_environment_is_there_for_who_asks_it() -> None:
    assert ENVIRON["COMPLIANCE_AUDIT_PASSWORD"] == ENVIRON.get("COMPLIANCE_AUDIT_PASSWORD") == CANARY
    assert (dict(ENVIRON), len(ENVIRON)) == ({"COMPLIANCE_AUDIT_PASSWORD": CANARY}, 1)
