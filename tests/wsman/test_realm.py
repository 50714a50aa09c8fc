"""What Kerberos says, taken apart. The texts are pykerberos' and krb5's own, recorded with MIT 1.20."""

from __future__ import annotations

import pytest

from compliance.errors import Why
from compliance.wsman import realm

GSSAPI = (
    "authGSSClientStep() failed: (('Unspecified GSS failure.  Minor code may provide more information', 851968), {})"
)


@pytest.mark.parametrize(
    ("inner", "why", "told"),
    [
        (
            "('Server HTTP/10.0.0.1@LAB.EXAMPLE not found in Kerberos database', -1765328377)",
            Why.LOGIN_REFUSED,
            "Server HTTP/10.0.0.1@LAB.EXAMPLE not found in Kerberos database; set `address:` to the name",
        ),
        ("('Ticket expired', -1765328352)", Why.LOGIN_REFUSED, "Ticket expired; get a ticket with kinit"),
        (
            '("Can\'t find client principal x@LAB.EXAMPLE in cache collection", -1765328243)',
            Why.LOGIN_REFUSED,
            "Can't find client principal x@LAB.EXAMPLE in cache collection; get a ticket with kinit",
        ),
        (
            "(\"Cannot contact any KDC for realm 'LAB.EXAMPLE'\", -1765328228)",
            Why.UNREACHABLE,
            "Cannot contact any KDC for realm 'LAB.EXAMPLE'; check krb5.conf",
        ),
        ("('Something new', 4711)", Why.LOGIN_REFUSED, "Something new"),
    ],
)
def test_the_inner_error_of_gssapi_is_told(inner: str, why: Why, told: str) -> None:
    found, text = realm.explain_code(*realm.read_gssapi_error(GSSAPI.format(inner)))
    assert (found, text.startswith(told)) == (why, True), text


@pytest.mark.parametrize(
    "text",
    [
        "authGSSClientInit() failed: ('SSPI: AcquireCredentialsHandle: no credentials\r\n',)",  # winkerberos
        "authGSSClientStep() failed, result: -1",
        "Unable to authenticate <Response [200]>",
        "x failed: " + "(" * 5000,
        "x failed: (('a', 1), ('b', 'c'))",
        "",
    ],
)
def test_what_has_another_shape_is_left_as_it_is(text: str) -> None:
    assert realm.read_gssapi_error(text) == (0, text)


def test_krb5_writes_the_number_behind_its_words() -> None:
    text = "Preauthentication failed -1765328360"
    assert realm.explain_code(-1765328360, text)[1].startswith("Preauthentication failed; write the keytab anew")
    assert realm.explain_code(0, "") == (Why.LOGIN_REFUSED, "no reason was given")
    assert "\n" not in realm.explain_code(1, "a\nb" * 500)[1]
