"""What editors need to check a user's file and complete it: the JSON Schema of its model, and what each key means."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from itertools import pairwise

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core.core_schema import ModelSchema

from compliance.files.keys import Model


def json_schema(model: type[Model], title: str) -> dict[str, object]:
    """Return the schema. What one key says of another is ours alone to check."""
    schema = model.model_json_schema(schema_generator=_Described)
    return {"$schema": _Described.schema_dialect, **schema, "title": title}


class _Described(GenerateJsonSchema):
    def field_title_should_be_set(self, schema: object) -> bool:  # noqa: ARG002 - pydantic's signature
        return False

    def model_schema(self, schema: ModelSchema) -> JsonSchemaValue:
        described = super().model_schema(schema)
        for owner in reversed(schema["cls"].__mro__):
            if issubclass(owner, Model):
                for key, text in _descriptions(owner):
                    described["properties"][key]["description"] = text
        return described


def _descriptions(model: type[Model]) -> Iterator[tuple[str, str]]:
    """Yield each key of a model's own with the text that stands below it."""
    (class_,) = ast.parse(inspect.getsource(model)).body
    assert isinstance(class_, ast.ClassDef)  # noqa: S101  # it is the source of one
    for key, below in pairwise(class_.body):
        if isinstance(key, ast.AnnAssign) and isinstance(key.target, ast.Name):
            match below:
                case ast.Expr(value=ast.Constant(value=str(text))):
                    yield key.target.id, inspect.cleandoc(text)
