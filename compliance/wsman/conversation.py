"""The order of WS-Management messages, without I/O: generators that yield a request and are sent its reply.

A conversation says what comes next, and nothing of sockets::

    def count_rows(resource: str) -> Conversation[int]:
        request = envelope.enumerate_request(resource)
        page = envelope.page((yield request.content), request.message_id)
        rows = len(page.instances)
        while page.context is not None:
            request = envelope.pull_request(resource, page.context)
            page = envelope.page((yield request.content), request.message_id)
            rows += len(page.instances)
        return rows

Whoever holds it sends what it yields, sends back what came, and takes what it returns; :func:`hold` does that::

    rows = hold(count_rows(uri), connection.send)          # in a run
    rows = hold(count_rows(uri), lambda _message: reply)   # in a test, with a canned reply

An error of ``send`` is raised inside the conversation at its ``yield``, so that it may say goodbye (Release) or go on.
A larger conversation takes a smaller one in by ``yield from``.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from compliance.errors import LinkError, LostError, ReadError, Why
from compliance.wsman import envelope
from compliance.wsman.envelope import OPERATION_SECONDS, Identity, Page
from compliance.wsman.fault import Fault
from compliance.wsman.row import ParsedRow

Learned = TypeVar("Learned")
Conversation = Generator[bytes, bytes, Learned]
"""Yields messages, is sent answers, and returns what it learned."""

# Answers of one class. txwinrm stops at 9,999; a host that sends one item a Pull needs as many as it has instances.
MAX_PAGES = 10_000
# Instances of one class. 1,024 machines (a host's limit) with 64 disks or adapters each and a few checkpoints fit.
MAX_INSTANCES = 250_000
# Octets of one class: 250,000 projected instances of half a KB, or 20,000 whole ones of 6 KB.
MAX_OCTETS = 128 * 1024 * 1024
# Of all classes of one host. 1,024 machines with four adapters and twenty checkpoints each give some 120 MB by WQL, and
# two million values; a value costs about a hundred octets of memory here.
MAX_OCTETS_OF_A_HOST = 256 * 1024 * 1024
MAX_CELLS_OF_A_HOST = 4_000_000
# Answers in a row without an instance. Windows sends at most one; OMI repeats the same context, which is no sign.
MAX_EMPTY = 25

_WMI = "http://schemas.microsoft.com/wbem/wsman/1/wmi"


@dataclass(frozen=True, kw_only=True, slots=True)
class Enumeration:
    """All instances of an enumeration. ``repaired``: some text had characters that XML forbids, now U+FFFD."""

    instances: list[ParsedRow]
    repaired: bool
    pages: int


def class_uri(namespace: str, cls: str) -> str:
    """Return a class's resource URI (MS-WSMV 3.1.4.1.1); ``namespace`` with slashes or backslashes."""
    return f"{_WMI}/{namespace.replace(chr(92), '/').strip('/')}/{cls}"


def wildcard_uri(namespace: str) -> str:
    """Return the resource that a WQL query needs: with a class's name in it the host refuses (2150859003)."""
    return class_uri(namespace, "*")


def hold(conversation: Conversation[Learned], send: Callable[[bytes], bytes]) -> Learned:
    """Join ``conversation`` to ``send`` and return what it learned.

    An error of ``send`` is raised inside the conversation, which so knows that its request had no answer.
    """
    step: Callable[[], bytes] = partial(next, conversation)
    while True:
        try:
            request = step()
        except StopIteration as done:
            learned: Learned = done.value
            return learned
        try:
            reply = send(request)
        except ReadError as error:
            step = partial(conversation.throw, error)
        else:
            step = partial(conversation.send, reply)


def identify() -> Conversation[Identity]:
    """Return who answers, as far as the login may know it."""
    return envelope.identity((yield envelope.identify_request().content))


def get(
    resource: str, selectors: Mapping[str, str] | None = None, *, seconds: float = OPERATION_SECONDS
) -> Conversation[ParsedRow]:
    """Return one instance by its keys. Windows wants all of them: Name alone is refused for Msvm_ComputerSystem."""
    request = envelope.get_request(resource, selectors or {}, seconds=seconds)
    return envelope.instance((yield request.content), request.message_id)


def invoke(
    resource: str, method: str, arguments: Mapping[str, str], *, seconds: float = OPERATION_SECONDS
) -> Conversation[ParsedRow]:
    """Return what a method gave that only reads, see ``envelope.READ_ONLY_METHODS``."""
    request = envelope.invoke_request(resource, method, arguments, seconds=seconds)
    return envelope.output((yield request.content), request.message_id, resource, method)


