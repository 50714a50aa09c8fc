from __future__ import annotations

import json
import re
import time
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError
from ruamel.yaml import YAML

from compliance.credentials.places import PasswordPlace
from compliance.errors import InventoryError
from compliance.files.json_schema import json_schema
from compliance.files.keys import Name
from compliance.files.yaml_file import LARGEST
from compliance.gate.policy import PolicyBlock
from compliance.inventory.document import InventoryFile
from compliance.inventory.entries import Address, ClusterEntry, Entry, Limits, ServerKeys
from compliance.inventory.guests import CONNECTION, WINRM, GuestEntry, WindowsGuest
from compliance.inventory.own_file import read_inventory
from compliance.model import Evidence, Judging
from compliance.rule import Severity
from tests.running import ROOT

INVENTORIES = ROOT / "inventories"
EXAMPLE = INVENTORIES / "example.yaml"
SCHEMA = INVENTORIES / "inventory.schema.json"
REGENERATE = (
    'python -c "import json; from compliance.files.json_schema import json_schema; '
    "from compliance.inventory.document import InventoryFile; "
    'print(json.dumps(json_schema(InventoryFile, \\"Inventory\\"), indent=2))"'
    " > inventories/inventory.schema.json"
)

SERVER = "servers:\n- name: hv01\n  credential: audit\n"  # what follows it stands on line 4
CLUSTER = "clusters:\n- name: hvcl01\n  credential: audit\n"  # the same
KERBEROS = "servers:\n- name: hv01\n  transport: kerberos\n"
CERTIFICATE = "servers:\n- name: hv01\n  transport: certificate\n"
HOST = "a name or an IP address, without scheme, port or brackets"

