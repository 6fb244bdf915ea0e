"""Command-line flags built from a parameter model, for typer."""

import inspect
from enum import Enum
from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin

import typer
import yaml
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from terrafusion_lib.core.config import FrozenModel
from terrafusion_lib.core.errors import ConfigError
from terrafusion_lib.core.flags import Flag

PLAIN = (bool, int, float, str)
INSIDE = "__"
"""Separates a parameter's name from a nested one's: ``trees__leaves``."""


class Flags:
    """The flags of a model: ``--max-records``, and ``--trees.leaves`` for nested models."""

    def __init__(self, model: type[FrozenModel]) -> None:
        self._fields = dict(_fields(model))

    def parameters(self) -> list[inspect.Parameter]:
        """Function parameters as typer reads them; every default is None."""
        return [
            inspect.Parameter(
                name,
                inspect.Parameter.KEYWORD_ONLY,
                annotation=_annotation(name, field),
                default=inspect.Parameter.empty if field.is_required() else None,
            )
            for name, field in self._fields.items()
        ]

    def options(self, given: dict[str, Any]) -> dict[str, Any]:
        """The parameters given on the command line, in the form the model takes.

        Raises
        ------
        ConfigError
            A value does not fit its parameter.
        """
        options: dict[str, Any] = {}
        for name, field in self._fields.items():
            value = given.get(name)
            if value is None or value == []:
                continue
            *outer, last = name.split(INSIDE)
            place = options
            for part in outer:
                place = place.setdefault(part, {})
            place[last] = _value(name, field, value)
        return options


def _fields(model: type[BaseModel], before: str = "") -> list[tuple[str, FieldInfo]]:
    fields = []
    for name, field in model.model_fields.items():
        inner = _type(field)
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            fields += _fields(inner, f"{before}{name}{INSIDE}")
        elif not flag_of(field).hidden:
            fields.append((before + name, field))
    return fields


def flag_of(field: FieldInfo) -> Flag:
    """The flag for a field."""
    return next((item for item in field.metadata if isinstance(item, Flag)), Flag())


def _annotation(name: str, field: FieldInfo) -> Any:
    flag = flag_of(field)
    names = flag.names or (f"--{name.replace(INSIDE, '.').replace('_', '-')}",)
    text = field.description or ""
    default = _shown(field)
    help_ = f"{text} [default: {default}]" if default else text
    kind = _type(field)
    if not flag.read and kind is bool and not flag.names:
        plain = names[0].removeprefix("--")
        names = (f"--{plain}/--no-{plain}",)
    repeated = not flag.read and _is_repeated(kind)
    shown = list[str] if repeated else _plain(kind) if not flag.read else str
    option = typer.Option(*names, help=help_, show_default=False)
    return Annotated[shown if field.is_required() else shown | None, option]


def _shown(field: FieldInfo) -> str:
    """The default, if it is something a person would type."""
    default = field.get_default(call_default_factory=True) if not field.is_required() else None
    if isinstance(default, Enum):
        default = default.value
    if isinstance(default, tuple) and all(isinstance(item, str) for item in default):
        return ",".join(default)
    return str(default) if isinstance(default, PLAIN) and len(str(default)) <= 20 else ""


def _type(field: FieldInfo) -> Any:
    """The field's type without None."""
    annotation = field.annotation
    if get_origin(annotation) in (Union, UnionType):
        kinds = [kind for kind in get_args(annotation) if kind is not NoneType]
        return kinds[0] if len(kinds) == 1 else annotation
    return annotation


def _plain(kind: Any) -> Any:
    if kind in PLAIN or (isinstance(kind, type) and issubclass(kind, Enum)):
        return kind
    return str


def _is_repeated(kind: Any) -> bool:
    """Whether the flag may be repeated: texts, or pairs of name and value."""
    arguments = get_args(kind)
    if get_origin(kind) is tuple:
        return bool(arguments) and arguments[0] is str
    return get_origin(kind) is dict


def _value(name: str, field: FieldInfo, value: Any) -> Any:
    flag, kind = flag_of(field), _type(field)
    read = flag.reader()
    if read is not None:
        return read(value)
    if get_origin(kind) is dict:
        return dict(_pair(name, item, get_args(kind)[1]) for item in value)
    if isinstance(value, list):
        parts = [part for item in value for part in (item.split(",") if flag.commas else [item])]
        return [part.strip() for part in parts if part.strip()]
    if isinstance(value, str) and _plain(kind) is str and kind is not str:
        return _document(name, value)
    return value


def _pair(name: str, text: str, kind: Any) -> tuple[str, Any]:
    key, sign, value = text.partition("=")
    if not sign:
        flag = name.replace("_", "-")
        raise ConfigError(f"--{flag} takes name=value, not {text!r}")
    return key.strip(), value.strip() if kind is str else yaml.safe_load(value)


def _document(name: str, text: str) -> Any:
    """Values too complex for a plain flag: YAML or JSON, inline or in a file (``@path``)."""
    from pathlib import Path

    try:
        source = Path(text[1:]).read_text(encoding="utf-8") if text.startswith("@") else text
        return yaml.safe_load(source)
    except (OSError, yaml.YAMLError) as error:
        raise ConfigError(f"--{name.replace('_', '-')} cannot be read: {error}") from error
