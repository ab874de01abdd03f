"""What a field of a message may be: its annotation, read once, becomes a function that takes exactly that from JSON.

Nothing is converted or repaired: 1 is no text, "1" is no number, true is no number, a number stays within 64 bits and
is finite, a text within its bound, an object has the fields of its dataclass and no others. Whatever else comes is a
`ValueError` that names the field and never repeats what was sent.
"""

import dataclasses
import enum
import types
import typing
from collections.abc import Callable
from math import isfinite
from typing import Any

INT_MIN, INT_MAX = -(2**63), 2**63 - 1

Reader = Callable[[Any], Any]


def reader(annotation: Any, letters_max: int) -> Reader:
    """Takes a value of `annotation` from plain JSON values. Raises `TypeError` for an annotation that nobody knows."""
    if dataclasses.is_dataclass(annotation):
        return _object(typing.cast(type, annotation), letters_max)
    if isinstance(annotation, type) and issubclass(annotation, enum.Enum):
        return _word(annotation)
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is tuple:
        return _list(arguments, letters_max)
    if origin in (types.UnionType, typing.Union):
        return _optional(arguments, letters_max)
    if annotation is str:
        return _text(letters_max)
    plain = {int: _whole, float: _number, bool: _truth}.get(annotation)
    if plain is None:
        raise TypeError(f"a message cannot hold {annotation}")
    return plain


def _whole(value: Any) -> int:
    if type(value) is int and INT_MIN <= value <= INT_MAX:
        return value
    raise ValueError("wanted a whole number of 64 bits")


def _number(value: Any) -> float:
    if type(value) is float and isfinite(value):
        return value
    if type(value) is int and INT_MIN <= value <= INT_MAX:
        return float(value)
    raise ValueError("wanted a finite number")


def _truth(value: Any) -> bool:
    if type(value) is bool:
        return value
    raise ValueError("wanted true or false")


def _text(letters_max: int) -> Reader:
    def read(value: Any) -> str:
        if type(value) is str and len(value) <= letters_max:
            return value
        raise ValueError(f"wanted a text of at most {letters_max} letters")

    return read


def _word(cls: type[enum.Enum]) -> Reader:
    words = {(type(member.value), member.value): member for member in cls}

    def read(value: Any) -> enum.Enum:
        member = words.get((type(value), value)) if isinstance(value, str | int) else None
        if member is None:
            raise ValueError(f"wanted one of {', '.join(str(member.value) for member in cls)}")
        return member

    return read


def _list(arguments: tuple[Any, ...], letters_max: int) -> Reader:
    if len(arguments) == 2 and arguments[1] is Ellipsis:
        item = reader(arguments[0], letters_max)

        def read(value: Any) -> tuple[Any, ...]:
            if type(value) is not list:
                raise ValueError("wanted a list")
            return tuple([item(entry) for entry in value])

        return read
    items = [reader(argument, letters_max) for argument in arguments]

    def read_each(value: Any) -> tuple[Any, ...]:
        if type(value) is not list or len(value) != len(items):
            raise ValueError(f"wanted a list of {len(items)}")
        return tuple([take(entry) for take, entry in zip(items, value, strict=True)])

    return read_each


def _optional(arguments: tuple[Any, ...], letters_max: int) -> Reader:
    wanted = [argument for argument in arguments if argument is not type(None)]
    if len(wanted) != 1 or len(arguments) != 2:
        raise TypeError(f"a message cannot hold one of {arguments}")
    inner = reader(wanted[0], letters_max)
    return lambda value: None if value is None else inner(value)


def _object(cls: type, letters_max: int) -> Reader:
    hints = typing.get_type_hints(cls)
    readers = [(field.name, reader(hints[field.name], letters_max)) for field in dataclasses.fields(cls)]
    names = {name for name, _ in readers}

    def read(value: Any) -> Any:
        if type(value) is not dict or value.keys() != names:
            raise ValueError(f"wanted the fields of {cls.__name__} and no others")
        found = []
        for name, take in readers:
            try:
                found.append(take(value[name]))
            except ValueError as error:
                raise ValueError(f"{name}: {error}") from error
        return cls(*found)

    return read
