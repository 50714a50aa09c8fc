"""`hyperv-compliance inventory`: what is shown, suggested and converted, and that none of it is a secret."""

from __future__ import annotations

import argparse
import io
import json
import os
from collections.abc import Iterator, Sequence
from contextlib import chdir
from dataclasses import replace
from pathlib import Path

import pytest

from compliance.__main__ import main
from compliance.commands.inventory.command import run
from compliance.commands.inventory.convert import shell_line
from compliance.inventory.own_file import inventory_of
from compliance.inventory.read import read_any
from compliance.snapshot.write import write_snapshot
from tests.builders import snapshot, source
from tests.hosts import Host, Vm, replica_of
from tests.inventory.ansible.conftest import WITHOUT
from tests.lab import SNAPSHOT
from tests.running import ROOT

OURS = """name: estate
servers:
- name: hv01
  site: berlin
- name: hv02
  address: 192.0.2.2
  port: 443
defaults:
  credential: audit
  groups: [dr]
"""
SHOWN = """estate estate, 2 servers, from lab.yaml

hv01  (lab.yaml:3)
  scheme      https   default
  transport   ntlm    default
  credential  audit   lab.yaml:9, defaults
  verify      true    default
  port        5986    default of https
  path        /wsman  default
  site        berlin  lab.yaml:4
  groups      ["dr"]  lab.yaml:10, defaults
  address     hv01    its name

hv02  (lab.yaml:5)
  scheme      https        default
  transport   ntlm         default
  credential  audit        lab.yaml:9, defaults
  verify      true         default
  port        443          lab.yaml:7
  path        /wsman       default
  groups      ["dr"]       lab.yaml:10, defaults
  address     "192.0.2.2"  lab.yaml:6
"""
CLUSTERS = """name: estate
clusters:
- name: hvcl01
  address: hvcl01.dr.example
  site: berlin
  nodes:
  - name: hv01
    port: 443
defaults: {credential: audit}
"""
CLUSTERS_SHOWN = """estate estate, 1 cluster, from lab.yaml

cluster hvcl01  (lab.yaml:3)
  scheme      https              default
  transport   ntlm               default
  credential  audit              lab.yaml:9, defaults
  verify      true               default
  port        5986               default of https
  path        /wsman             default
  site        berlin             lab.yaml:5
  address     hvcl01.dr.example  lab.yaml:4
  domain      dr.example         its address

node of hvcl01: hv01  (lab.yaml:7)
  scheme      https   default
  transport   ntlm    default
  credential  audit   lab.yaml:9, defaults
  verify      true    default
  port        443     lab.yaml:8
  path        /wsman  default
  site        berlin  lab.yaml:5, its cluster
  address     hv01    its name
"""
HOSTS = r"""web01 ansible_connection=ssh
[hyperv]
hv01 hyperv_site="Berlin Mitte" ansible_winrm_ca_trust_path=ca.pem
hv02 ansible_password='second canary' hyperv_may_be_empty=true
hv03 ansible_winrm_transport=kerberos
[hyperv:vars]
ansible_connection=winrm
ansible_user=DR\audit
ansible_password=canary
ansible_winrm_transport=ntlm,kerberos
"""
CONVERTED = """name: hosts
servers:
  - name: hv01  # of ansible_winrm_transport only `ntlm` is tried, the first
    credential: audit
    ca: ca.pem
    site: "Berlin Mitte"
  - name: hv02  # of ansible_winrm_transport only `ntlm` is tried, the first
    credential: audit_2
    may_be_empty: true
defaults:
  groups: ["hyperv"]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """The working folder, as for who types the command."""
    with chdir(tmp_path):
        yield written(tmp_path)


def written(folder: Path) -> Path:
    for name, text in (("lab.yaml", OURS), ("hosts.ini", HOSTS.replace("hv03 ansible_winrm_transport=kerberos\n", ""))):
        Path(name).write_text(text)
    Path("ca.pem").write_text("")
    return folder


def said(capsys: pytest.CaptureFixture[str], *arguments: str | Path, code: int = 0) -> str:
    assert main(["inventory", *map(os.fspath, arguments)]) == code
    out, err = capsys.readouterr()
    assert "canary" not in out + err
    return err if err else out


def test_our_own_with_the_origin_of_each_value(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert said(capsys, "show", "lab.yaml") == SHOWN


def test_the_same_for_programs(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = json.loads(said(capsys, "show", "lab.yaml", "--json", "--limit", "hv02"))
    assert {key: found[key] for key in ("format", "version", "estate", "limit", "left_out")} == {
        "format": "hyperv-compliance inventory",
        "version": 1,
        "estate": "estate",
        "limit": "hv02",
        "left_out": ["hv01"],
    }
    [server] = found["servers"]
    assert server["values"]["port"] == {"value": 443, "origin": "lab.yaml:7"}


LIMITS = """
limits, in seconds but for threads
  server     30   plain.yaml:2
  operation  30   lowered from 60 (plain.yaml:2): `server` is lower
  connect    2.5  plain.yaml:2
  threads    32   default
