"""What a guest of real size publishes: 21 items, whose texts differ from guest to guest."""

from __future__ import annotations


def published(name: str, number: int) -> dict[str, str]:
    """Return the items of guest ``number``, called ``name``; their names are those that Windows guests publish
    (Msvm_KvpExchangeDataItem of the Windows documentation)."""
    address = f"10.{number // 62_500 % 250}.{number // 250 % 250}.{number % 250 + 1}"
    build = f"10.0.{(14393, 17763, 20348, 26100)[number % 4]}"
    return {
        "CSDVersion": "",
        "FullyQualifiedDomainName": f"{name}-{number:05d}.dr.example",
        "IntegrationServicesVersion": build,
        "NetworkAddressIPv4": address,
        "NetworkAddressIPv6": f"fe80::{number:x}:2:3:4",
        "OSBuildNumber": build.rpartition(".")[2],
        "OSEditionId": str(7 + number % 2),
        "OSMajorVersion": "10",
        "OSMinorVersion": "0",
        "OSName": f"Windows Server {(2016, 2019, 2022, 2025)[number % 4]} Standard",
        "OSPlatformId": "2",
        "OSSignature": "",
        "OSVendor": "Microsoft Corporation",
        "OSVersion": build,
        "ProcessorArchitecture": "9",
        "ProductType": "3",
        "RDPAddressIPv4": address,
        "RDPAddressIPv6": f"fe80::{number:x}:2:3:4",
        "ServicePackMajor": "0",
        "ServicePackMinor": "0",
        "SuiteMask": "272",
    }