# text -> what stands behind `lab.yaml:`, line by line
IN_CLEAR = "transport `basic` needs https: over http the password is readable (`cleartext: true` allows it)"
GUEST = f"{SERVER}guests:\n- machine: sql01\n"  # what follows it stands on line 6
WAYS = (
    "`ssh://[user@]host[:port]`, `paramiko://[user@]host[:port]`, `winrm://host[:port]`, `ansible://host` or `local://`"
)
NO_PASSWORD = "a password has no place here: name a `credential` (paramiko), or take a key (ssh)"
MISTAKES = {
    # guests
    f"{SERVER}guests: sql01\n": "4: guests: expected a list, got `sql01`",
    f"{SERVER}guests:\n- connection: ssh://h\n": "5: guests[0].machine: missing; every guest needs a `machine`",
    GUEST: "5: guests[0].connection: missing; every guest needs a `connection`",
    f"{GUEST}  conection: ssh://h\n": "6: guests[0].conection: unknown key (did you mean `connection`?)",
    f"{SERVER}guests:\n- machine: []\n  connection: ssh://h\n": "5: guests[0].machine: expected at least 1 entry, "
    "got a list",
    **{
        f"{GUEST}  connection: '{way}'\n": f"6: guests[0].connection: expected {WAYS}, got `{way}`"
        for way in (
            "h",
            "WINRM://h",
            "ssh://",
            "ssh://h:0",
            "ssh://h:65536",
            "ssh://-oX",
            "ssh://h/x",
            "ssh://a b",
            "LOCAL://",
        )
    },
    **{
        f"{GUEST}  connection: '{way}'\n": f"6: guests[0].connection: {NO_PASSWORD}"
        for way in ("ssh://audit:canary@h", "paramiko://audit:canary@h:22", "audit:canary@h")
    },
    f"{GUEST}  connection: ssh://h\n  credential: c\n": "7: guests[0].credential: `ssh://` has no use for it: OpenSSH "
    "takes a `key`, an agent, or what `ssh_config` says",
    f"{GUEST}  connection: paramiko://a@h\n  credential: c\n": "6: guests[0].connection: names a user, and so does the "
    "`credential`; keep one of the two",
    f"{GUEST}  connection: paramiko://h\n  ssh_config: lab.yaml\n": "7: guests[0].ssh_config: `paramiko://` has no use "
    "for it: take `ssh://` for jump hosts",
    f"{GUEST}  connection: ssh://h\n  key: none\n": "7: guests[0].key: no such file beside the inventory: `none`",
    f"{GUEST}  connection: ssh://h\n  known_hosts: lab.yaml\n  verify: false\n": "7: guests[0].known_hosts: "
    "nobody looks at it with `verify: false`",
    f"{GUEST}  connection: local://\n  verify: false\n": "7: guests[0].verify: `local://` has no use for it",
    f"{GUEST}  connection: local://\n  credential: c\n  key: lab.yaml\n": "7: guests[0].credential: `local://` has "
    "no use for it\n8: guests[0].key: `local://` has no use for it",
    f"{GUEST}  connection: ssh://h\n- machine: web01\n  connection: SSH://h\n": f"8: guests[1].connection: expected "
    f"{WAYS}, got `SSH://h`",
    f"{GUEST}  connection: ssh://h\n- machine: web01\n  connection: ssh://H\n": "8: guests[1].connection: `ssh://H` is "
    "guests[0] (line 5) already",
    f"{GUEST}  connection: winrm://h\n": "5: guests[0].credential: transport `ntlm` needs one",
    f"{GUEST}  connection: winrm://h\n  scheme: http\n  transport: basic\n  credential: c\n": "7: guests[0].scheme: "
    + IN_CLEAR,
    f"{GUEST}  connection: winrm://h\n  credential: c\n  keytab: pem\n": "8: guests[0].keytab: "
    "transport `ntlm` has no use for it",
    f"{GUEST}  connection: winrm://h\n  credential: c\n  known_hosts: pem\n": "8: guests[0].known_hosts: unknown key",
    f"{GUEST}  connection: winrm://h\n  credential: c\n  transprt: basic\n": "8: guests[0].transprt: unknown key "
    "(did you mean `transport`?)",
    f"{GUEST}  connection: ssh://h\n  transport: basic\n": "7: guests[0].transport: unknown key",
    f"{GUEST}  connection: winrm://audit@h\n  credential: c\n": "6: guests[0].connection: "
    "nobody's name has a place here: the `credential` has it",
    **{
        f"{GUEST}  connection: '{way}'\n  credential: c\n": f"6: guests[0].connection: expected `winrm://host[:port]`, "
        f"got `{way}`"
        for way in ("winrm://", "winrm://h:0", "winrm://h:65536", "winrm://h/wsman", "winrm://a b")
    },
    "snapshot: lab.yaml\nguests: []\n": "2: guests: a snapshot has its own; nobody is asked",
    # not an inventory at all
    "": "1: empty",
    "# nothing but a comment\n": "1: empty",
    "---\n": "1: expected keys such as `servers`, got nothing",
    "- hv01\n": "1: expected keys such as `servers`, got a list",
    "hv01\n": "1: expected keys such as `servers`, got `hv01`",
    "\n\ta: 1": "2: not YAML: found character '\\t' that cannot start any token",
    "a:\n- b: c: d": "2: not YAML: mapping values are not allowed here",
    "a: b\nc: \x07": "2: not YAML: unprintable character U+0007",
    'a: b\nc: "\\UFFFFFFFF"': "2: not YAML",
    f"{SERVER}---\nname: lab\n": "4: a second document; an inventory is one",
    "[" * 5000: "1: nested more than 8 deep",
    # unknown, missing, doubled keys
    f"{SERVER}  adress: hv01.example\n": "4: servers[0].adress: unknown key (did you mean `address`?)",
    f"{SERVER}  password: canary\n": "4: servers[0].password: unknown key",
    f"{SERVER}limits: {{conect: 3}}\n": "4: limits.conect: unknown key (did you mean `connect`?)",
    f"{SERVER}defaults:\n  name: hv\n": "5: defaults.name: unknown key",
    f"{SERVER}? [a, b]\n: c\n": "4: ?: unknown key",
    f"{SERVER}{'k' * 90}: 1\n": f"4: {'k' * 59}…: unknown key",
    "servers:\n- address: hv01\n  credential: audit\n": "2: servers[0].name: missing; every server needs a `name`",
    "servers:\n- nmae: hv01\n": "2: servers[0].nmae: unknown key (did you mean `name`?)",
    "severs:\n- name: hv01\n": "1: severs: unknown key (did you mean `servers`?)",
    f"{SERVER}  credential: other\n": "4: servers[0].credential: given before, on line 3",
    f"{SERVER}servers: []\n": "4: servers: given before, on line 1",
    # clusters
    "clusters: []\n": "1: clusters: expected at least one cluster, got an empty list",
    "clusters: [7]\n": "1: clusters[0]: expected a mapping, got `7`",
    f"{CLUSTER}  nodse: []\n": "4: clusters[0].nodse: unknown key (did you mean `nodes`?)",
    f"{CLUSTER}  nodes: hv01\n": "4: clusters[0].nodes: expected a list, got `hv01`",
    f"{CLUSTER}  nodes:\n  - name: a b\n": "5: clusters[0].nodes[0].name: "
    "expected letters, digits, `.`, `_` or `-`, got `a b`",
    f"{CLUSTER}  nodes:\n  - name: n1\n    adress: x\n": "6: clusters[0].nodes[0].adress: "
    "unknown key (did you mean `address`?)",
    f"{CLUSTER}  domain: a b\n": "4: clusters[0].domain: expected a domain such as `dr.example`, got `a b`",
    f"{CLUSTER}  address: 10.1.0.9\n": "2: clusters[0].domain: an IP address has none to complete the nodes' names by; "
    "name it (`domain: dr.example`)",
    f"{CLUSTER}  nodes:\n  - name: hvcl01\n": "5: clusters[0].nodes[0].name: `hvcl01` is clusters[0] (line 2) already",
    f"{CLUSTER}servers:\n- name: HVCL01\n  credential: audit\n": "2: clusters[0].name: `hvcl01` is servers[0] (line 5) "
    "already",
    f"{CLUSTER}- name: b\n": "4: clusters[1].credential: transport `ntlm` needs one",
    f"{CLUSTER}  port: 0\n  nodes:\n  - name: n1\n": "4: clusters[0].port: expected at least 1, got `0`",
    f"{CLUSTER}snapshot: demo.jsonl.gz\n": "4: snapshot: stands in place of `clusters`; keep one of the two",
    # servers or snapshot
    "name: lab\n": "1: expected `servers`, `clusters`, `include` or `snapshot`, got none of them; "
    "nor are there groups with `hosts`, as an inventory of Ansible has them",
    "servers: []\n": "1: servers: expected at least one server, got an empty list",
    "servers:\n": "1: servers: expected a list, got nothing",
    "servers: hv01\n": "1: servers: expected a list, got `hv01`",
    "servers: [[hv01]]\n": "1: servers[0]: expected a mapping, got a list",
    "snapshot:\n": "1: snapshot: expected the name of a file, got nothing",
    "snapshot: none.gz\n": "1: snapshot: no such file beside the inventory: `none.gz`",
    f"{SERVER}snapshot: demo.jsonl.gz\n": "4: snapshot: stands in place of `servers`; keep one of the two",
    # values
    f"{SERVER}name: 123\n": "4: name: expected text, got `123`: put it in quotes",
    f"{SERVER}name: my lab\n": "4: name: expected letters, digits, `.`, `_` or `-`, got `my lab`",
    "servers: [{name: true}]": "1: servers[0].name: expected text, got `true`: put it in quotes",
    "servers: [{name: [a]}]": "1: servers[0].name: expected text, got a list",
    "servers: [{name: ''}]": "1: servers[0].name: expected letters, digits, `.`, `_` or `-`, got nothing",
    **{
        f"servers: [{{name: 'a{character}b'}}]": "1: servers[0].name: expected letters, digits, `.`, `_` or `-`, "
        f"got `a{character}b`"
        for character in "/[]:~ \\@"
    },
    f'{SERVER}  site: "a\\nb"\n': "4: servers[0].site: contains an invisible character, U+000A",
    f"{SERVER}  site: a\u202eb\n": "4: servers[0].site: contains an invisible character, U+202E",
    f'{SERVER}  "\\uD800": 1\n': "4: servers[0].\\ud800: contains an invisible character, U+D800",
    f"{SERVER}  site: {'s' * 201}\n": f"4: servers[0].site: expected at most 200 characters, got `{'s' * 59}…`",
    f"{SERVER}  scheme: ftp\n": "4: servers[0].scheme: expected `https` or `http`, got `ftp`",
    f"{SERVER}  port: '5986'\n": "4: servers[0].port: expected a whole number, got `5986`",
    f"{SERVER}  port: 0\n": "4: servers[0].port: expected at least 1, got `0`",
    f"{SERVER}  port: 65536\n": "4: servers[0].port: expected at most 65535, got `65536`",
    f"{SERVER}  path: wsman\n": "4: servers[0].path: expected a path that starts with `/`, got `wsman`",
    f"{SERVER}  verify: no\n": "4: servers[0].verify: expected `true` or `false`, got `no`",
    f"%YAML 1.1\n---\n{SERVER}  verify: no\n": "6: servers[0].verify: expected `true` or `false`, got `no`",
    f"{SERVER}  verify:\n": "4: servers[0].verify: expected `true` or `false`, got nothing",
    f"{SERVER}  groups: sql\n": "4: servers[0].groups: expected a list, got `sql`",
    f"{SERVER}  groups:\n  - sql\n  - 7\n": "6: servers[0].groups[1]: expected text, got `7`: put it in quotes",
    f"{SERVER}  ca: none.pem\n": "4: servers[0].ca: no such file beside the inventory: `none.pem`",
    f"{SERVER}  ca: .\n": "4: servers[0].ca: no such file beside the inventory: `.`",
    **{
        f"{SERVER}  address: '{address}'\n": f"4: servers[0].address: expected {HOST}, got `{address}`"
        for address in ("https://hv01", "hv01:5986", "[::1]", "10.0.0.256", "a b", "hv01%eth0")
    },
    f"{SERVER}limits: {{connect: 100}}\n": "4: limits: expected connect <= operation <= server, "
    "got 100, 60 and 300 seconds",
    f"{SERVER}limits: {{connect: 0}}\n": "4: limits.connect: expected more than 0, got `0`",
    f"{SERVER}limits: {{server: 1e999}}\n": "4: limits.server: expected at most 86400, got `inf`",
    f"{SERVER}limits: {{server: .nan}}\n": "4: limits.server: expected a number, got `.nan`",
    f"{SERVER}policy: {{evidence: bpx}}\n": "4: policy.evidence: expected `observed` or `bpa`, got `bpx`",
    f"{SERVER}policy: {{boot_grace: soon}}\n": "4: policy.boot_grace: expected a number, got `soon`",
    "servers:\n- name: hv01\n  credential: a-b\n": "3: servers[0].credential: expected a name of ASCII letters, "
    "digits and `_` that starts with a letter, got `a-b`",
    # credentials
    f"{SERVER}credentials: audit\n": "4: credentials: expected a mapping, got `audit`",
    f"{SERVER}credentials:\n  audit:\n": "5: credentials.audit: expected a mapping, got nothing",
    f"{SERVER}credentials:\n  a-b: {{prompt: true}}\n": "5: credentials.a-b: expected a name of ASCII letters, "
    "digits and `_` that starts with a letter, got `a-b`",
    f"{SERVER}credentials:\n  audit: {{keyrng: x}}\n": "5: credentials.audit.keyrng: unknown key (did you mean "
    "`keyring`?)",
    f"{SERVER}credentials:\n  audit: {{password: canary}}\n": "5: credentials.audit.password: "
    "a password does not stand in an inventory: name where it is kept",
    f"{SERVER}credentials:\n  audit: {{prompt: true}}\n  AUDIT: {{prompt: true}}\n": "6: credentials.AUDIT: "
    "is credentials.audit (line 5) already",
    f"{SERVER}credentials:\n  audit:\n    keyring: x\n    prompt: true\n": "5: credentials.audit: "
    "a password is kept in one place, got `keyring` and `prompt`",
    f"{SERVER}credentials:\n  audit: {{password_command: pass show x}}\n": "5: credentials.audit.password_command: "
    "expected a list, got `pass show x`",
    f"{SERVER}credentials:\n  audit: {{password_command: []}}\n": "5: credentials.audit.password_command: "
    "expected at least 1 entry, got a list",
    f"{SERVER}credentials:\n  audit: {{password_command: [pass, 7]}}\n": "5: credentials.audit.password_command[1]: "
    "expected text, got `7`: put it in quotes",
    f"{SERVER}credentials:\n  audit: {{password_file: 7}}\n": "5: credentials.audit.password_file: "
    "expected the name of a file, got `7`",
    # what one key says of another
    "servers:\n- name: hv01\n": "2: servers[0].credential: transport `ntlm` needs one",
    f"{SERVER}  scheme: http\n  transport: basic\n": "4: servers[0].scheme: " + IN_CLEAR,
    f"{SERVER}  cleartext: true\n": "4: servers[0].cleartext: scheme `https` has no use for it",
    CERTIFICATE: "2: servers[0].certificate: transport `certificate` needs one\n"
    "2: servers[0].key: transport `certificate` needs one",
    f"{CERTIFICATE}  scheme: http\n  certificate: pem\n  key: pem\n": "4: servers[0].scheme: "
    "transport `certificate` needs https",
    f"{SERVER}  key: pem\n": "4: servers[0].key: transport `ntlm` has no use for it",
    f"{SERVER}  keytab: pem\n  principal: reader\n": "4: servers[0].keytab: transport `ntlm` has no use for it\n"
    "5: servers[0].principal: transport `ntlm` has no use for it",
    f"{SERVER}  transport: kerberos\n": "3: servers[0].credential: transport `kerberos` has no use for it "
    "(`credential: null` takes a default back)",
    f"{KERBEROS}  keytab: none\n": "4: servers[0].keytab: no such file beside the inventory: `none`",
    **{
        f"{KERBEROS}  principal: '{name}'\n": "4: servers[0].principal: expected a principal such as "
        f"`audit@EXAMPLE.COM`, got `{name}`"
        for name in ("LAB\\reader", "a@b@c", "a b", "@LAB")
    },
    f"{SERVER}- name: HV01\n  credential: audit\n": "4: servers[1].name: `HV01` is servers[0] (line 2) already",
    f"{SERVER}- name: hv02\n  address: HV01\n  credential: audit\n": "5: servers[1].address: "
    "`HV01`, port and path are servers[0] (line 2) already",
    # defaults: a mistake in them is theirs, not each server's
    f"{SERVER}defaults: {{port: x}}\n": "4: defaults.port: expected a whole number, got `x`",
    f"{SERVER}defaults: {{groups: [1]}}\n": "4: defaults.groups[0]: expected text, got `1`: put it in quotes",
    f"{SERVER}defaults: ntlm\n": "4: defaults: expected a mapping, got `ntlm`",
    f"{SERVER}defaults: {{scheme: http, transport: basic}}\n": "2: servers[0].scheme: " + IN_CLEAR,
    # nothing is built, nothing is multiplied
    f"{SERVER}  site: !!python/object/apply:os.system [id]\n": "4: servers[0].site: "
    "tags such as `tag:yaml.org,2002:python/object/apply:os.system` are not read",
    f"{SERVER}defaults: &a {{port: 1}}\nlimits: *a\n": "5: limits: aliases are not read; "
    "what servers share goes to `defaults`",
    "a: &a [b]\nservers: [*a, *a]\n": "1: a: unknown key\n"
    "2: servers[0]: aliases are not read; what servers share goes to `defaults`\n"
    "2: servers[1]: aliases are not read; what servers share goes to `defaults`",
    # all at once, from top to bottom
    "nam: lab\nservers:\n- name: 1\n- name: hv02\n  prot: 5\n  scheme: ftp\nlimits: {threads: 0}\n": (
        "1: nam: unknown key (did you mean `name`?)\n"
        "3: servers[0].name: expected text, got `1`: put it in quotes\n"
        "5: servers[1].prot: unknown key (did you mean `port`?)\n"
        "6: servers[1].scheme: expected `https` or `http`, got `ftp`\n"
        "7: limits.threads: expected at least 1, got `0`"
    ),
}

