"""Inventory file -> entries. A mistake is told with its line, and all mistakes of a file are told at once."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from difflib import get_close_matches
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, model_validator
from pydantic.json_schema import GenerateJsonSchema
from pydantic_core import ErrorDetails

from compliance import model
from compliance.userfile import Place, UserFile, content_of, shown

PORTS = {"https": 5986, "http": 5985}

# Read by pydantic (Rust), by editors (ECMAScript) and by jsonschema (Python): only what the three have in common.
NAME = r"^[^\s\x00-,/:-@\[-\^`{-\x9f]+$"
HOST = r"^[^\s\x00-$&-,/;-@\[-\^`{-\x9f]+$"
CREDENTIAL = r"^[A-Za-z][A-Za-z0-9_]*$"
URL_PATH = r"^/[A-Za-z0-9._~/%-]*$"

EXPECTED = {
    "string_type": "text",
    "path_type": "the name of a file",
    "int_type": "a whole number",
    "float_type": "a number",
    "bool_type": "`true` or `false`",
    "tuple_type": "a list",
    "model_type": "a mapping",
    "greater_than": "more than {gt:g}",
    "greater_than_equal": "at least {ge:g}",
    "less_than_equal": "at most {le:g}",
    "string_too_short": "at least {min_length} character",
    "string_too_long": "at most {max_length} characters",
    "literal_error": "{expected}",
    "finite_number": "a finite number",
    NAME: "letters, digits, `.`, `_` or `-`",
    HOST: "a name or an IP address, without scheme, port or brackets",
    CREDENTIAL: "a name of ASCII letters, digits and `_` that starts with a letter",
    URL_PATH: "a path that starts with `/`",
}


def one_address(value: str) -> str:
    """One spelling of an IP address; a name stays as it is."""
    if not re.search("[:%]", value) and not re.fullmatch(r"[0-9.]+", value):
        return value
    try:
        return str(ip_address(value))
    except ValueError:
        raise ValueError(f"expected {EXPECTED[HOST]}, got {shown(value)}") from None


def existing_file(value: Path, info: ValidationInfo) -> Path:
    """``info.context`` is the inventory's folder; who makes an entry in code names what exists."""
    if info.context is None:
        return value
    found: Path = info.context / value
    try:
        if found.is_file():
            return found
    except (OSError, ValueError):  # a name too long, a folder we may not enter
        pass
    raise ValueError(f"no such file beside the inventory: {shown(value)}")


Name = Annotated[str, Field(pattern=NAME, max_length=200)]
Label = Annotated[str, Field(min_length=1, max_length=200)]
Address = Annotated[str, Field(pattern=HOST, max_length=300), AfterValidator(one_address)]
File = Annotated[Path, Field(strict=False), AfterValidator(existing_file)]
Seconds = Annotated[float, Field(gt=0, le=86400)]


