"""`init` as it is met first: servers that answer, one that does not, a certificate that nobody trusts."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from compliance.commands.doctor.examination import Examination, Status, Step
from compliance.commands.init.command import run
from compliance.commands.init.draft import Draft, DraftServer
from compliance.commands.init.questions import Dialogue
from compliance.commands.init.trial import _on_other_port
from compliance.commands.parser import parser_for
from compliance.errors import UsageError, Why
from compliance.gather.sources import source_of
from compliance.inventory.entries import Entry
from compliance.inventory.read import read_any
from compliance.model import Unread
from compliance.world import World
from tests.canary import silent
from tests.commands.doctor import ward
from tests.commands.doctor.ward import PASSWORD, WRONG
from tests.wsman.authority import Authority


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@dataclass
class Typist:
    """Who answers the questions, and keeps them."""

    answers: list[str]
    questions: list[str]

    def __call__(self, question: str) -> str:
        self.questions.append(question)
        if not self.answers:
            raise EOFError
        return self.answers.pop(0)


def init(
    *arguments: str | Path, answers: Sequence[str] | None = None, password: str | None = PASSWORD
) -> tuple[int, str, list[str]]:
    """Return the exit code, the output, and the questions; no password is in any of them, nor in a file."""
    words = ["init", *map(str, arguments)]
    out = io.StringIO()
    typist = Typist(list(answers or ()), [])
    ask = (lambda _question: password) if password is not None else None
    world = World(environ={}, out=out, width=100, ask=ask)
    code = run(parser_for(words).parse_args(words), world, typist if answers is not None else None)
    text = silent(out.getvalue())
    assert all(PASSWORD not in file.read_text(encoding="utf-8") for file in Path().glob("*.yaml"))
    return code, text, typist.questions


@pytest.mark.slow
def test_a_few_answers_make_an_inventory_that_works(authority: Authority) -> None:
    with ward.server(authority) as one, ward.server(authority) as two:
        first, second = (f"{server.host}:{server.port}" for server in (one, two))
        answers = [first, "berlin", second, "frankfurt", "", "", "audit", str(authority.file)]
        code, text, questions = init(answers=answers)
    assert code == 0, text
    assert text.splitlines()[-3:-1] == ["2 servers can be audited.", "Next: hyperv-compliance audit site.yaml"]
    assert len(questions) == len(answers)
    inventory = read_any(Path("site.yaml"))
    assert [server.site for server in inventory.servers] == ["berlin", "frankfurt"]
    assert {server.ca for server in inventory.servers} == {Path(authority.file)} or all(
        server.ca and server.ca.samefile(authority.file) for server in inventory.servers
    )


@pytest.mark.slow
def test_options_leave_nothing_to_ask(authority: Authority) -> None:
    with ward.server(authority) as server:
        to = ("--user", "audit", "--ca", authority.file, "--site", "berlin", "--transport", "ntlm")
        code, text, questions = init(f"{server.host}:{server.port}", *to, "--out", "lab.yaml", answers=[])
    assert (code, questions) == (0, []), text
    assert "Next: hyperv-compliance audit lab.yaml" in text


@pytest.mark.slow
def test_a_refused_password_goes_to_no_second_server_and_the_inventory_is_written(authority: Authority) -> None:
    with ward.server(authority) as one, ward.server(authority) as two:
        hosts = [f"{server.host}:{server.port}" for server in (one, two)]
        code, text, _ = init(*hosts, "--user", "audit", "--ca", authority.file, password=WRONG)
        assert (ward.logins(one), ward.logins(two)) == (1, 0)
    assert code == 1
    assert read_any(Path("site.yaml")).servers
    assert "Next: check the account's name and password" in text
    assert "\n      hyperv-compliance doctor --inventory site.yaml --server 127.0.0.1\n" in text


@pytest.mark.slow
def test_nobody_trusts_the_certificate_and_no_password_is_sent(authority: Authority) -> None:
    with ward.server(authority) as server:
        answers = ["", "", "none.pem", ""]
        code, text, _ = init(f"{server.host}:{server.port}", "--user", "audit", answers=answers)
        assert ward.logins(server) == 0
    assert code == 1
    assert "There is no file none.pem." in text
    assert "Next: export the certificate of the authority that issued it" in text


# Arguments, answers, password, and how the refusal ends: with the next thing to do.
REFUSALS: list[tuple[list[str], list[str] | None, str | None, str]] = [
    ([], None, PASSWORD, "the password in COMPLIANCE_AUDIT_PASSWORD"),
    ([], [""], PASSWORD, "run `hyperv-compliance init` again, or see `hyperv-compliance demo` first"),
    ([], ["hv01"], PASSWORD, "run `hyperv-compliance init` again"),
    (["hv01"], ["", "telnet"], PASSWORD, "run `hyperv-compliance init` again"),
    (["hv01"], None, PASSWORD, r'give --user "DOMAIN\name"'),
    (["hv01", "--user", "a"], None, None, "or add --no-test"),
    (["hv01", "--user", "a", "--ca", "none.pem"], None, PASSWORD, "run `hyperv-compliance init` again"),
    (["hv01", "--user", "a", "--out", "there.yaml"], None, PASSWORD, "name another file by --out, or move it away"),
    (["https://hv01", "--user", "a"], None, PASSWORD, "run `hyperv-compliance init` again"),
]


@pytest.mark.parametrize(("arguments", "answers", "password", "ends"), REFUSALS)
def test_every_refusal_ends_with_the_next_thing_to_do(
    arguments: list[str], answers: list[str] | None, password: str | None, ends: str
) -> None:
    Path("there.yaml").write_text("")
    with pytest.raises(UsageError) as refusal:
        init(*arguments, answers=answers, password=password)
    assert str(refusal.value).endswith(ends)
    assert not Path("site.yaml").exists()


def test_without_a_test_nothing_is_asked_of_a_server() -> None:
    code, text, _ = init("hv01", "hv02", "--user", "a", "--no-test", password=None)
    assert code == 0
    assert "Trying" not in text
    assert len(read_any(Path("site.yaml")).servers) == 2


def found(**others: bool) -> Examination:
    """An examination of a server whose port does not answer; ``others`` are WinRM's other ports."""
    ports = {name.removeprefix("port_"): is_open for name, is_open in others.items()}
    facts = {"port": 5986, "open": False, "others": ports}
    step = Step(key="port", status=Status.FAILED, text="refused", facts=facts)
    source = source_of(Entry(name="hv01", credential="audit"), Unread("refused", Why.UNREACHABLE))
    return Examination(name="hv01", endpoint="", way="", steps=(step,), source=source)


@pytest.mark.parametrize(
    ("host", "transport", "others", "scheme"),
    [
        (DraftServer(typed="hv01"), "ntlm", {"port_5985": True}, "http"),
        (DraftServer(typed="hv01"), "ntlm", {"port_5985": False}, "https"),
        (DraftServer(typed="hv01"), "basic", {"port_5985": True}, "https"),
        (DraftServer(typed="hv01", scheme="http"), "basic", {"port_5986": True}, "https"),
        (DraftServer(typed="hv01:443"), "ntlm", {"port_5985": True}, "https"),
    ],
)
def test_the_other_port_is_taken_where_messages_are_sealed_there(
    host: DraftServer, transport: str, others: dict[str, bool], scheme: str
) -> None:
    draft = Draft(hosts=(host,), transport=transport, username="a")
    questions = Dialogue(read_line=None, say=lambda _: None)
    assert _on_other_port(host, draft, found(**others), questions).scheme == scheme


@pytest.fixture(autouse=True)
def _no_file_is_left(tmp_path: Path) -> Iterator[None]:
    """A refusal leaves no file beside."""
    yield
    assert {path.suffix for path in tmp_path.iterdir() if path.is_file()} <= {".yaml"}
