"""Where the documentation is published. Whoever publishes it sets its address here, once: reports link to its pages.

Without an address reports name a page by its title, never by a file: an installed wheel brings no ``docs`` folder.
"""

from __future__ import annotations

ADDRESS = ""
"""The site's first page, with a slash at its end (``https://docs.example/hyperv-compliance/``); empty: none."""


def page_link(name: str, address: str = ADDRESS) -> str | None:
    """Return the address of a page (``rules/server-was-read``), or None where the site has none."""
    return f"{address}{name}.html" if address else None


def page_reference(title: str, name: str, address: str = ADDRESS) -> str:
    """Return how a text names a page: its title, and its address where the site has one."""
    link = page_link(name, address)
    return f'"{title}" in the documentation' + (f" ({link})" if link else "")


THE_WAY_PAGE = page_reference("How a failover address travels", "failover-address")
"""The page on each step of the address, for the texts of rules."""
