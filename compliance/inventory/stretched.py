"""Sites that share their networks, so that an address is valid at each of them: `stretched: [[berlin, frankfurt]]`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from difflib import get_close_matches

from compliance.errors import InventoryError
from compliance.words import quote


@dataclass(frozen=True, kw_only=True, slots=True)
class SiteMention:
    """A site's name, and where it stands: ``file:line: stretched[0][1]``."""

    site: str
    place: str


Stretch = tuple[SiteMention, ...]


def refuse_doubled_sites(stretches: Iterable[Stretch]) -> None:
    """Raise InventoryError where a site is named twice: two lists that share one would be one list."""
    first: dict[str, str] = {}
    mistakes = []
    for mention in _mentions(stretches):
        place = first.setdefault(mention.site, mention.place)
        if place != mention.place:
            mistakes.append(
                f"{mention.place}: {quote(mention.site)} is on {place} already: sites that share their "
                "networks stand in one list"
            )
    if mistakes:
        raise InventoryError("\n".join(mistakes))


def refuse_unknown_sites(stretches: Iterable[Stretch], sites: Iterable[str | None]) -> None:
    """Raise InventoryError for each name that is no server's `site`."""
    known = {site for site in sites if site is not None}
    mistakes = []
    for mention in _mentions(stretches):
        if mention.site not in known:
            by_letters = {site.casefold(): site for site in known}
            near = get_close_matches(mention.site.casefold(), by_letters, 1)
            hint = f" (did you mean {quote(by_letters[near[0]])}?)" if near else ""
            mistakes.append(f"{mention.place}: no server's `site` is {quote(mention.site)}{hint}")
    if mistakes:
        raise InventoryError("\n".join(mistakes))


def _mentions(stretches: Iterable[Stretch]) -> Iterator[SiteMention]:
    for stretch in stretches:
        yield from stretch