VALID = {
    SERVER: {},
    f"\ufeff{SERVER}": {},
    SERVER.replace("\n", "\r\n"): {},
    f"{SERVER}  scheme: http\n": {"scheme": "http", "port": 5985},
    f"{SERVER}  scheme: http\n  port: 80\n": {"scheme": "http", "port": 80},
    f"{SERVER}  address: FE80:0::1%eth0\n": {"address": "fe80::1%eth0"},
    f"{SERVER}  address: 192.0.2.1\n": {"address": "192.0.2.1"},
    f"{SERVER}  ca: pem\n  verify: false\n": {"ca": Path("pem"), "verify": False},
    f"{SERVER}  groups: [sql, 'no']\n  site: 2020-01-01\n": {"groups": ("sql", "no"), "site": "2020-01-01"},
    f"{SERVER}defaults: {{port: 1, groups: [a], site: b}}\n": {"port": 1, "groups": ("a",), "site": "b"},
    f"{SERVER}  port: 2\n  site: null\ndefaults: {{port: 1, site: b}}\n": {"port": 2},
    "servers: [{name: hv01, transport: kerberos}]\n": {"transport": "kerberos", "credential": None},
    f"{KERBEROS}  keytab: pem\n  principal: HTTP/reader.lab@LAB.EXAMPLE\n": {
        "transport": "kerberos",
        "credential": None,
        "keytab": Path("pem"),
        "principal": "HTTP/reader.lab@LAB.EXAMPLE",
    },
    f"{CERTIFICATE}  certificate: pem\n  key: pem\n  credential: audit\n": {
        "transport": "certificate",
        "certificate": Path("pem"),
        "key": Path("pem"),
    },
}


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("inventories")
    for name in ("pem", "demo.jsonl.gz"):
        (folder / name).write_text("")
    return folder / "lab.yaml"


