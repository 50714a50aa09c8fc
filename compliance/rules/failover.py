"""Will an alternate failover address be applied? BPA's rule on integration services, carried to the guest's own answer.

The issue, impact and resolution are quoted from Microsoft's Windows Server documentation, by Microsoft and
contributors, CC BY 4.0 (see NOTICE); the list of machines, which the page leaves open, is filled in by the report.
"""

from __future__ import annotations

from compliance.model import FailoverAddress, Judging, ReplicatedVM, Role, Unread, VirtualMachine
from compliance.rule import Outcome, Severity, rule, with_facts, with_remarks
from compliance.rules.evidence.facts import ADDRESSES_NOW, BPA, MachineFacts, addresses_now
from compliance.rules.evidence.handover import handed_over


@rule(
    "failover-ip-needs-integration-services",
    severity=Severity.ERROR,
    title=(
        "Integration services must be installed before primary or Replica virtual machines can use an alternate "
        "IP address after a failover"
    ),
    issue=(
        "Virtual machines participating in replication can be configured to use a specific IP address in the event of "
        "failover, but only if integration services are installed in the guest operating system of the virtual machine."
    ),
    impact=(
        "In the event of a failover (planned, unplanned, or test), the Replica virtual machine will come online using "
        "the same IP address as the primary virtual machine. This configuration might cause connectivity issues."
    ),
    resolution=(
        "Use Virtual Machine Connection to install integration services in the virtual machine.\n\n"
        "As of Windows Server 2016, integration services for Windows virtual machines are delivered through Windows "
        "Update. Ensure these virtual machines are configured to receive Windows updates to get the latest version of "
        "integration services. The Linux kernel now includes Linux integration services (LIS) and is updated for new "
        "releases, but Linux distributions based on older kernels may not have the latest enhancements or fixes. For "
        "details, see Supported Linux and FreeBSD virtual machines for Hyper-V on Windows."
    ),
    unknown_when=(
        "The failover settings, the adapters or the state of Data Exchange were not read, or the guest runs on no "
        "server that was read. So it is for a guest that was started within the boot grace, that is paused, or that "
        "answered once and does not now."
    ),
    violated="would keep the primary's address after a failover",
    link=(
        "https://learn.microsoft.com/windows-server/virtualization/hyper-v/best-practices-analyzer/"
        "integration-services-must-be-installed-before-primary-or-replica-virtual-machines-can-use-an-alternate-ip-"
        "address-after-a-failover"
    ),
    bpa=230,
    quoted=True,
)
def failover_ip_needs_integration_services(vm: ReplicatedVM, settings: Judging) -> Outcome:
    remarks = (*vm.machine.remarks, *vm.remarks, *_remarks(vm.machine))
    return with_facts(with_remarks(handed_over(vm, settings), remarks), MachineFacts(vm, FACTS))


def _bpa(vm: ReplicatedVM) -> tuple[str]:
    return (_bpa_says(vm.machine),)


FACTS = {ADDRESSES_NOW: addresses_now, BPA: _bpa}


def _bpa_says(machine: VirtualMachine) -> str:
    """What Microsoft's own test says: replicas only, nothing but the offer (Hyper-V.ps1 of Server 2012, rule 230)."""
    if isinstance(machine.role, Unread) or isinstance(machine.replicated, Unread) or isinstance(machine.doubt, Unread):
        return "not comparable"
    if machine.role is not Role.REPLICA:
        return "no statement (BPA looks at replicas only)"
    if isinstance(machine.failover, Unread):
        return "not comparable"
    offered = machine.data_exchange_offered
    if not machine.failover:
        # Its script counts a missing address as one, by PowerShell's `@() += $null`; inferred, never seen.
        return "compliant" if offered is True else "not comparable"
    return "compliant" if offered is True else "violating"


def _remarks(machine: VirtualMachine) -> tuple[str, ...]:
    return tuple(remark for setting in machine.settings for remark in _adapter_remarks(setting))


def _adapter_remarks(setting: FailoverAddress) -> list[str]:
    adapter = setting.adapter
    if adapter is None:
        return [f"whether the server has the adapter of {setting} is not known"]
    return [f"the adapter of {setting}, {adapter}, is connected to no switch"] if adapter.connected is False else []
