"""What an NTLM session must be made of: who stands between can strike words out of the server's challenge."""

from __future__ import annotations

from typing import Any

from spnego import ContextReq

# Flags of NTLM (MS-NLMP 2.2.2.5). Without extended session security a signature is a checksum that anybody can mend;
# without 128 a key has 40 or 56 bits. A server takes all of them where it is asked for them, and pyspnego asks.
_EXTENDED_SESSION_SECURITY = 0x00080000
_KEY_OF_128_BITS = 0x20000000
_NTLM_TERMS = _EXTENDED_SESSION_SECURITY | _KEY_OF_128_BITS
_SIGNED_AND_SEALED = ContextReq.integrity | ContextReq.confidentiality


def is_weak(context: Any) -> bool:
    """Return whether a session of pyspnego's NTLM does not sign and seal by keys of 128 bits."""
    flags = context._context_attr  # noqa: SLF001  # as the server chose them; what is public leaves the keys out
    return bool(context.context_attr & _SIGNED_AND_SEALED != _SIGNED_AND_SEALED or flags & _NTLM_TERMS != _NTLM_TERMS)
