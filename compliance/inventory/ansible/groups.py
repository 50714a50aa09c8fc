"""Groups within groups, and which of a variable's many values a host ends up with.

The order is Ansible's ("How variables are merged", inventory guide; "Understanding variable precedence"): variables
of groups in the inventory, group_vars/all, group_vars/*, the host's in the inventory, host_vars/*. Among groups the
parents come first, then by ansible_group_priority, then by name; the last one wins.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace

from compliance.errors import InventoryError
from compliance.inventory.ansible.hosts import Host, VariableValue
from compliance.words import quote

ALL, UNGROUPED = "all", "ungrouped"
PRIORITY = "ansible_group_priority"
MOST_MENTIONS = 100_000
"""Groups and hosts that files may name, each time they do: anchors of YAML can multiply a few lines."""
MOST_VALUES = 3_000_000
"""Variables of all hosts together, and memberships in groups: ten thousand hosts with three hundred each."""
DEEPEST = 100
"""Groups within groups."""

Variables = Mapping[str, VariableValue]


@dataclass(slots=True)
class Group:
    origin: str
    children: dict[str, str] = field(default_factory=dict)  # name -> where that was said
    hosts: dict[str, None] = field(default_factory=dict)
    variables: dict[str, VariableValue] = field(default_factory=dict)


@dataclass(slots=True)
class Graph:
    """What the files of an inventory said so far."""

    groups: dict[str, Group] = field(default_factory=dict)
    hosts: dict[str, Host] = field(default_factory=dict)
    mentions: int = 0
    values: int = 0

    def group(self, name: str, origin: str) -> Group:
        """Return the group of this name, new where it is."""
        self.mentions += 1
        if self.mentions > MOST_MENTIONS:
            raise InventoryError(f"{origin}: names more than {MOST_MENTIONS:,} groups and hosts")
        return self.groups.setdefault(name, Group(origin))

    def add_host(self, name: str, group: str, variables: Variables, *, port: str | None, file: str, line: int) -> None:
        """A host may stand in several groups and files; what is said later of a variable wins. A port behind its name
        counts only where it is named first, as ansible-core 2.19 has it."""
        known = self.hosts.get(name)
        if known is None:
            at_once = {} if port is None else {"ansible_port": VariableValue(content=port, origin=f"{file}:{line}")}
            known = Host(name=name, file=file, line=line, variables=at_once)
        self._count(len(known.variables) + len(variables), f"{file}:{line}")
        self.hosts[name] = replace(known, variables={**known.variables, **variables})
        self.group(group, f"{file}:{line}").hosts[name] = None

    def resolved(self, variables_of: Callable[[str, str], Variables]) -> tuple[Host, ...]:
        """Return every host with its groups and variables. ``beside(kind, name)`` is what ``group_vars`` and
        ``host_vars`` say of it. InventoryError where groups hold each other in a circle."""
        depths = self._depths()
        order = sorted(self.groups, key=lambda name: (depths[name], self._priority(name), name))
        rank = {name: number for number, name in enumerate(order)}
        parents: dict[str, list[str]] = {}
        members: dict[str, list[str]] = {}
        for name, group in self.groups.items():
            for child in group.children:
                parents.setdefault(child, []).append(name)
            for member in group.hosts:
                members.setdefault(member, []).append(name)
        hosts = []
        for host in self.hosts.values():
            groups = sorted(self._with_parents(members.get(host.name, ()), parents, host), key=rank.__getitem__)
            variables = self._variables(host, groups or [UNGROUPED], variables_of)
            hosts.append(replace(host, groups=tuple(sorted(groups)), variables=variables))
        return tuple(hosts)

    def _with_parents(self, names: Iterable[str], parents: Mapping[str, Iterable[str]], host: Host) -> set[str]:
        """Return these groups and all above them."""
        groups_above: set[str] = set()
        wave = list(names)
        while wave:
            name = wave.pop()
            if name not in groups_above:
                groups_above.add(name)
                wave.extend(parents.get(name, ()))
        self._count(len(groups_above), host.origin)
        return groups_above - {ALL, UNGROUPED}

    def _variables(self, host: Host, groups: Iterable[str], variables_of: Callable[[str, str], Variables]) -> Variables:
        names = [ALL, *groups]
        layers: list[Variables] = [self.groups[name].variables for name in names if name in self.groups]
        layers += [variables_of("group_vars", name) for name in names]
        layers += [host.variables, variables_of("host_vars", host.name)]
        self._count(sum(map(len, layers)), host.origin)
        return {name: value for layer in layers for name, value in layer.items() if name != PRIORITY}

    def _count(self, values: int, origin: str) -> None:
        self.values += values
        if self.values > MOST_VALUES:
            raise InventoryError(f"{origin}: more than {MOST_VALUES:,} variables and groups of hosts, all together")

    def _priority(self, name: str) -> int:
        value = self.groups[name].variables.get(PRIORITY)
        content = value.content if value else None
        return int(content) if isinstance(content, str) and re.fullmatch(r"\s*[-+]?[0-9]{1,9}\s*", content) else 1

    def _depths(self) -> dict[str, int]:
        """Return the longest way down to each group: the nearer one's variables win."""
        depths = dict.fromkeys(self.groups, 1) | ({ALL: 0} if ALL in self.groups else {})
        wave = list(depths)
        while wave:
            following: dict[str, None] = {}
            for name in wave:
                if depths[name] > DEEPEST:
                    raise self._too_deep(name)
                for child in self.groups[name].children:
                    if depths[child] <= depths[name]:
                        depths[child] = depths[name] + 1
                        following[child] = None
            wave = list(following)
        return depths

    def _too_deep(self, name: str) -> InventoryError:
        what = "is among its own children" if self._is_in_circle(name) else f"lies more than {DEEPEST} groups deep"
        return InventoryError(f"{self.groups[name].origin}: group {quote(name)} {what}")

    def _is_in_circle(self, name: str) -> bool:
        reached: set[str] = set()
        wave = list(self.groups[name].children)
        while wave:
            child = wave.pop()
            if child not in reached:
                reached.add(child)
                wave.extend(self.groups[child].children)
        return name in reached
