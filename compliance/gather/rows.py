"""One class's rows: as few properties as we need, by WQL; the whole class where WQL is refused."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from compliance.errors import LinkError, ReadError, Why
from compliance.hyperv import queries
from compliance.hyperv.queries import Query
from compliance.model import Row
from compliance.wsman.conversation import Allowance, class_uri, enumerate_instances, hold, wildcard_uri
from compliance.wsman.fault import Fault

DOUBTS = 2
"""Classes of a namespace whose queries are refused before WQL itself is: one may be refused for a property that the
server does not know, and the fault is the same (2150858778, recorded)."""


@dataclass(slots=True)
class RowReader:
    """What one server's classes give, and what it refused to give. ``seconds`` it may take for one answer."""

    send: Callable[[bytes], bytes]
    seconds: float
    too_large: list[str] = field(default_factory=list)
    _allowance: Allowance = field(default_factory=Allowance)
    _refused: dict[str, list[str]] = field(default_factory=dict)  # namespace -> classes whose queries it refused
    _without_wql: set[str] = field(default_factory=set)  # namespaces
    _with_wql: set[str] = field(default_factory=set)
    _notes: list[str] = field(default_factory=list)

    def notes(self) -> Iterator[str]:
        """Yield what is odd about its answers, a line each."""
        yield from self._notes
        for namespace, classes in self._refused.items():
            if namespace in self._without_wql:
                yield queries.refuses_wql(namespace)
            else:
                yield from (f"refused the query of {name}, which was enumerated whole" for name in classes)

    def read_rows(self, query: Query) -> Sequence[Row]:
        """Return the rows of one class, each with the properties that were asked for and no other.

        Raises ReadError. Some hosts refuse WQL in root/virtualization/v2 (r4sd/go-wsman); an invalid class gives the
        same fault, so what a plain enumeration says decides.
        """
        refusal = None
        if query.namespace not in self._without_wql:
            try:
                projected = self._read_projection(query)
            except LinkError:
                raise
            except ReadError as error:
                if error.why not in (Why.REFUSED, Why.ABSENT) or _lacks_namespace(query, error):
                    raise
                refusal = error
            else:
                self._with_wql.add(query.namespace)
                if projected is not None:
                    return projected
        whole = self._enumerate(query, class_uri(query.namespace, query.class_name), None)
        if refusal is not None:
            self._doubt(query, refusal)
        return whole

    def _read_projection(self, query: Query) -> Sequence[Row] | None:
        """Return the rows by WQL, without what is bulky where they are too large with it; None where they still are."""
        for attempt in (query, *([query.slim] if query.bulky else [])):
            try:
                rows = self._enumerate(attempt, wildcard_uri(query.namespace), attempt.wql)
            except ReadError as error:
                if _is_too_large(error):
                    continue
                raise
            if attempt is not query:
                self._leave_out(query)
            return rows
        return None

    def _doubt(self, query: Query, refusal: ReadError) -> None:
        """Take a query's refusal for one of WQL where the fault is that exact, or where no query of the namespace was
        answered and this is not the first."""
        classes = self._refused.setdefault(query.namespace, [])
        classes.append(query.class_name)
        is_exact = isinstance(refusal, Fault) and refusal.refuses_dialect
        if is_exact or (len(classes) >= DOUBTS and query.namespace not in self._with_wql):
            self._without_wql.add(query.namespace)

    def _leave_out(self, query: Query) -> None:
        self.too_large += [f"{query.class_name}.{name}" for name in query.bulky]
        self._notes.append(
            f"can't send {', '.join(query.bulky)} of {query.class_name}, which is larger than its MaxEnvelopeSizekb: "
            "it was not read"
        )

    def _enumerate(self, query: Query, resource: str, wql: str | None) -> Sequence[Row]:
        conversation = enumerate_instances(
            resource, wql, seconds=self.seconds, properties=frozenset(query.properties), allowance=self._allowance
        )
        listing = hold(conversation, self.send)
        if listing.repaired:
            self._notes.append(f"sent characters in {query.class_name} that XML forbids; they stand as U+FFFD")
        return listing.instances


def _lacks_namespace(query: Query, error: ReadError) -> bool:
    """Return whether the namespace is not there. Most servers have no failover clustering: one message is enough to
    hear it, where the fault is that exact."""
    return query.namespace == queries.MSCLUSTER and error.why is Why.ABSENT


def _is_too_large(error: ReadError) -> bool:
    """Return whether the server says so itself, not our caps: nobody asks again a server that sends without end."""
    return isinstance(error, Fault) and error.why is Why.TOO_LARGE