"""


def test_plain_names_and_limits_that_a_lower_one_lowers(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    limits = "limits: {server: 30, operation: 60, connect: 2.5}"
    Path("plain.yaml").write_text(f"servers: [hv01, hv02]\n{limits}\ndefaults: {{credential: audit}}\n")
    text = said(capsys, "show", "plain.yaml")
    assert "hv02  (plain.yaml:1)" in text
    assert text.endswith(LIMITS)
    found = json.loads(said(capsys, "show", "plain.yaml", "--json"))
    assert found["limits"]["server"] == {"value": 30, "origin": "plain.yaml:2"}


def test_clusters_with_their_nodes(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("lab.yaml").write_text(CLUSTERS)
    assert said(capsys, "show", "lab.yaml") == CLUSTERS_SHOWN
    found = json.loads(said(capsys, "show", "lab.yaml", "--json"))
    (cluster,) = found["clusters"]
    assert (found["servers"], cluster["name"], cluster["place"]) == ([], "hvcl01", "lab.yaml:3")
    assert cluster["values"]["domain"] == {"value": "dr.example", "origin": "its address"}
    assert cluster["nodes"][0]["values"]["site"] == {"value": "berlin", "origin": "lab.yaml:5, its cluster"}


def test_clusters_of_an_included_file(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With the places of their own file, and beside servers of Ansible's."""
    Path("sub.yaml").write_text(CLUSTERS.replace("name: hv01", "name: hv11").replace(": audit}", ": other}"))
    Path("top.yaml").write_text("include: [sub.yaml, hosts.ini]\n")
    text = said(capsys, "show", "top.yaml")
    assert text.startswith("estate top, 2 servers and 1 cluster, from top.yaml\n")
    shown = CLUSTERS_SHOWN.partition("\n\n")[2]
    for before, now in (("lab.yaml", "sub.yaml"), ("hv01", "hv11"), ("credential  audit", "credential  other")):
        shown = shown.replace(before, now)
    assert shown in text
    assert "cluster hvcl01" not in said(capsys, "show", "top.yaml", "--limit", "hv01")


