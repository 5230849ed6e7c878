"""Records as typed columns: pydantic models to Arrow and back.

One rule for each kind of field, so that any row model can be written: text, numbers and booleans
are columns of their type, lists are lists, records are structs, a picture is the struct that
`datasets` decodes as an image, a dictionary with keys of a known few (conditions) is a struct of
them, and a free dictionary (`metadata`, `sampling`) is its JSON text, because its keys differ from
row to row and a struct's may not.
"""

from __future__ import annotations

import json
import types
import typing
from collections.abc import Callable, Mapping
from functools import cache
from typing import Annotated, Any, Literal, NamedTuple, TypeVar, Union

import pyarrow as pa
from pydantic import BaseModel

from ..schemas.records import ProblemImage, Record, Row

RowT = TypeVar("RowT", bound=Row)


class _Column(NamedTuple):
    """One field's type, three times, and what translates its values."""

    arrow: pa.DataType
    feature: Any
    to_column: Callable[[Any], Any]
    from_column: Callable[[Any], Any]


def arrow_schema(model: type[Record]) -> pa.Schema:
    """The model's columns, with the features that `datasets.load_dataset` gives them."""
    fields = _fields(model)
    features = {name: column.feature for name, column in fields.items()}
    about = json.dumps({"info": {"features": features}})
    return pa.schema(
        [pa.field(name, column.arrow) for name, column in fields.items()],
        metadata={"huggingface": about},
    )


def to_columns(row: Record) -> dict[str, Any]:
    """The row's values, column by column, as Arrow takes them.

    Raises:
        UnicodeEncodeError: half a surrogate pair in a text, which no column can hold.
        OverflowError: a number beyond 64 bits.
    """
    return _to_struct(_fields(type(row)), dict(row))


def from_columns(values: Mapping[str, Any], model: type[RowT]) -> RowT:
    """The row that `to_columns` was given.

    Raises:
        pydantic.ValidationError: the values are not those of such a row.
    """
    fields = _fields(model)
    return model.model_validate(
        {name: fields[name].from_column(value) for name, value in values.items()}
    )


@cache
def _fields(model: type[BaseModel]) -> dict[str, _Column]:
    hints = typing.get_type_hints(model, include_extras=True)
    return {name: _column(hints[name]) for name in model.model_fields}


def _column(hint: Any) -> _Column:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is Annotated:
        return _column(arguments[0])
    if origin in (Union, types.UnionType):
        return _optional(_column(next(part for part in arguments if part is not type(None))))
    if origin is Literal:
        return _plain(type(arguments[0]))
    if origin in (list, tuple):
        return _list(_column(arguments[0]))
    if origin is dict and typing.get_origin(arguments[0]) is Literal:
        return _keyed(typing.get_args(arguments[0]), _column(arguments[1]))
    if origin is dict:
        return _Column(pa.string(), _value("string"), _to_json, json.loads)
    if hint is ProblemImage:
        return _struct(hint)._replace(feature={"_type": "Image"})
    if isinstance(hint, type) and issubclass(hint, BaseModel):
        return _struct(hint)
    return _plain(hint)


def _plain(kind: type) -> _Column:
    arrow = {
        str: pa.string(),
        int: pa.int64(),
        float: pa.float64(),
        bool: pa.bool_(),
        bytes: pa.binary(),
    }[kind]
    name = "float64" if kind is float else str(arrow)
    return _Column(arrow, _value(name), _CHECKS.get(kind, _same), _same)


def _optional(inner: _Column) -> _Column:
    return inner._replace(
        to_column=lambda value: None if value is None else inner.to_column(value),
        from_column=lambda value: None if value is None else inner.from_column(value),
    )


def _list(inner: _Column) -> _Column:
    return _Column(
        pa.list_(inner.arrow),
        {"feature": inner.feature, "_type": "List"},
        lambda values: [inner.to_column(value) for value in values],
        lambda values: [inner.from_column(value) for value in values],
    )


def _keyed(keys: tuple[str, ...], inner: _Column) -> _Column:
    """A dictionary whose keys are some of `keys`: null stands for a key that is not there."""
    column = _optional(inner)
    return _Column(
        pa.struct([pa.field(key, inner.arrow) for key in keys]),
        dict.fromkeys(keys, inner.feature),
        lambda values: {key: column.to_column(values.get(key)) for key in keys},
        lambda values: {
            key: inner.from_column(value) for key, value in values.items() if value is not None
        },
    )


def _struct(model: type[BaseModel]) -> _Column:
    fields = _fields(model)
    return _Column(
        pa.struct([pa.field(name, column.arrow) for name, column in fields.items()]),
        {name: column.feature for name, column in fields.items()},
        lambda record: _to_struct(fields, dict(record)),
        lambda values: {name: fields[name].from_column(value) for name, value in values.items()},
    )


def _to_struct(fields: dict[str, _Column], values: dict[str, Any]) -> dict[str, Any]:
    return {name: column.to_column(values[name]) for name, column in fields.items()}


def _value(dtype: str) -> dict[str, str]:
    return {"dtype": dtype, "_type": "Value"}


def _to_json(value: dict[str, Any]) -> str:
    return _text(json.dumps(value, ensure_ascii=False))


def _text(value: str) -> str:
    value.encode()
    return value


def _integer(value: int) -> int:
    if value.bit_length() > 63:
        raise OverflowError("an integer beyond 64 bits")
    return value


def _same(value: Any) -> Any:
    return value


_CHECKS: dict[type, Callable[[Any], Any]] = {str: _text, int: _integer}