class Model(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", use_attribute_docstrings=True)


class Settings(Model):
    """What a server may say and what `defaults` may say for all. null, where allowed, takes a default back."""

    scheme: Literal["https", "http"] = "https"
    """https (port 5986) or http (port 5985; NTLM, Kerberos and CredSSP encrypt the messages themselves)."""
    port: int = Field(default_factory=lambda known: PORTS.get(known.get("scheme"), 0), ge=1, le=65535)
    """Only where the listener has another port than its scheme's."""
    path: Annotated[str, Field(pattern=URL_PATH, max_length=200)] = "/wsman"
    """The listener's path."""
    transport: Literal["ntlm", "kerberos", "certificate", "credssp", "basic"] = "ntlm"
    """How we log in."""
    credential: Annotated[str, Field(pattern=CREDENTIAL, max_length=60)] | None = None
    """`audit` is read from COMPLIANCE_AUDIT_USERNAME and COMPLIANCE_AUDIT_PASSWORD; ntlm, credssp, basic need it."""
    ca: File | None = None
    """Certificates (PEM) that we trust instead of the system's; relative to the inventory's folder."""
    verify: bool = True
    """false accepts any certificate: whoever stands in between can read and change what we see."""
    cleartext: bool = False
    """true: over http nothing is encrypted, and with transport basic the password neither; reports say so."""
    certificate: File | None = None
    """Our certificate (PEM), for transport certificate only; relative to the inventory's folder."""
    key: File | None = None
    """The certificate's private key (PEM); relative to the inventory's folder."""
    site: Label | None = None
    """Where the server stands."""
    groups: Annotated[tuple[Label, ...], Field(strict=False)] = ()
    """For selecting and for reports."""
    may_be_empty: bool = False
    """true: a host without any virtual machine is fine."""
    may_lack_failover_settings: bool = False
    """true: a host that replicates, but shows not one failover setting, is fine."""


class Entry(Settings):
    """One server."""

    name: Name
    """Unique; ids and reports carry it."""
    address: Address = Field(default_factory=lambda known: known.get("name", ""))
    """Name, IPv4 or IPv6 (with zone) to connect to; the name, if left out."""

    def __str__(self) -> str:
        return self.name


class Limits(Model):
    """How long we wait, in seconds, and how many servers we ask at a time."""

    connect: Seconds = 10
    """Until a connection stands."""
    operation: Seconds = 60
    """Until one request is answered."""
    server: Seconds = 300
    """Until a server has told everything."""
    threads: int = Field(default=32, ge=1, le=256)
    """Servers asked side by side."""

    @model_validator(mode="after")
    def grow(self) -> Limits:
        if not self.connect <= self.operation <= self.server:
            spans = f"{self.connect:g}, {self.operation:g} and {self.server:g}"
            raise ValueError(f"expected connect <= operation <= server, got {spans} seconds")
        return self


class Document(Model):
    """The servers of an estate, or a snapshot of them."""

    model_config = ConfigDict(json_schema_extra={"oneOf": [{"required": ["servers"]}, {"required": ["snapshot"]}]})

    name: Name = Field(default_factory=str)
    """The estate's name, which ids and snapshots carry; the file's name without its ending, if left out."""
    servers: Annotated[tuple[Entry, ...], Field(strict=False, min_length=1)] = Field(default_factory=tuple)
    """The servers to read."""
    snapshot: File | None = None
    """Stands in place of `servers`: what an earlier run gathered; relative to the inventory's folder."""
    defaults: Settings = Field(default_factory=Settings)
    """What every server has that doesn't say otherwise."""
    limits: Limits = Field(default_factory=Limits)
    evidence: Literal["observed", "bpa"] = "observed"
    """What verdicts rest on: the guest's own answer (observed), or Microsoft's test of the host alone (bpa)."""
    boot_grace: Annotated[float, Field(ge=0, le=1440)] = 10
    """Minutes that a virtual machine has after its start until its guest must answer."""
    may_be_empty: bool = False
    """true: an estate without any replicated virtual machine is fine."""


MODELS: dict[str | int, type[Model]] = {"servers": Entry, "defaults": Settings, "limits": Limits}


@dataclass(frozen=True, kw_only=True, slots=True)
class Inventory:
    name: str
    servers: tuple[Entry, ...]
    snapshot: Path | None
    limits: Limits
    evidence: Literal["observed", "bpa"]
    boot_grace: timedelta
    may_be_empty: bool
    path: Path
    digest: str
    lines: Mapping[str, int] = field(hash=False)  # server's name -> line of the file

    @property
    def settings(self) -> model.Settings:
        """How the estate is judged, in the words of those who judge."""
        return model.Settings(
            evidence=model.Evidence(self.evidence), boot_grace=self.boot_grace, may_be_empty=self.may_be_empty
        )


AnyModel = TypeVar("AnyModel", bound=Model)


def read_inventory(path: Path) -> Inventory:
    content = content_of(path)
    text = UserFile(path)
    document = text.document(content)
    _check_source(text, document)
    head = {key: value for key, value in document.items() if key != "servers" or not isinstance(value, list)}
    known = _check(text, Document, {"name": path.stem} | head, ())
    entries = _entries(text, document)
    if known is None or text.mistakes:
        raise text.error()
    return Inventory(
        name=known.name,
        servers=tuple(entries.values()),
        snapshot=known.snapshot,
        limits=known.limits,
        evidence=known.evidence,
        boot_grace=timedelta(minutes=known.boot_grace),
        may_be_empty=known.may_be_empty,
        path=path,
        digest=f"sha256:{hashlib.sha256(content).hexdigest()}",
        lines={entry.name: text.line(place) for place, entry in entries.items()},
    )


def json_schema() -> dict[str, object]:
    """What editors need to complete and check an inventory. What one key says of another is ours alone to check."""
    schema = Document.model_json_schema(schema_generator=_Untitled)
    return {"$schema": _Untitled.schema_dialect, **schema, "title": "Inventory"}


class _Untitled(GenerateJsonSchema):
    def field_title_should_be_set(self, schema: object) -> bool:  # noqa: ARG002 - pydantic's signature
        return False


def _check_source(text: UserFile, document: dict[str, object]) -> None:
    if "servers" in document and "snapshot" in document:
        text.add(("snapshot",), "stands in place of `servers`; keep one of the two")
    elif document.get("servers") == []:
        text.add(("servers",), "expected at least one server, got an empty list")
    elif document.get("snapshot", "") is None:
        text.add(("snapshot",), f"expected {EXPECTED['path_type']}, got nothing")
    elif not {"servers", "snapshot"} & {*document, *(_meant(key, Document) for key in document)}:
        text.add((), "expected `servers` or `snapshot`, got neither")


def _check(text: UserFile, model: type[AnyModel], given: object, place: Place) -> AnyModel | None:
    try:
        return model.model_validate(given, context=text.path.parent)
    except ValidationError as error:
        wrong = error.errors(include_url=False)
    for detail in wrong:
        at = (*place, *detail["loc"])
        keys = MODELS.get(at[0], Document) if len(at) > 1 else Document
        inherited = at[0] == "servers" and at not in text.lines and ("defaults", *at[2:]) in text.lines
        if inherited or detail["type"] == "default_factory_not_called":
            continue  # told already: where `defaults` says it, or for the key that this one follows
        if detail["type"] == "extra_forbidden":
            near = _meant(str(at[-1]), keys)
            text.add(at, "unknown key" + (f" (did you mean `{near}`?)" if near else ""))
        elif detail["type"] != "missing":
            unwritten = " (the file's own name; add a `name`)" if at == ("name",) and at not in text.lines else ""
            text.add(at, _expected(detail) + unwritten)
        elif at[-1] not in {_meant(str(key), keys) for key in detail["input"]}:
            text.add(at, f"missing; every server needs a `{at[-1]}`")
    return None


def _entries(text: UserFile, document: dict[str, object]) -> dict[Place, Entry]:
    servers, defaults = document.get("servers"), document.get("defaults")
    given = defaults if isinstance(defaults, dict) else {}
    shared = {key: given[key] for key in Settings.model_fields if key in given}
    entries: dict[Place, Entry] = {}
    names: dict[str, Place] = {}
    endpoints: dict[tuple[str, int, str], Place] = {}
    for index, server in enumerate(servers if isinstance(servers, list) else ()):
        place = ("servers", index)
        entry = _check(text, Entry, shared | server if isinstance(server, dict) else server, place)
        if isinstance(server, dict) and isinstance(name := server.get("name"), str):
            first = names.setdefault(name.casefold(), place)
            if first != place:
                text.add((*place, "name"), f"{shown(name)} is {text.named(first)} already")
                continue
        if entry is None:
            continue
        entries[place] = entry
        first = endpoints.setdefault((entry.address.casefold(), entry.port, entry.path), place)
        if first != place:
            text.add((*place, "address"), f"{shown(entry.address)}, port and path are {text.named(first)} already")
        for key, reason in _contradictions(entry):
            text.add((*place, key), reason)
    return entries


def _contradictions(entry: Entry) -> Iterator[tuple[str, str]]:
    by_certificate = entry.transport == "certificate"
    if entry.transport in {"ntlm", "credssp", "basic"} and entry.credential is None:
        yield "credential", f"transport `{entry.transport}` needs one"
    if by_certificate and entry.scheme == "http":
        yield "scheme", "transport `certificate` needs https"
    if entry.transport == "basic" and entry.scheme == "http" and not entry.cleartext:
        risk = "over http the password is readable (`cleartext: true` allows it)"
        yield "scheme", f"transport `basic` needs https: {risk}"
    if entry.cleartext and entry.scheme == "https":
        yield "cleartext", "scheme `https` has no use for it"
    for key, file in (("certificate", entry.certificate), ("key", entry.key)):
        if by_certificate and file is None:
            yield key, "transport `certificate` needs one"
        if file is not None and not by_certificate:
            yield key, f"transport `{entry.transport}` has no use for it"


def _expected(detail: ErrorDetails) -> str:
    context, given = detail.get("ctx", {}), detail["input"]
    if "error" in context:  # a validator of ours has said it all
        return str(context["error"])
    template = EXPECTED.get(context.get("pattern", detail["type"]), "another value")
    expected = template.format(**context).replace("'", "`")
    hint = ": put it in quotes" if template == "text" and isinstance(given, bool | int | float) else ""
    return f"expected {expected}, got {shown(given)}{hint}"


def _meant(key: str, model: type[Model]) -> str | None:
    return next(iter(get_close_matches(key, model.model_fields, 1)), None)
