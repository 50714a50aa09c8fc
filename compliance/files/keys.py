"""What users' files have in common: a model of their keys, and each mistake told with its place in words for people."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, ValidationInfo
from pydantic_core import ErrorDetails

from compliance.files.yaml_file import KeyPath, UserFile
from compliance.patterns import MOST_OF_A_NAME, NAME
from compliance.words import quote

CREDENTIAL = r"^[A-Za-z][A-Za-z0-9_]*$"

EXPECTED = {
    "string_type": "text",
    "path_type": "the name of a file",
    "int_type": "a whole number",
    "float_type": "a number",
    "bool_type": "`true` or `false`",
    "tuple_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "greater_than": "more than {gt:g}",
    "greater_than_equal": "at least {ge:g}",
    "less_than_equal": "at most {le:g}",
    "string_too_short": "at least {min_length} character",
    "too_short": "at least {min_length} {entries}",
    "too_long": "at most {max_length} entries",
    "string_too_long": "at most {max_length} characters",
    "literal_error": "{expected}",
    "finite_number": "a finite number",
    NAME: "letters, digits, `.`, `_` or `-`",
}


def one_or_many(value: object) -> object:
    return (value,) if isinstance(value, str) else value


def existing_file(value: Path, info: ValidationInfo) -> Path:
    """``info.context`` is the inventory's folder; who makes an entry in code names what exists."""
    if info.context is None:
        return value
    path: Path = info.context / value
    try:
        if path.is_file():
            return path
    except (OSError, ValueError):  # a name too long, a folder we may not enter
        pass
    raise ValueError(f"no such file beside the inventory: {quote(value)}")


Name = Annotated[str, Field(pattern=NAME, max_length=MOST_OF_A_NAME)]
Label = Annotated[str, Field(min_length=1, max_length=MOST_OF_A_NAME)]
File = Annotated[Path, Field(strict=False), AfterValidator(existing_file)]
"""One that is there, relative to the file that names it."""
_Many = Annotated[tuple[Label, ...], Field(strict=False, min_length=1)]
Globs = Annotated[_Many, BeforeValidator(one_or_many, json_schema_input_type=Label | _Many)]
"""One pattern or several, see patterns.py."""


class Model(BaseModel):
    # What a key means is read for an editor's schema alone (json_schema.py): pydantic would read its own source for it
    # at every start. And most runs check no more than a few kinds of file.
    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", defer_build=True)


AnyModel = TypeVar("AnyModel", bound=Model)


@dataclass(frozen=True, kw_only=True, slots=True)
class Schema:
    """A kind of file: the model of its root, those below by their key, and what its items are called."""

    root: type[Model]
    item: str
    below: Mapping[str | int, type[Model]] = field(default_factory=dict)
    expected: Mapping[str, str] = field(default_factory=dict)

    def check(
        self,
        text: UserFile,
        model: type[AnyModel],
        document: object,
        place: KeyPath = (),
        *,
        is_told: Callable[[KeyPath], bool] = lambda _: False,
    ) -> AnyModel | None:
        """``given`` as a ``model``, or None after adding its mistakes to ``text``; ``is_told``: elsewhere already."""
        try:
            return model.model_validate(document, context=text.path.parent)
        except ValidationError as error:
            wrong = error.errors(include_url=False)
        for detail in wrong:
            at = (*place, *(step for step in detail["loc"] if step != "[key]"))  # a key of a mapping stands for itself
            keys = self.below.get(at[0], self.root) if len(at) > 1 else self.root
            if detail["type"] == "default_factory_not_called" or is_told(at):
                continue  # told for the key that this one follows, or where it was inherited from
            if detail["type"] == "too_short" and _has_wrong_entry(detail, wrong):
                continue  # which pydantic does not count
            if detail["type"] == "extra_forbidden":
                near = meant(str(at[-1]), keys)
                text.add(at, "unknown key" + (f" (did you mean `{near}`?)" if near else ""))
            elif detail["type"] != "missing":
                unwritten = " (the file's own name; add a `name`)" if at == ("name",) and at not in text.lines else ""
                text.add(at, self.message(detail) + unwritten)
            elif at[-1] not in {meant(str(key), keys) for key in detail["input"]}:
                text.add(at, f"missing; every {self.item} needs a `{at[-1]}`")
        return None

    def message(self, detail: ErrorDetails) -> str:
        """Return what is wrong with a value: what was expected, and what stands there."""
        context, input_value = detail.get("ctx", {}), detail["input"]
        if "error" in context:  # a validator of ours has said it all
            return str(context["error"])
        words = {**EXPECTED, **self.expected}
        template = words.get(context.get("pattern", detail["type"]), "another value")
        entries = "entry" if context.get("min_length") == 1 else "entries"
        expected = template.format(**context, entries=entries).replace("'", "`")
        hint = ": put it in quotes" if template == "text" and isinstance(input_value, bool | int | float) else ""
        return f"expected {expected}, got {quote(input_value)}{hint}"


def _has_wrong_entry(detail: ErrorDetails, wrong: list[ErrorDetails]) -> bool:
    length = len(detail["loc"])
    return any(other["loc"][:length] == detail["loc"] and len(other["loc"]) > length for other in wrong)


def meant(key: str, model: type[Model]) -> str | None:
    return next(iter(get_close_matches(key, model.model_fields, 1)), None)