def test_ansibles_with_the_variable_of_each_value(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With Ansible or without: where a value stands is what our own reading found."""
    text = said(capsys, "show", "hosts.ini")
    for line in (
        "hv01  (hosts.ini:3)",
        "scheme      https           ansible_port, by Ansible's default",
        "transport   ntlm            ansible_winrm_transport (hosts.ini:9)",
        "credential  audit           ansible_password (hosts.ini:8)",
        'site        "Berlin Mitte"  hyperv_site (hosts.ini:3)',
        'groups      ["hyperv"]      its groups',
        "remark: of ansible_winrm_transport only `ntlm` is tried, the first",
        "not Windows, so not read: 1 host (web01)",
    ):
        assert f"  {line}\n" in text or f"{line}\n" in text, text


def test_converted_it_is_the_same_inventory(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = said(capsys, "convert", "hosts.ini")
    assert text[text.index("name:") :] == CONVERTED
    for name, user in (("AUDIT", r"DR\audit"), ("AUDIT_2", r"DR\audit")):
        assert f"#     export COMPLIANCE_{name}_USERNAME='{user}' COMPLIANCE_{name}_PASSWORD='...'\n" in text
    theirs = read_any(folder / "hosts.ini", world=WITHOUT)
    assert inventory_of(folder / "converted.yaml", text.encode()).servers == theirs.servers


def test_what_kerberos_does_not_use_is_told(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    line = "ansible_connection=winrm ansible_user=audit@DR.EXAMPLE ansible_password=canary"
    Path("hosts.ini").write_text(f"hv01 {line}\n")
    text = said(capsys, "convert", "hosts.ini")
    remark = "ansible_password is not used for kerberos: whoever runs this needs a ticket (kinit), or set hyperv_keytab"
    assert f"  - name: hv01  # {remark}\n" in text
    assert '    principal: "audit@DR.EXAMPLE"\n' in text


def test_our_own_is_not_converted(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "lab.yaml: no inventory of Ansible's" in said(capsys, "convert", "lab.yaml", code=4)


# --- files that no shell writes ---------------------------------------------------------------------------------------

UMLAUTS = (
    "Zürich-hv01 ansible_connection=psrp ansible_user='DR\\\\Prüfer' ansible_password=canary hyperv_site='Żółw ✓'\n"
)


def test_a_file_is_written_in_utf_8(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("hosts.ini").write_text(UMLAUTS, encoding="utf-8")
    assert said(capsys, "convert", "hosts.ini", "--out", "site.yaml") == "site.yaml: written\n"
    content = Path("site.yaml").read_bytes()
    assert b"\r" not in content
    (entry,) = read_any(Path("site.yaml"), world=WITHOUT).servers
    assert (entry.name, entry.site) == ("Zürich-hv01", "Żółw ✓")
    lab(folder / "lab.jsonl")
    assert said(capsys, "suggest", "--snapshot", "lab.jsonl", "--out", "more.yaml", code=1) == "more.yaml: written\n"
    assert "- name: HV09.dr.example" in Path("more.yaml").read_text("utf-8")


def test_names_of_files_are_relative_to_the_file_that_is_written(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("sub").mkdir()
    said(capsys, "convert", "hosts.ini", "--out", "sub/site.yaml", "--limit", "hv01")
    text = Path("sub/site.yaml").read_text("utf-8")
    assert f"    ca: {folder / 'ca.pem'}\n" in text
    assert read_any(Path("sub/site.yaml"), world=WITHOUT).servers[0].ca == folder / "ca.pem"


@pytest.mark.parametrize("arguments", [("convert", "hosts.ini"), ("suggest", "lab.yaml", "--snapshot", "lab.jsonl")])
def test_what_is_read_is_not_written_over(
    folder: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...]
) -> None:
    lab(folder / "lab.jsonl")
    for name in {arguments[1], arguments[-1]}:
        before = Path(name).read_bytes()
        assert f"--out {name}: is what is read" in said(capsys, *arguments, "--out", name, code=4)
        assert Path(name).read_bytes() == before


def test_a_file_that_can_not_be_written_is_told(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "--out .: can't be written: Is a directory" in said(capsys, "convert", "hosts.ini", "--out", ".", code=4)


@pytest.mark.parametrize("encoding", ["cp1252", "cp437", "ascii"])
def test_a_pipe_is_given_utf_8(folder: Path, encoding: str) -> None:
    """Whatever the machine is used to: PowerShell would make another server's name of it."""
    Path("hosts.ini").write_text(UMLAUTS, encoding="utf-8")
    raw = io.BytesIO()
    world = replace(WITHOUT, out=io.TextIOWrapper(raw, encoding=encoding))
    run(argparse.Namespace(what="convert", file=Path("hosts.ini"), limit="", out=None), world)
    assert "- name: Zürich-hv01" in raw.getvalue().decode("utf-8").replace('"', "")


def test_hints_are_for_the_shell_at_hand() -> None:
    variables = {"COMPLIANCE_A_USERNAME": "DR\\o'neil’s", "COMPLIANCE_A_PASSWORD": "..."}
    assert shell_line(variables, is_windows=True) == (
        "$env:COMPLIANCE_A_USERNAME = 'DR\\o''neil’’s'; $env:COMPLIANCE_A_PASSWORD = '...'"
    )
    assert shell_line(variables, is_windows=False) == (
        "export COMPLIANCE_A_USERNAME='DR\\o'\\''neil’s' COMPLIANCE_A_PASSWORD='...'"
    )


def test_messages_name_this_commands_option(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert said(capsys, "show", "lab.yaml", "--limit", "nobody", code=4) == (
        "ERROR: --limit: no server or group is called `nobody`\n"
    )
    assert "  --limit hv01 left out 2 more names\n" in said(capsys, "show", "lab.yaml", "--limit", "hv01")
    lab(folder / "lab.jsonl")
    Path("lab.yaml").write_text("snapshot: lab.jsonl\n")
    assert said(capsys, "show", "lab.yaml", "--limit", "hv01", code=4) == (
        "ERROR: --limit chooses servers to read: a snapshot has been read\n"
    )


# --- partners that nobody listed --------------------------------------------------------------------------------------

SQL = Vm(name="sql01")


def lab(path: Path, *, partner: str = "HV09.dr.example") -> Path:
    write_snapshot(
        snapshot(source(Host(name="HV01", vms=[Vm(name="sql01", hosts=[("hv01.dr.example", partner)])]))), path
    )
    return path


def suggested(text: str) -> list[str]:
    return text[text.index("servers:") : text.index("# Settings")].splitlines()


def test_partners_are_suggested_ready_to_paste(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = said(capsys, "suggest", "--snapshot", lab(folder / "lab.jsonl"), code=1)
    assert suggested(text) == ["servers:", "  - name: HV09.dr.example  # partner of 1 machine on hv01"]
    pasted = f"{text}defaults: {{credential: audit}}\n"
    assert [entry.name for entry in inventory_of(Path("lab.yaml"), pasted.encode()).servers] == ["HV09.dr.example"]


def test_a_partner_that_may_be_a_broker_is_suggested_as_a_cluster_too(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = said(capsys, "suggest", "--snapshot", lab(folder / "lab.jsonl", partner="HVBROKER.dr.example"), code=1)
    other = "\n".join(line.removeprefix("# ") for line in text[text.index("# clusters:") :].splitlines())
    inventory = inventory_of(Path("lab.yaml"), f"{other}\ndefaults: {{credential: audit}}\n".encode())
    (cluster,) = inventory.clusters
    assert (cluster.name, str(cluster.node("HV08"))) == ("HVBROKER.dr.example", "hv08.dr.example")
    assert inventory.servers == ()


LISTED: list[tuple[str, Sequence[str], int]] = [
    ("servers: [{name: hv09, credential: a}]", ["--snapshot", "lab.jsonl"], 0),
    ("servers: [{name: other, address: hv09.dr.example, credential: a}]", ["--snapshot", "lab.jsonl"], 0),
    ("servers: [{name: hv08, credential: a}]", ["--snapshot", "lab.jsonl"], 1),
    ("clusters: [{name: hv09, credential: a}]", ["--snapshot", "lab.jsonl"], 0),
    ("clusters: [{name: c, credential: a, nodes: [{name: hv09}]}]", ["--snapshot", "lab.jsonl"], 0),
    ("snapshot: lab.jsonl", [], 1),
]


@pytest.mark.parametrize(("text", "more", "code"), LISTED)
def test_what_an_inventory_lists_is_not_suggested(
    folder: Path, capsys: pytest.CaptureFixture[str], text: str, more: Sequence[str], code: int
) -> None:
    lab(folder / "lab.jsonl")
    Path("lab.yaml").write_text(f"{text}\n")
    said(capsys, "suggest", "lab.yaml", *more, code=code)


def test_what_is_no_hosts_name_is_no_entry(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = said(capsys, "suggest", "--snapshot", lab(folder / "lab.jsonl", partner='x"\n- name: y'), code=0)
    assert "name: y" not in text
    assert 'x"' not in text


def test_a_snapshot_is_needed(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "give --snapshot FILE" in said(capsys, "suggest", "lab.yaml", code=4)
    assert "give --snapshot FILE" in said(capsys, "suggest", code=4)


def test_the_demo_has_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert "- name: MUC-HV09.dr.example  # partner of 1 machine on fra-hv04" in said(
        capsys, "suggest", "--snapshot", SNAPSHOT, code=1
    )


def test_whoever_is_listed_is_no_partner_that_is_missing(folder: Path) -> None:
    both = snapshot(source(Host(name="HV01", vms=[SQL])), source(Host(name="HV02", vms=[replica_of(SQL)])))
    write_snapshot(both, folder / "lab.jsonl")
    assert main(["inventory", "suggest", "--snapshot", "lab.jsonl"]) == 0


def test_it_is_documented() -> None:
    text = (ROOT / "docs" / "inventories.md").read_text(encoding="utf-8")
    assert all(f"inventory {word}" in text for word in ("show", "suggest", "convert"))
