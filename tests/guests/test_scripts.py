"""What a script's lines say of the files that it takes: those of distributions, forms of shell and Python, any text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compliance.hyperv.guests.scripts import LOADS, takes_by_lines
from compliance.model import Takes, Unread
from tests.guests.replies import KEYFILE_LINES

RED_HAT_9_3 = """
echo "IPV6INIT=yes" >> $1
sed -i "s/GATEWAY=/GATEWAY0=/" $1
cp $1 /etc/sysconfig/network-scripts/
filename="${1##*/}"
nmcli connection load "/etc/sysconfig/network-scripts/${filename}"
"""
KERNELS_OWN_OLD = """
echo "NM_CONTROLLED=no" >> $1
dhcp=$(grep "DHCP" $1 2>/dev/null)
if [ "$dhcp" != "" ];
then
fi
cp $1 /etc/sysconfig/network-scripts/
interface=$(echo $1 | awk -F - '{ print $2 }')
/sbin/ifup $interface 2>/dev/null
"""
KERNELS_OWN_NEW = """
cp $1 /etc/sysconfig/network-scripts/
interface=$(echo $1 | awk -F - '{ print $2 }')
filename="${2##*/}"
sed '/\\[connection\\]/a autoconnect=true' $2 > /etc/NetworkManager/system-connections/${filename}
"""
UBUNTU = """
except IOError as e:
exit(e.errno)
else:
if len(sys.argv) != 2 :
exit(errno.EINVAL)
kvp=dict(line.strip().split("=") for line in fileinput.input())
def emit(line):
"""
COUNTS, FUNCTIONS = "it counts its files in a way that we don't read", "its functions have arguments of their own"

CASES: list[tuple[str, Takes]] = [
    ("\n".join(KEYFILE_LINES), Takes(least=2)),
    (RED_HAT_9_3, Takes()),
    (KERNELS_OWN_OLD, Takes()),
    (KERNELS_OWN_NEW, Takes(least=2)),
    (UBUNTU, Takes(most=1)),
    ("", Takes()),
    ("[ $# -ne 2 ] && exit 1", Takes(least=2, most=2)),
    ("[ $# -eq 1 ] || exit 1", Takes(most=1)),
    ("[ $# -ge 2 ] || { echo usage; exit 1; }", Takes(least=2)),
    ("test $# -lt 2 && exit", Takes(least=2)),
    ("if [ $# -gt 1 ]; then\nexit 1\nfi", Takes(most=1)),
    ("if (( $# != 1 )); then\nexit 1\nfi", Takes(most=1)),
    ("[ $# -eq 0 ] && exit 1", Takes()),
    ("if [ $# -eq 1 ]; then\nelse\nexit 1\nfi", Takes(doubt=COUNTS)),
    ('[ -f "$2" ] || exit 1\ncp "$2" /etc/x', Takes(least=2)),
    ('if [ ! -f "$2" ]; then\nexit 1\nfi\ncp "$2" /etc/x', Takes(least=2)),
    ('[ "$2" = "" ] && exit 1', Takes(least=2)),
    (': "${2:?no keyfile}"', Takes(least=2)),
    ('if [ -n "$2" ]; then\nnmcli connection load "$2"\nelse\ncp $1 /etc/x\nfi', Takes()),
    ('if [ -z "$2" ]; then\ncp $1 /etc/x\nelse\ncp $2 /etc/y\nfi', Takes()),
    ('key=${2:-/var/lib/hyperv/x}\ncp "$key" /etc/x', Takes()),
    ('log() {\nlogger "$1: $2"\n}\ncp $1 /etc/x', Takes(doubt=FUNCTIONS)),
    ('main "$@"', Takes(doubt=COUNTS)),
    ("case $# in\n1) ;;\n*) exit 1 ;;\nesac", Takes(doubt=COUNTS)),
    ("shift\ncp $1 /etc/x", Takes(doubt=COUNTS)),
    ("if len(sys.argv) < 3:\nsys.exit(1)", Takes(least=2)),
    ("if len(sys.argv) > 2:\nraise SystemExit(1)", Takes(most=1)),
    ("config = sys.argv[1]", Takes()),
    ("config, keyfile = sys.argv[1], sys.argv[2]", Takes(least=2)),
    ("parser = argparse.ArgumentParser()", Takes(doubt=COUNTS)),
    ("_, config = sys.argv", Takes(doubt=COUNTS)),
]


@pytest.mark.parametrize(("code", "takes"), CASES)
def test_how_many_files_a_script_takes(code: str, takes: Takes) -> None:
    assert takes_by_lines(code.strip().splitlines()) == takes


@pytest.mark.parametrize(
    ("takes", "count", "fits"),
    [
        (Takes(), 1, True),
        (Takes(), 2, True),
        (Takes(), None, True),
        (Takes(least=2), 1, False),
        (Takes(least=2), 2, True),
        (Takes(least=2), None, Unread("how many files its daemon hands over is not known")),
        (Takes(most=1), 2, False),
        (Takes(most=1), 1, True),
        (Takes(doubt="x"), 1, Unread("x")),
        (Takes(least=2, doubt="x"), 1, False),
    ],
)
def test_what_fits(takes: Takes, count: int | None, fits: bool | Unread) -> None:
    assert takes.fits(count) == fits


@pytest.mark.parametrize(
    ("line", "loads"),
    [
        ('nmcli connection load "/etc/NetworkManager/system-connections/${filename}"', True),
        ("nmcli -w 10 c reload", True),
        ("$NMCLI con load $file", True),
        ("nmcli con mod eth0 ipv4.method manual", True),
        ("systemctl restart NetworkManager", True),
        ("systemctl reload-or-restart NetworkManager.service", True),
        ("service NetworkManager restart", True),
        ("nmcli connection up eth0", False),
        ("nmcli device show", False),
        ("systemctl status NetworkManager", False),
    ],
)
def test_what_makes_network_manager_load_its_files(line: str, loads: bool) -> None:
    assert bool(LOADS.search(line)) is loads


WORDS = (
    "$1",
    "$2",
    "${2",
    "$#",
    "[",
    "]",
    "-ne",
    "-z",
    "1",
    "2",
    "&&",
    "||",
    "exit",
    "if",
    "fi",
    "else",
    "'",
    "sys.argv",
)
words = st.sampled_from(WORDS)


@given(st.lists(st.lists(words | st.text(max_size=5), max_size=8).map(" ".join), max_size=8))
def test_any_lines_say_something_or_leave_a_doubt(code: list[str]) -> None:
    takes = takes_by_lines(code)
    assert takes.least >= 1
    assert takes.fits(takes.least) in (True, False) or takes.doubt


@given(st.integers(1, 4), st.sampled_from(["-ne", "!="]), st.sampled_from(["exit 1", "return 1", "die usage"]))
def test_exactly_so_many(count: int, test: str, end: str) -> None:
    for code in (f"[ $# {test} {count} ] && {end}", f"if [ $# {test} {count} ]; then\n{end}\nfi"):
        takes = takes_by_lines(code.splitlines())
        assert [number for number in range(1, 7) if takes.fits(number) is True] == [count]