def enumerate_instances(
    resource: str,
    query: str | None = None,
    *,
    seconds: float = OPERATION_SECONDS,
    properties: frozenset[str] | None = None,
    allowance: Allowance | None = None,
) -> Conversation[Enumeration]:
    """Return all instances of ``resource``; started a second time when the host lost the enumeration half-way.

    ``seconds`` is what the host may take for one answer; of each instance only ``properties`` are kept, None means all;
    ``allowance`` is what the host may send in all. Raises Fault, LinkError, or ReadError: BROKEN when the host never
    comes to an end or loses the enumeration again, TOO_LARGE when there is more than any host can have.
    """
    allowance = Allowance() if allowance is None else allowance
    try:
        return (yield from _enumerate_once(resource, query, seconds, properties, allowance))
    except Fault as fault:
        if not fault.context_expired:
            raise
    except _LostEnumerationError:
        pass
    return (yield from _enumerate_once(resource, query, seconds, properties, allowance))


class _LostEnumerationError(ReadError):
    """A Pull was answered as if there were no such class, where an Enumerate of it was answered well: the host lost the
    context. Never ABSENT: whatever the class holds is there, and was not read."""


def _enumerate_once(
    resource: str, query: str | None, seconds: float, properties: frozenset[str] | None, allowance: Allowance
) -> Conversation[Enumeration]:
    harvest = _Harvest(allowance)
    request = envelope.enumerate_request(resource, query, seconds=seconds)
    context = None
    try:
        while True:
            reply = yield request.content
            page = envelope.page(reply, request.message_id, properties)
            context = page.context
            harvest.add(page, len(reply))
            if context is None:
                return harvest.listing()
            request = envelope.pull_request(resource, context, seconds=seconds)
    except LinkError:
        raise
    except ReadError as error:
        if context is not None and error.why is Why.ABSENT:
            raise _LostEnumerationError(f"lost the enumeration half-way: {error}", why=Why.BROKEN) from error
        if context is not None and not _forgotten(error):
            yield from _release(resource, context, seconds)
        raise


def _forgotten(error: ReadError) -> bool:
    return isinstance(error, Fault) and error.context_expired


def _release(resource: str, context: str, seconds: float) -> Conversation[None]:
    """Give the host its memory back. Whatever comes of it, the error that made us leave is the one to tell; but who
    is to send the next message must know that the connection is gone."""
    try:
        yield envelope.release_request(resource, context, seconds=seconds).content
    except LostError:
        raise
    except ReadError:
        return


class Allowance:
    """What one host may send in all its enumerations together: octets as they came, cells as they are kept."""

    def __init__(self, octets: int = MAX_OCTETS_OF_A_HOST, cells: int = MAX_CELLS_OF_A_HOST) -> None:
        self._most = octets, cells
        self._octets, self._cells = octets, cells

    def spend(self, octets: int, instances: list[ParsedRow]) -> None:
        """Raise LinkError (TOO_LARGE) where it is used up: nothing more is asked of such a host."""
        self._octets -= octets
        for row in instances:
            self._cells -= len(row)
            for value in row.values():
                if type(value) is list:
                    self._cells -= len(value)
        if self._octets < 0 or self._cells < 0:
            raise LinkError(
                f"sent more than {self._most[0] >> 20} MiB, or {self._most[1]:,} values, in all: no host has so many",
                why=Why.TOO_LARGE,
            )


class _Harvest:
    """What an enumeration has given so far, and when it is enough."""

    def __init__(self, allowance: Allowance) -> None:
        self._allowance = allowance
        self._instances: list[ParsedRow] = []
        self._pages = self._octets = self._empty = 0
        self._repaired = False

    def add(self, page: Page, octets: int) -> None:
        self._allowance.spend(octets, page.instances)
        self._instances += page.instances
        self._pages += 1
        self._octets += octets
        self._empty = 0 if page.instances else self._empty + 1
        self._repaired = self._repaired or page.repaired
        self._refuse_endless(page)

    def listing(self) -> Enumeration:
        return Enumeration(instances=self._instances, repaired=self._repaired, pages=self._pages)

    def _refuse_endless(self, page: Page) -> None:
        if len(self._instances) > MAX_INSTANCES or self._octets > MAX_OCTETS:
            raise ReadError(
                f"more than {MAX_INSTANCES:,} instances or {MAX_OCTETS >> 20} MiB of one class: no host has so many",
                why=Why.TOO_LARGE,
            )
        if page.last:
            return
        if self._pages >= MAX_PAGES:
            raise ReadError(f"the enumeration has no end: stopped after {MAX_PAGES:,} answers", why=Why.TOO_LARGE)
        if self._empty >= MAX_EMPTY:
            raise ReadError(
                f"the enumeration has no end: {MAX_EMPTY} answers in a row without an instance", why=Why.BROKEN
            )
