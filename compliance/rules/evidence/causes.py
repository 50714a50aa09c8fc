"""Why a rule failed or does not know: one stable key for each, on which identities, remedies and groups rest."""

from __future__ import annotations

from enum import StrEnum


class Cause(StrEnum):
    """A key never changes its meaning; the sentences beside it may."""

    # what stands before every rule on a virtual machine
    SERVER_UNREAD = "server-unread"
    CLUSTER_UNREAD = "cluster-unread"
    REQUIRED_UNKNOWN = "required-rule-unknown"
    REQUIRED_FAILED = "required-rule-failed"
    MACHINE_UNREAD = "machine-unread"
    MACHINE_CHANGED = "machine-changed-during-audit"
    SETTINGS_UNREAD = "failover-settings-unread"
    ADAPTERS_UNREAD = "adapters-unread"
    SERVER_FAULT = "said-at-the-server"
    OTHER_PROVIDER = "other-provider"
    NO_ADDRESS = "no-failover-address"

    # the way to the adapter
    LEGACY_ADAPTER = "adapter-is-legacy"
    NO_SUCH_ADAPTER = "adapter-not-listed"

    # the way to the guest
    SHIELDED = "shielded"
    OFFER_UNREAD = "data-exchange-offer-unread"
    OFFER_OFF = "data-exchange-off"
    GUEST_UNREAD = "guest-unread"
    GUEST_NO_ROW = "guest-without-row"
    GUEST_NO_PROTOCOL = "data-exchange-no-protocol"
    GUEST_LOST = "data-exchange-lost"
    GUEST_NO_CONTACT = "data-exchange-no-contact"
    GUEST_BOOTS = "guest-boots"
    UPTIME_UNREAD = "uptime-unread"
    GUEST_PAUSED = "guest-paused"
    GUEST_NOT_SEEN = "guest-not-seen"
    PARTNER_UNREAD = "partner-unread"
    PARTNER_CHANGED = "partner-changed-during-audit"
    PARTNER_OFFER_UNREAD = "partner-offer-unread"
    PARTNER_OFFER_OFF = "partner-offer-off"

    # the address itself
    WRONG_SIDE = "set-on-the-wrong-side"
    STATIC_WITHOUT = "static-without-address"
    ADAPTER_WITHOUT = "adapter-without-address"
    ADAPTER_LACKING = "adapter-not-on-the-replica"
    BY_DHCP = "by-dhcp"
    TODAY_UNKNOWN = "today-not-known"
    TODAY_UNREAD = "today-unread"
    STRETCHED = "stretched"
    INVALID = "address-invalid"
    MASK_INVALID = "mask-invalid"
    MASKS_DIFFER = "masks-and-addresses-differ"
    GATEWAY_INVALID = "gateway-invalid"
    ADDRESS_TAKEN = "address-set-twice"
    ADDRESS_IN_USE = "address-in-use"
    SAME_AS_TODAY = "same-as-today"

    KEEPS_FAILOVER_ADDRESS = "keeps-failover-address"

    # where the adapter leads
    NOT_CONNECTED = "adapter-not-connected"
    SWITCH_LOST = "switch-missing"
    CONNECTION_UNREAD = "connection-unread"

    # what happened
    NOT_LANDED = "did-not-land"
    LANDING_UNKNOWN = "landing-not-known"
    BOTH_RUN = "both-sides-run"
    SIDE_NOT_SEEN = "side-not-seen"
    NOT_JUDGED = "not-judged"

    # inside the guest, by a look or by its system
    GUEST_NOT_LOOKED_INTO = "guest-not-looked-into"
    GUEST_NOT_ON_HYPERV = "guest-not-on-hyper-v"
    ON_HYPERV_UNKNOWN = "guest-on-hyper-v-unknown"
    SERVICE_MISSING = "guest-service-missing"
    SERVICE_UNKNOWN = "guest-service-unknown"
    SERVICE_DISABLED = "guest-service-disabled"
    SERVICE_START_UNKNOWN = "guest-service-start-unknown"
    SERVICE_STOPPED = "guest-service-stopped"
    SERVICE_STATE_UNKNOWN = "guest-service-state-unknown"
    DRIVER_MISSING = "guest-driver-missing"
    DRIVER_UNKNOWN = "guest-driver-unknown"
    DEVICE_MISSING = "guest-device-missing"
    DAEMON_MISSING = "guest-daemon-missing"
    DAEMON_MISSING_FOR_KERNEL = "guest-daemon-missing-for-kernel"
    DAEMON_STOPPED = "guest-daemon-stopped"
    DAEMON_STATE_UNKNOWN = "guest-daemon-state-unknown"
    DAEMON_NOT_AT_BOOT = "guest-daemon-not-at-boot"
    DAEMON_AT_BOOT_UNKNOWN = "guest-daemon-at-boot-unknown"
    SCRIPT_MISSING = "guest-script-missing"
    SCRIPT_UNKNOWN = "guest-script-unknown"
    SCRIPT_NOT_EXECUTABLE = "guest-script-not-executable"
    SCRIPT_TAKES_OTHER_FILES = "guest-script-takes-other-files"
    SCRIPT_FILES_UNKNOWN = "guest-script-files-unknown"
    SCRIPT_CONFINED = "guest-script-confined"
    SCRIPT_LOADS_NOTHING = "guest-script-loads-nothing"
    SCRIPT_LOADS_UNKNOWN = "guest-script-loads-unknown"
    SCRIPT_WRITES_UNKNOWN = "guest-script-writes-unknown"
    SCRIPT_OTHER_STACK = "guest-script-writes-for-another-stack"
    STACK_UNKNOWN = "guest-stack-unknown"
    INNER_ADAPTER_NOT_SEEN = "guest-adapter-not-seen"
    SYSTEM_NOT_PUBLISHED = "guest-system-not-published"
    SYSTEM_NOT_AS_INSTALLED = "guest-system-not-as-installed"
    SYSTEM_KNOWN_NOT = "guest-system-known-not-to"
    TAKES_NO_IPV6 = "guest-takes-no-ipv6"
    CONNECTIONS_LOST = "guest-connections-lead-nowhere"
    CONNECTIONS_UNKNOWN = "guest-connections-unknown"
