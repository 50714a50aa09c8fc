"""Names of facts that rules say beside their findings (``Outcome.facts``), as people read them."""

from __future__ import annotations

ADDRESSES_NOW = "Address now"
BPA = "Microsoft's BPA would say"