def mistakes(path: Path) -> str:
    with pytest.raises(InventoryError) as error:
        read_inventory(path)
    return str(error.value)


@pytest.mark.parametrize(("text", "told"), MISTAKES.items())
def test_each_mistake_is_one_line(lab: Path, text: str, told: str) -> None:
    lab.write_bytes(text.encode())
    assert mistakes(lab) == "\n".join(f"{lab}:{line}" for line in told.split("\n"))


@pytest.mark.parametrize(("text", "differs"), VALID.items())
def test_a_server_is_what_the_file_says(lab: Path, text: str, differs: dict[str, object]) -> None:
    lab.write_bytes(text.encode())
    found = {key: lab.parent / value if isinstance(value, Path) else value for key, value in differs.items()}
    assert read_inventory(lab).servers == (Entry.model_validate({"name": "hv01", "credential": "audit"} | found),)


def test_who_logs_in_by_the_same_is_told_by_one_word(lab: Path) -> None:
    keytab = "transport: kerberos, keytab: pem"
    lines = ["credential: a", "credential: a", keytab, f"{keytab}, principal: x", f"{keytab}, principal: x"]
    servers = "\n".join(f"- {{name: hv{number}, {line}}}" for number, line in enumerate(lines))
    lab.write_text(f"servers:\n{servers}\n- {{name: hv, transport: kerberos}}\n")
    a, again, keys, of_x, too, own = (entry.login for entry in read_inventory(lab).servers)
    assert (a, again, too, own) == ("a", "a", of_x, None)
    assert len({a, keys, of_x, None}) == 4


