"""Kerberos tickets from keytabs, kept in this process: nothing is written, and no cache that is there is touched.

pykerberos takes its ticket from GSSAPI's default cache. That one is chosen by thread (``gss_krb5_ccache_name`` of MIT's
gssapi_krb5.h), so servers with a keytab and servers with the user's own ticket are read side by side. To name the
principal, or to set KRB5CCNAME, would not do: an in-memory cache is found only where it is the default itself, and then
no other is found, neither the user's own nor that of a second keytab (measured with MIT 1.20).
"""

from __future__ import annotations

import ctypes
import importlib
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from compliance.errors import LinkError, UsageError, Why
from compliance.words import join_names, shorten
from compliance.wsman import realm
from compliance.wsman.endpoint import Endpoint
from compliance.wsman.login_causes import NO_LIBRARY

MOST_ENTRIES = 1000
CHOOSES_CACHES = os.name == "posix"
"""Windows has one cache for each session, and its library takes a principal by name."""


class Ticket:
    """A keytab's ticket, asked for once, by the first server that needs it; ``cache`` is its credential cache's name.

    Whoever needs it meanwhile waits. A KDC that does not answer costs 27 s, whatever krb5.conf says of timeouts; other
    threads go on meanwhile, as pykerberos and krb5 let go of the interpreter (measured with MIT 1.20).
    """

    def __init__(self, keytab: Path, principal: str | None = None) -> None:
        """Read the keytab. Raises UsageError where that can't be, or where it holds no key of ``principal``."""
        self.principal = _principal_of(keytab, principal)
        self._keytab = keytab
        self._lock = threading.Lock()
        self._cache: str | LinkError | None = None

    def cache(self) -> str:
        """Return the cache's name. Raises LinkError, to every server, where the KDC gave none."""
        with self._lock:
            if self._cache is None:
                self._cache = self._fetched()
        if isinstance(self._cache, LinkError):
            raise LinkError(str(self._cache), why=self._cache.why) from self._cache
        return self._cache

    def _fetched(self) -> str | LinkError:
        krb5 = _krb5(self._keytab)
        try:
            context = krb5.init_context()
            keys = krb5.kt_resolve(context, f"FILE:{self._keytab}".encode())
            principal = krb5.parse_name_flags(context, self.principal.encode())
            options = krb5.get_init_creds_opt_alloc(context)
            credentials = krb5.get_init_creds_keytab(context, principal, options, keys)
            cache = krb5.cc_new_unique(context, b"MEMORY")  # lives until the process ends, whoever lets go of it
            krb5.cc_initialize(context, cache, principal)
            krb5.cc_store_cred(context, cache, credentials)
        except krb5.Krb5Error as error:
            why, text = realm.explain_code(error.err_code, str(error))
            return LinkError(f"no ticket for {shorten(self.principal, 80)} from {self._keytab}: {text}", why=why)
        return f"MEMORY:{cache.name.decode()}"


@contextmanager
def drawn_by(endpoint: Endpoint) -> Iterator[None]:
    """Within this context, this thread's Kerberos logins take their ticket from the endpoint's own cache, from the one
    that holds its principal's, or from the default one where it names neither.

    Raises LinkError where no ticket is to be had.
    """
    try:
        cache = _cache_of(endpoint)
    except LinkError as error:
        raise LinkError(f"{endpoint}: {error}", why=error.why) from error
    if cache is None:
        yield
        return
    choose = _chooser()
    choose(cache.encode())
    try:
        yield
    finally:
        choose(None)


def _cache_of(endpoint: Endpoint) -> str | None:
    if endpoint.cache is not None:
        return endpoint.cache()
    if endpoint.transport != "kerberos" or not endpoint.username or not CHOOSES_CACHES:
        return None
    try:
        importlib.import_module("kerberos")
        krb5 = importlib.import_module("krb5")
    except ImportError as error:
        raise LinkError(NO_LIBRARY.format("kerberos"), why=Why.LOGIN_IMPOSSIBLE) from error
    try:
        context = krb5.init_context()
        principal = krb5.parse_name_flags(context, endpoint.username.encode())
        cache = krb5.cc_cache_match(context, principal)
        return f"{(cache.cache_type or b'FILE').decode()}:{cache.name.decode()}"
    except krb5.Krb5Error as error:
        why, text = realm.explain_code(error.err_code, str(error))
        raise LinkError(f"no Kerberos ticket for this host: {text}", why=why) from error


def _chooser() -> Callable[[bytes | None], None]:
    # By the handle of pykerberos, so that it is the very library that pykerberos was linked with.
    choice = ctypes.CDLL(importlib.import_module("kerberos").__file__).gss_krb5_ccache_name
    choice.argtypes = [ctypes.POINTER(ctypes.c_uint32), ctypes.c_char_p, ctypes.c_void_p]
    choice.restype = ctypes.c_uint32

    def choose(name: bytes | None) -> None:
        minor = ctypes.c_uint32(0)
        if choice(ctypes.byref(minor), name, None):
            raise LinkError(f"GSSAPI refuses the credential cache (minor code {minor.value})", why=Why.LOGIN_REFUSED)

    return choose


def _principal_of(keytab: Path, wanted: str | None) -> str:
    krb5 = _krb5(keytab)
    try:
        with keytab.open("rb"):
            pass  # its reason is the plainer one
        context = krb5.init_context()
        held = _names_in(krb5, context, keytab)
        if wanted is not None:  # with the default realm, where it names none
            wanted = krb5.unparse_name_flags(context, krb5.parse_name_flags(context, wanted.encode())).decode()
    except OSError as error:
        raise UsageError(f"{keytab}: the keytab can't be read: {error.strerror}") from error
    except krb5.Krb5Error as error:
        raise UsageError(f"{keytab}: no keytab: {realm.explain_code(error.err_code, str(error))[1]}") from error
    names = join_names(held)
    if not held:
        raise UsageError(f"{keytab}: the keytab holds no key")
    if wanted is None and len(held) > 1:
        raise UsageError(f"{keytab}: the keytab holds keys of {names}: name one of them as `principal:`")
    if wanted is not None and wanted not in held:
        raise UsageError(f"{keytab}: the keytab holds no key of {shorten(wanted, 80)}; it holds keys of {names}")
    return wanted or held[0]


def _names_in(krb5: Any, context: Any, keytab: Path) -> list[str]:
    """Return whose keys it holds, each once. As text at once: a principal doesn't outlive its entry in krb5 0.10."""
    names: dict[str, None] = {}
    for _, entry in zip(range(MOST_ENTRIES), krb5.kt_resolve(context, f"FILE:{keytab}".encode()), strict=False):
        names[krb5.unparse_name_flags(context, entry.principal).decode(errors="replace")] = None
    return list(names)


def _krb5(keytab: Path) -> Any:
    try:
        importlib.import_module("kerberos")
        return importlib.import_module("krb5")
    except ImportError as error:
        raise UsageError(
            f"{keytab}: a keytab needs pykerberos and krb5, which are not on Windows:"
            f' pip install "hyperv-compliance[kerberos]" ({shorten(str(error), 80)})'
        ) from error
