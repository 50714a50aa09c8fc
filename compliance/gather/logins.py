"""Which peers may be asked now: a password that two servers refused is tried on no third one."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

from compliance.credentials.find import Credential
from compliance.credentials.lockout import Lockout
from compliance.errors import Why
from compliance.gather.peers import Peer, PeerResult
from compliance.model import Unread


class Lockouts:
    """The passwords of a run, each with what servers made of it."""

    def __init__(self, credentials: Mapping[str, Credential], patience: float) -> None:
        self._credentials = credentials
        self._patience = patience  # seconds, see Lockout
        self._by_name: dict[str, Lockout] = {}

    def next_of(self, waiting: Sequence[Peer]) -> Peer | None:
        """Return the first one whose login may be tried now."""
        now = time.monotonic()
        return next((peer for peer in waiting if self._lockout(peer).may_ask(now)), None)

    def refusal_of(self, peer: Peer) -> Unread | None:
        """Return why a peer is not to be asked at all, where that is so."""
        lockout = self._lockout(peer)
        if not lockout.is_shut:
            return None
        credential = self._credentials.get(peer.entry.login or "")
        login = (credential and credential.origin) or "the same login"
        refused = f"{' and '.join(lockout.refused_by)} refused {login}"
        return Unread(f"not tried: {refused}, and more attempts could lock the account", Why.LOGIN_REFUSED)

    def ask(self, peer: Peer) -> None:
        self._lockout(peer).ask(peer.name, time.monotonic())

    def took(self, peer: Peer) -> None:
        self._lockout(peer).took(peer.name)

    def answered(self, peer: Peer, result: PeerResult) -> None:
        refused = isinstance(result, Unread) and result.why is Why.LOGIN_REFUSED
        self._lockout(peer).answered(peer.name, refused=refused)

    def _lockout(self, peer: Peer) -> Lockout:
        name = peer.entry.login
        credential = self._credentials.get(name) if name else None
        if name is None or credential is None or not credential.password:
            return Lockout(patience=0, is_taken=True)  # tickets and certificates lock nobody out
        return self._by_name.setdefault(name, Lockout(patience=self._patience))