def test_an_inventory_is_what_the_file_says(lab: Path) -> None:
    text = (
        f"{SERVER}- name: München-2_ü.日本\n  credential: b\nlimits: {{connect: 1.5, threads: 1}}\n"
        "policy: {evidence: bpa, boot_grace: 1.5, severity: {x: warning}}\nmay_be_empty: true\n"
    )
    lab.write_bytes(text.encode())
    inventory = read_inventory(lab)
    assert inventory.name == "lab"
    assert [str(entry) for entry in inventory.servers] == ["hv01", "München-2_ü.日本"]
    assert inventory.lines == {"hv01": 2, "München-2_ü.日本": 4}
    assert inventory.limits == Limits(connect=1.5, operation=60, server=300, threads=1)
    judged = Judging(evidence=Evidence.BPA, boot_grace=timedelta(seconds=90), may_be_empty=True)
    assert inventory.settings == judged
    assert inventory.policy.severity == {"x": Severity.WARNING}
    assert (inventory.may_be_empty, inventory.snapshot, inventory.path) == (True, None, lab)
    assert inventory.digest == f"sha256:{sha256(text.encode()).hexdigest()}"


GUESTS = f"""{SERVER}guests:
- machine: hv01/sql01
  connection: ssh://audit@sql01.dr.example:2222
  key: pem
  known_hosts: pem
- machine: [web*, db01]
  connection: paramiko://[2001:db8::1]
  credential: guests
  verify: false
- machine: here
  connection: local://
- machine: win01
  connection: winrm://[2001:db8::2]
  credential: guests
- machine: win02
  connection: winrm://win02.dr.example:80
  scheme: http
  transport: kerberos
  keytab: pem
"""


