"""What a Windows guest is asked over WS-Man: four classes of root/cimv2 and two texts of its registry.

Classes and properties: Microsoft's pages on the CIMWin32 provider. ``vmickvpexchange`` and IntegrationServicesVersion:
its page on integration services. ``Guest\\Parameters`` is documented with HostName, PhysicalHostName and
VirtualMachineName (IVMGuestOS::GetParameter); that VirtualMachineId stands beside them is inferred from the same items
as Linux guests receive them (pool 3 of hv_kvp_daemon). Where it does not, MAC addresses alone tell whose guest it is.
"""

from __future__ import annotations

from dataclasses import dataclass

from compliance.hyperv.queries import CIMV2, OPERATING_SYSTEM, Query

KVP_SERVICE = "vmickvpexchange"
WITNESS = "WinRM"
"""A service that runs wherever we are answered. An account that may not see services is shown none of them without a
word, so that only beside this one a service that is not shown is one that is not there."""

SERVICES = Query(
    "Win32_Service", ("Name", "State", "StartMode"), CIMV2, where=f"Name = '{KVP_SERVICE}' OR Name = '{WITNESS}'"
)
ADAPTERS = Query(
    "Win32_NetworkAdapterConfiguration",
    ("Index", "Description", "MACAddress", "ServiceName", "DHCPEnabled", "IPAddress"),
    CIMV2,
)
SYSTEM = Query(OPERATING_SYSTEM, ("Caption", "Version"), CIMV2)
COMPUTER = Query("Win32_ComputerSystem", ("Manufacturer", "Model"), CIMV2)

QUERIES = (SYSTEM, COMPUTER, SERVICES, ADAPTERS)

REGISTRY = "StdRegProv"
GET_STRING = "GetStringValue"
LOCAL_MACHINE = "2147483650"


@dataclass(frozen=True, slots=True)
class RegistryValue:
    """A text below HKEY_LOCAL_MACHINE."""

    key: str
    name: str

    def __str__(self) -> str:
        return rf"HKLM\{self.key}\{self.name}"

    @property
    def arguments(self) -> dict[str, str]:
        """Return those of GetStringValue, in its own order."""
        return {"hDefKey": LOCAL_MACHINE, "sSubKeyName": self.key, "sValueName": self.name}


MACHINE_ID = RegistryValue(r"SOFTWARE\Microsoft\Virtual Machine\Guest\Parameters", "VirtualMachineId")
INTEGRATION_SERVICES = RegistryValue(r"SOFTWARE\Microsoft\Virtual Machine\Auto", "IntegrationServicesVersion")

VALUES = (MACHINE_ID, INTEGRATION_SERVICES)
