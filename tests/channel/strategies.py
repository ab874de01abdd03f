"""Any message that the vocabulary's annotations allow."""

import dataclasses
import enum
import types
import typing

from hypothesis import strategies as st

TIMES = st.integers(-(2**63), 2**63 - 1)


def values(annotation):
    """A strategy for any value that `annotation` allows."""
    if annotation is type(None):
        return st.none()
    if isinstance(annotation, type) and issubclass(annotation, enum.Enum):
        return st.sampled_from(list(annotation))
    if dataclasses.is_dataclass(annotation):
        return instances(annotation)
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is tuple and arguments[-1] is not ...:
        return st.tuples(*map(values, arguments))
    if origin is tuple:
        return st.lists(values(arguments[0]), max_size=3).map(tuple)
    if origin in (types.UnionType, typing.Union):
        return st.one_of(*map(values, arguments))
    plain = {int: TIMES, str: st.text(max_size=20), bool: st.booleans()}
    return plain.get(annotation, st.floats(allow_nan=False, allow_infinity=False))


def instances(cls):
    hints = typing.get_type_hints(cls)
    return st.builds(cls, **{field.name: values(hints[field.name]) for field in dataclasses.fields(cls)})