def test_guests_are_what_the_file_says(lab: Path) -> None:
    lab.write_text(GUESTS)
    inventory = read_inventory(lab)
    pem = lab.parent / "pem"
    assert inventory.guests == (
        GuestEntry(machine=("hv01/sql01",), connection="ssh://audit@sql01.dr.example:2222", key=pem, known_hosts=pem),
        GuestEntry(machine=("web*", "db01"), connection="paramiko://[2001:db8::1]", credential="guests", verify=False),
        GuestEntry(machine=("here",), connection="local://"),
        WindowsGuest(machine=("win01",), connection="winrm://[2001:db8::2]", credential="guests"),
        WindowsGuest(
            machine=("win02",),
            connection="winrm://win02.dr.example:80",
            scheme="http",
            transport="kerberos",
            keytab=pem,
        ),
    )
    windows = [guest for guest in inventory.guests if isinstance(guest, WindowsGuest)]
    assert [(guest.address, guest.port, guest.login) for guest in windows] == [
        ("2001:db8::2", 5986, "guests"),
        ("win02.dr.example", 80, f"whoever of {pem}"),
    ]
    assert [
        (guest.login, guest.scheme, guest.endpoint) for guest in inventory.guests if isinstance(guest, GuestEntry)
    ] == [
        (None, "ssh", "audit@sql01.dr.example:2222"),
        ("guests", "paramiko", "[2001:db8::1]"),
        (None, "local", ""),
    ]
    assert inventory.lines == {
        "hv01": 2,
        "ssh://audit@sql01.dr.example:2222": 5,
        "paramiko://[2001:db8::1]": 9,
        "local://": 13,
        "winrm://[2001:db8::2]": 15,
        "winrm://win02.dr.example:80": 18,
    }


@pytest.mark.parametrize(
    "way",
    [
        "ssh://h",
        "ssh://a@h:1",
        "ssh://[::1]:22",
        "local://",
        "ssh://",
        "h",
        "ssh://a:b@h",
        "winrm://h:1",
        "winrm://a@h",
    ],
)
def test_the_schema_accepts_the_ways_that_we_accept(way: str) -> None:
    document = {"servers": [{"name": "hv01"}], "guests": [{"machine": "sql01", "connection": way}]}
    assert schema_accepts(document) is bool(re.fullmatch(CONNECTION, way) or re.fullmatch(WINRM, way))


def test_a_snapshot_stands_in_place_of_servers(lab: Path) -> None:
    lab.write_text("name: demo\nsnapshot: demo.jsonl.gz\n")
    inventory = read_inventory(lab)
    assert (inventory.name, inventory.servers) == ("demo", ())
    assert inventory.snapshot == lab.parent / "demo.jsonl.gz"


def test_a_file_that_can_not_be_read(lab: Path) -> None:
    missing = lab.with_name("missing.yaml")
    assert mistakes(missing) == f"{missing}: can't be read: No such file or directory"
    assert mistakes(lab.parent).startswith(f"{lab.parent}: can't be read: ")
    assert mistakes(Path("a\0b")).startswith("a\\u0000b: can't be read: embedded null ")


def test_a_file_that_is_no_inventory(lab: Path) -> None:
    lab.write_bytes("name: lab\nservers: [Zürich]".encode("latin-1"))
    assert mistakes(lab) == f"{lab}:2: not UTF-8: save it as UTF-8"
    lab.write_bytes(b"#" * (LARGEST + 1))
    assert mistakes(lab) == f"{lab}: larger than 1,000,000 bytes; is it an inventory?"
    lab.write_text("servers: [" + "7, " * 150 + "]")
    assert mistakes(lab).split("\n")[99:] == [
        f"{lab}:1: servers[99]: expected a mapping, got `7`",
        f"{lab}:1: and 50 more mistakes",
    ]


