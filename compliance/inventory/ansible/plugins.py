"""The variables of Ansible's two connection plugins for Windows: which of them say where and how a host is reached.

Names, defaults and meanings are those of ansible.builtin.winrm and ansible.builtin.psrp as ansible-core 2.19 documents
them, and those of pywinrm's `Protocol`, to which the first hands on every other `ansible_winrm_…`. Of several names for
one thing the later one wins.
"""

from __future__ import annotations

from dataclasses import dataclass, field

PASSWORD = ("ansible_password", "ansible_winrm_pass", "ansible_winrm_password")
TRUE, FALSE = frozenset({"true", "yes", "on", "y", "t", "1"}), frozenset({"false", "no", "off", "n", "f", "0"})
"""Ansible's words (ansible.module_utils.parsing.convert_bool)."""

DIRECT = "no proxy is used here: run where the host is reached directly, and leave the variable empty for it"
KERBEROS, CREDSSP = frozenset({"kerberos"}), frozenset({"credssp"})
SEALED = frozenset({"kerberos", "ntlm", "credssp"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Refused:
    """A variable that changes how a host is reached in a way that we can't follow.

    ``usual`` are its values that change nothing, in small letters; ``transports`` those that heed it.
    """

    advice: str
    usual: frozenset[str] = frozenset()
    transports: frozenset[str] | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Plugin:
    """A connection plugin's names for what it needs to know."""

    name: str
    address: tuple[str, ...]
    user: tuple[str, ...]
    password: tuple[str, ...] = PASSWORD
    port: tuple[str, ...]
    scheme: str
    path: str
    transport: str
    validation: str
    ca: tuple[str, ...]
    certificate: str
    key: str
    encryption: str
    kerberos_host: str
    transports: dict[str, str]
    """Its word for each of ours."""
    refused: dict[str, Refused] = field(default_factory=dict)
    harmless: frozenset[str] = frozenset()
    """How long it waits, how Ansible gets its own ticket, and what concerns PowerShell alone."""

    @property
    def prefix(self) -> str:
        return f"ansible_{self.name}_"

    @property
    def known(self) -> frozenset[str]:
        """Every variable of its own."""
        names = {name for value in (self.address, self.user, self.password, self.port, self.ca) for name in value}
        names |= {self.scheme, self.path, self.transport, self.validation, self.certificate, self.key}
        return frozenset(names | {self.encryption, self.kerberos_host, *self.refused} | self.harmless)


def _refused_of(proxy: str, service: str, channel_binding: str, old_tls: str) -> dict[str, Refused]:
    """Return what both plugins have, under their own names."""
    return {
        proxy: Refused(usual=frozenset({"legacy_requests"}), advice=DIRECT),  # pywinrm's word for its own default
        service: Refused(
            usual=frozenset({"http", "wsman"}),  # Windows has both for WinRM
            transports=KERBEROS,
            advice="tickets are asked for HTTP/host here; leave the variable empty, or set hyperv_transport",
        ),
        channel_binding: Refused(
            usual=TRUE,
            transports=SEALED,
            advice="logins over https are always bound to their channel here; leave the variable empty",
        ),
        old_tls: Refused(
            usual=FALSE,
            transports=CREDSSP,
            advice="CredSSP uses TLS 1.2 here; leave the variable empty, or set hyperv_transport",
        ),
    }


PLUGINS = {
    "winrm": Plugin(
        name="winrm",
        address=("ansible_host", "ansible_winrm_host"),
        user=("ansible_user", "ansible_winrm_user"),
        port=("ansible_port", "ansible_winrm_port"),
        scheme="ansible_winrm_scheme",
        path="ansible_winrm_path",
        transport="ansible_winrm_transport",
        validation="ansible_winrm_server_cert_validation",
        ca=("ansible_winrm_ca_trust_path",),
        certificate="ansible_winrm_cert_pem",
        key="ansible_winrm_cert_key_pem",
        encryption="ansible_winrm_message_encryption",
        kerberos_host="ansible_winrm_kerberos_hostname_override",
        transports={
            "basic": "basic",
            "plaintext": "basic",
            "certificate": "certificate",
            "kerberos": "kerberos",
            "ntlm": "ntlm",
            "credssp": "credssp",
        },
        refused=_refused_of(
            "ansible_winrm_proxy",
            "ansible_winrm_service",
            "ansible_winrm_send_cbt",
            "ansible_winrm_credssp_disable_tlsv1_2",
        ),
        harmless=frozenset(
            f"ansible_winrm_{name}"
            for name in (
                *("connection_timeout", "read_timeout_sec", "operation_timeout_sec"),
                *("kinit_mode", "kinit_cmd", "kinit_args", "kinit_env_vars"),
                "kerberos_delegation",  # nothing is done from the host onwards
                *("realm", "keytab"),  # pywinrm takes them and uses neither
            )
        ),
    ),
    "psrp": Plugin(
        name="psrp",
        address=("ansible_host", "ansible_psrp_host"),
        user=("ansible_user", "ansible_psrp_user"),
        port=("ansible_port", "ansible_psrp_port"),
        scheme="ansible_psrp_protocol",
        path="ansible_psrp_path",
        transport="ansible_psrp_auth",
        validation="ansible_psrp_cert_validation",
        ca=("ansible_psrp_cert_trust_path", "ansible_psrp_ca_cert"),
        certificate="ansible_psrp_certificate_pem",
        key="ansible_psrp_certificate_key_pem",
        encryption="ansible_psrp_message_encryption",
        kerberos_host="ansible_psrp_negotiate_hostname_override",
        # negotiate: Kerberos where that is to be had, else NTLM; NTLM is what works with a password alone.
        transports={
            "basic": "basic",
            "certificate": "certificate",
            "kerberos": "kerberos",
            "ntlm": "ntlm",
            "negotiate": "ntlm",
            "credssp": "credssp",
        },
        refused=_refused_of(
            "ansible_psrp_proxy",
            "ansible_psrp_negotiate_service",
            "ansible_psrp_negotiate_send_cbt",
            "ansible_psrp_credssp_disable_tlsv1_2",
        )
        | {
            "ansible_psrp_credssp_auth_mechanism": Refused(
                usual=frozenset({"auto", "ntlm"}),
                transports=CREDSSP,
                advice="CredSSP logs in by NTLM here; leave the variable empty, or set hyperv_transport",
            ),
            "ansible_psrp_credssp_minimum_version": Refused(
                usual=frozenset({"2"}),
                transports=CREDSSP,
                advice="older versions of CredSSP are taken here; leave the variable empty, or set hyperv_transport",
            ),
        },
        harmless=frozenset(
            f"ansible_psrp_{name}"
            for name in (
                *("connection_timeout", "read_timeout", "operation_timeout", "max_envelope_size"),
                *("reconnection_retries", "reconnection_backoff", "connection_backoff"),
                "negotiate_delegate",  # nothing is done from the host onwards
                "ignore_proxy",  # no proxy of the environment is used here
                "configuration_name",  # an endpoint of PowerShell's, which isn't used
            )
        ),
    ),
}
