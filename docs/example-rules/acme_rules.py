"""Rules of ACME's own on replicated virtual machines and Hyper-V servers."""

from compliance.model import ReplicatedVM, Server, Unread
from compliance.rule import Outcome, Severity, failed, not_applicable, passed, rule, unknown


@rule(
    "acme-two-adapters",
    severity=Severity.WARNING,
    title="Virtual machines have two network adapters",
    issue="ACME's machines use a second adapter for backups.",
    impact="A machine without it is not backed up after a failover.",
    resolution="Add an adapter that is connected to the backup network.",
    violated="have no second network adapter",
    requires=("failover-ip-needs-integration-services",),
)
def has_two_adapters(vm: ReplicatedVM) -> Outcome:
    adapters = vm.machine.adapters
    if isinstance(adapters, Unread):
        return unknown(str(adapters), cause="acme-adapters-unread")
    if len(adapters) >= 2:
        return passed(f"{len(adapters)} network adapters")
    return failed(f"{len(adapters)} network adapter: expected two", cause="acme-one-adapter")


@rule(
    "acme.version",
    severity=Severity.INFORMATION,
    title="Servers run Windows Server 2022 or later",
    impact="ACME's support covers no older version.",
    resolution="Upgrade the server.",
)
def is_recent(server: Server) -> Outcome:
    if server.version is None:
        return not_applicable("it did not say its version")
    build = server.version.rpartition(".")[2]
    if build.isdecimal() and int(build) >= 20348:
        return passed(server.version)
    return failed(f"version {server.version}: expected 10.0.20348 or later", cause="acme-old-version")