def test_a_file_name_that_is_no_name(lab: Path) -> None:
    path = lab.with_name("my lab.yaml")
    path.write_text(SERVER)
    assert mistakes(path) == (
        f"{path}:1: name: expected letters, digits, `.`, `_` or `-`, got `my lab` (the file's own name; add a `name`)"
    )


def test_the_path_is_printed_as_given() -> None:
    path = Path("nowhere/../lab.yaml")
    assert mistakes(path).startswith(f"{path}: ")


# Whatever stands in a file, an InventoryError says where.

tokens = st.sampled_from(
    [*"[]{}:-?&*!|>'\"%@`#,~\n\t ", "- ", ": ", "<<: ", "*a", "&a ", "!!int ", "---\n", '"\\uD800"']
)
snippets = st.one_of(tokens, st.text(max_size=10), st.integers().map(str), st.lists(tokens).map("".join))


def told_or_read(lab: Path, content: bytes) -> None:
    lab.write_bytes(content)
    try:
        read_inventory(lab)
    except InventoryError as error:
        for line in str(error).split("\n"):
            assert re.match(rf"{re.escape(str(lab))}:\d+: .", line)
            assert line.isprintable()


@settings(deadline=None)
@given(content=st.binary() | st.text().map(lambda text: text.encode("utf-8", "replace")))
def test_any_file_is_told_or_read(lab: Path, content: bytes) -> None:
    told_or_read(lab, content)


@settings(deadline=None)
@given(text=st.lists(snippets).map("".join))
def test_anything_like_yaml_is_told_or_read(lab: Path, text: str) -> None:
    told_or_read(lab, text.encode("utf-8", "replace"))


@settings(deadline=None)
@given(
    text=st.sampled_from([*VALID, EXAMPLE.read_text(encoding="utf-8")]),
    cuts=st.lists(st.tuples(st.floats(0, 1), st.integers(0, 9), snippets), min_size=1, max_size=3),
)
def test_a_damaged_inventory_is_told_or_read(lab: Path, text: str, cuts: list[tuple[float, int, str]]) -> None:
    for where, length, instead in cuts:
        start = int(where * len(text))
        text = text[:start] + instead + text[start + length :]
    told_or_read(lab, text.encode("utf-8", "replace"))


# The example and the schema


def test_nodes_have_what_their_cluster_has(lab: Path) -> None:
    text = f"{CLUSTER}  site: berlin\n  address: hv.dr.example\n  nodes:\n  - name: n1\n  - name: n2\n    site: null\n"
    lab.write_text(f"{text}defaults: {{port: 7, ca: pem}}\n")
    found = read_inventory(lab)
    (cluster,) = found.clusters
    assert (cluster.site, cluster.port, cluster.address) == ("berlin", 7, "hv.dr.example")
    assert [(node.name, node.address, node.site, node.port) for node in cluster.nodes] == [
        ("n1", "n1", "berlin", 7),
        ("n2", "n2", None, 7),
    ]
    assert (cluster.node("N1"), cluster.node("n3").address) == (cluster.nodes[0], "n3.dr.example")
    assert cluster.node("n3").ca == lab.parent / "pem"
    assert [entry.name for entry in found.hosts] == ["hvcl01", "n1", "n2"]
    assert found.lines == {"hvcl01": 2, "n1": 7, "n2": 8}


def test_the_example_loads() -> None:
    inventory = read_inventory(EXAMPLE)
    assert [entry.name for entry in inventory.servers] == ["hv01", "hv02", "hv03"]
    assert EXAMPLE.read_text(encoding="utf-8").startswith(f"# yaml-language-server: $schema={SCHEMA.name}\n")


MODELS = (InventoryFile, ClusterEntry, GuestEntry, WindowsGuest, PasswordPlace, Limits, PolicyBlock)
EVERY_KEY = {key for model in MODELS for key in model.model_fields}


@pytest.mark.parametrize("key", sorted(EVERY_KEY))
def test_the_example_shows_every_key(key: str) -> None:
    assert re.search(rf"^[ #-]*{key}:", EXAMPLE.read_text(encoding="utf-8"), re.MULTILINE)


def test_the_schema_is_up_to_date() -> None:
    assert json.loads(SCHEMA.read_text(encoding="utf-8")) == json_schema(InventoryFile, "Inventory"), (
        f"run: {REGENERATE}"
    )


def schema_accepts(document: object) -> bool:
    jsonschema.Draft202012Validator.check_schema(schema := json_schema(InventoryFile, "Inventory"))
    return bool(jsonschema.Draft202012Validator(schema).is_valid(document))


