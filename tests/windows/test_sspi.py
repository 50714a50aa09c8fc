"""Windows' own login library: what it raises counts as a refused login, so that no account is locked by trying on."""

from __future__ import annotations

import pytest
from sspilib import raw

from compliance.errors import Why
from compliance.wsman import failure
from tests.wsman.test_failure import WHERE


@pytest.mark.parametrize("is_caught_by_a_library", [False, True])
def test_what_sspi_itself_raises_is_a_login_refused(is_caught_by_a_library: bool) -> None:
    """No login is needed to see one of its errors: a package that nobody has is refused by number, as a password is."""
    with pytest.raises(OSError, match="-2146893051") as caught:
        raw.acquire_credentials_handle(None, "no such package", raw.CredentialUse.SECPKG_CRED_OUTBOUND)
    error: Exception = caught.value
    assert caught.value.winerror == -2146893051  # SEC_E_SECPKG_NOT_FOUND
    if is_caught_by_a_library:
        error = RuntimeError("exchange failed")
        error.__cause__ = caught.value
    refused = failure.from_exception(error, WHERE, phase="answer", offered=("Negotiate",))
    assert refused.why is Why.LOGIN_REFUSED
    assert "the ntlm login failed: " in str(refused)
