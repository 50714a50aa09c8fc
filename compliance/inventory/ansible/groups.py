"""Groups within groups, and which of a variable's many values a host ends up with.

The order is Ansible's ("How variables are merged", inventory guide; "Understanding variable precedence"): variables
of groups in the inventory, group_vars/all, group_vars/*, the host's in the inventory, host_vars/*. Among groups the
parents come first, then by ansible_group_priority, then by name; the last one wins.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from compliance.errors import InventoryError
from compliance.files.yaml_file import shown
from compliance.inventory.ansible.hosts import Host, Value

ALL, UNGROUPED = "all", "ungrouped"
PRIORITY = "ansible_group_priority"
MOST_SAID = 100_000
"""Groups and hosts that files may name, each time they do: anchors of YAML can multiply a few lines."""

Variables = Mapping[str, Value]


@dataclass(slots=True)
class Group:
    origin: str
    children: dict[str, str] = field(default_factory=dict)  # name -> where that was said
    hosts: dict[str, None] = field(default_factory=dict)
    variables: dict[str, Value] = field(default_factory=dict)


@dataclass(slots=True)
class Graph:
    """What the files of an inventory said so far."""

    groups: dict[str, Group] = field(default_factory=dict)
    hosts: dict[str, Host] = field(default_factory=dict)
    said: int = 0

    def group(self, name: str, origin: str) -> Group:
        self.said += 1
        if self.said > MOST_SAID:
            raise InventoryError(f"{origin}: names more than {MOST_SAID:,} groups and hosts")
        return self.groups.setdefault(name, Group(origin))

    def add_host(self, name: str, group: str, variables: Variables, *, port: str | None, file: str, line: int) -> None:
        """A host may stand in several groups and files; what is said later of a variable wins. A port behind its name
        counts only where it is named first, as ansible-core 2.19 has it."""
        known = self.hosts.get(name)
        if known is None:
            at_once = {} if port is None else {"ansible_port": Value(content=port, origin=f"{file}:{line}")}
            known = Host(name=name, file=file, line=line, variables=at_once)
        said = {**known.variables, **variables}
        self.hosts[name] = Host(name=name, variables=said, file=known.file, line=known.line)
        self.group(group, f"{file}:{line}").hosts[name] = None

    def resolved(self, beside: Callable[[str, str], Variables]) -> tuple[Host, ...]:
        """Every host with its groups and variables. ``beside(kind, name)``: what ``group_vars`` and ``host_vars`` say
        of it. InventoryError where groups hold each other in a circle."""
        depths = self._depths()
        above: dict[str, set[str]] = {}
        for name in sorted(self.groups, key=depths.__getitem__):
            for child in self.groups[name].children:
                above.setdefault(child, set()).update({name}, above.get(name, set()))
        order = sorted(self.groups, key=lambda name: (depths[name], self._priority(name), name))
        found = []
        for host in self.hosts.values():
            own = {name for name, group in self.groups.items() if host.name in group.hosts}
            member = own.union(*(above.get(name, set()) for name in own)) - {ALL, UNGROUPED}
            groups = [name for name in order if name in member]
            found.append(
                Host(
                    name=host.name,
                    groups=tuple(sorted(groups)),
                    variables=self._variables(host, groups or [UNGROUPED], beside),
                    file=host.file,
                    line=host.line,
                )
            )
        return tuple(found)

    def _variables(self, host: Host, groups: Iterable[str], beside: Callable[[str, str], Variables]) -> Variables:
        names = [ALL, *groups]
        layers = [self.groups[name].variables for name in names if name in self.groups]
        layers += [dict(beside("group_vars", name)) for name in names]
        layers += [dict(host.variables), dict(beside("host_vars", host.name))]
        return {name: value for layer in layers for name, value in layer.items() if name != PRIORITY}

    def _priority(self, name: str) -> int:
        value = self.groups[name].variables.get(PRIORITY)
        content = value.content if value else None
        return int(content) if isinstance(content, str) and content.lstrip("-").isdecimal() else 1

    def _depths(self) -> dict[str, int]:
        """The longest way down to each group: the nearer one's variables win."""
        depths = dict.fromkeys(self.groups, 1) | ({ALL: 0} if ALL in self.groups else {})
        wave = list(depths)
        for _ in range(len(depths) + 1):
            following = []
            for name in wave:
                for child in self.groups[name].children:
                    if depths[child] <= depths[name]:
                        depths[child] = depths[name] + 1
                        following.append(child)
            if not following:
                return depths
            wave = list(dict.fromkeys(following))
        group = self.groups[wave[0]]
        raise InventoryError(f"{group.origin}: group {shown(wave[0])} is among its own children")