@pytest.mark.parametrize("text", [EXAMPLE.read_text(encoding="utf-8"), *VALID, GUESTS, "snapshot: demo.jsonl.gz\n"])
def test_the_schema_accepts_what_we_read(text: str) -> None:
    document = YAML(typ="safe", pure=True).load(text.replace("2020-01-01", "'2020-01-01'"))
    assert schema_accepts(document)


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"servers": []},
        {"servers": [{"name": "hv01"}], "snapshot": "demo.jsonl.gz"},
        {"servers": [{"name": "hv01"}], "x": 1},
        {"servers": [{"name": "hv01", "adress": "x"}]},
        {"servers": [{"name": "hv01"}], "defaults": {"name": "x"}},
        {"servers": [{"name": "hv01"}], "limits": {"conect": 1}},
        {"servers": [{"name": "a/b"}]},
        {"servers": [{"name": "hv01", "port": "5986"}]},
    ],
)
def test_the_schema_rejects(document: object) -> None:
    assert not schema_accepts(document)


@settings(deadline=None)
@given(text=st.text(min_size=1, max_size=5), pattern_of=st.sampled_from([Name, Address]))
def test_the_schema_accepts_every_name_that_we_accept(text: str, pattern_of: Any) -> None:
    adapter: TypeAdapter[str] = TypeAdapter(pattern_of)
    try:
        adapter.validate_python(text)
    except ValidationError:
        return
    jsonschema.validate(text, adapter.json_schema())


def test_defaults_take_what_a_server_takes() -> None:
    assert {*Entry.model_fields} - {*ServerKeys.model_fields} == {"name", "address", "kerberos_host"}


# Short forms


def test_a_name_alone_is_a_server(lab: Path) -> None:
    lab.write_text(
        "defaults: {credential: audit, site: x}\nservers: [hv01, {name: hv02, site: y}]\n"
        "clusters:\n- hvcl01\n- {name: hvcl02, nodes: [n1, n2]}\n"
    )
    inventory = read_inventory(lab)
    assert [(entry.name, entry.address, entry.site) for entry in inventory.servers] == [
        ("hv01", "hv01", "x"),
        ("hv02", "hv02", "y"),
    ]
    assert [(cluster.name, [node.name for node in cluster.nodes]) for cluster in inventory.clusters] == [
        ("hvcl01", []),
        ("hvcl02", ["n1", "n2"]),
    ]
    assert inventory.lines["hvcl01"] == 4


BY_NAME = {
    "servers: [hv01]\n": "1: servers[0].credential: transport `ntlm` needs one",
    "defaults: {credential: a}\nservers: [a, A]\n": "2: servers[1].name: `A` is servers[0] (line 2) already",
    "defaults: {credential: a}\nservers: ['hv 01']\n": (
        "2: servers[0].name: expected letters, digits, `.`, `_` or `-`, got `hv 01`"
    ),
    "servers: [7]\n": "1: servers[0]: expected a mapping, got `7`",
    "servers: ['']\n": "1: servers[0].name: expected letters, digits, `.`, `_` or `-`, got nothing",
}


@pytest.mark.parametrize(("text", "told"), BY_NAME.items())
def test_a_name_alone_is_checked(lab: Path, text: str, told: str) -> None:
    lab.write_text(text)
    assert mistakes(lab) == f"{lab}:{told}"


LIMITS = {
    "{server: 30}": (10, 30, 30),
    "{server: 5}": (5, 5, 5),
    "{operation: 5}": (5, 5, 300),
    "{server: 30, connect: 20}": (20, 30, 30),
    "{server: 600}": (10, 60, 600),
    "{server: 0.5}": (0.5, 0.5, 0.5),
}


@pytest.mark.parametrize(("text", "seconds"), LIMITS.items(), ids=list(LIMITS))
def test_a_lower_limit_takes_the_others_with_it(lab: Path, text: str, seconds: tuple[float, ...]) -> None:
    lab.write_text(f"{SERVER}limits: {text}\n")
    limits = read_inventory(lab).limits
    assert (limits.connect, limits.operation, limits.server) == seconds


def test_what_contradicts_a_lower_limit_above_is_lowered(lab: Path) -> None:
    lab.write_text(f"{SERVER}limits: {{server: 300, operation: 400, connect: 350}}\n")
    assert read_inventory(lab).limits == Limits(server=300, operation=300, connect=300)


def test_a_number_without_an_end_is_told_as_it_is(lab: Path) -> None:
    lab.write_text(f"{SERVER}  port: {'9' * 30}\n")
    assert mistakes(lab) == f"{lab}:4: servers[0].port: expected a whole number, got `{'9' * 30}`"


def test_a_number_that_is_none_costs_one_look_at_its_digits(lab: Path) -> None:
    lab.write_text(f"{SERVER}  port: {'0' * 60_000}x\n")
    started = time.process_time()
    assert "servers[0].port: expected a whole number" in mistakes(lab)
    assert time.process_time() - started < 8  # about 0.1 s; only a change of its order is an error
