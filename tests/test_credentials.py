from __future__ import annotations

import pytest

from compliance.credentials import Credential, find_credential
from compliance.errors import UsageError

USERNAME, PASSWORD = "COMPLIANCE_AUDIT_USERNAME", "COMPLIANCE_AUDIT_PASSWORD"
BOTH = f"credential `audit` is read from the environment, from {USERNAME} and {PASSWORD}: "

MISSING = [
    ({}, f"{USERNAME} and {PASSWORD} are missing or empty"),
    ({USERNAME: "EXAMPLE\\audit"}, f"{PASSWORD} is missing or empty"),
    ({PASSWORD: "canary"}, f"{USERNAME} is missing or empty"),
    ({USERNAME: "EXAMPLE\\audit", PASSWORD: ""}, f"{PASSWORD} is missing or empty"),
    ({USERNAME: "", PASSWORD: "canary"}, f"{USERNAME} is missing or empty"),
]


@pytest.mark.parametrize("name", ["audit", "AUDIT"])
def test_it_comes_from_the_environment(name: str) -> None:
    environ = {USERNAME: "EXAMPLE\\audit", PASSWORD: " canary "}
    assert find_credential(name, environ) == Credential(username="EXAMPLE\\audit", password=" canary ")


@pytest.mark.parametrize(("environ", "missing"), MISSING)
def test_the_error_names_both_variables_and_the_missing_one(environ: dict[str, str], missing: str) -> None:
    with pytest.raises(UsageError) as error:
        find_credential("audit", environ)
    assert str(error.value) == BOTH + missing


def test_the_password_is_not_shown() -> None:
    credential = Credential(username="audit", password="canary")
    assert "canary" not in f"{credential!r} {credential!s} {credential} {[credential]}"
    assert credential != Credential(username="audit", password="another")
