"""From a protocol file to a checked `Protocol`, or to all of its faults at once."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path as FilePath
from types import UnionType
from typing import Annotated, Any, NoReturn, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError

from controller.session.checks import Finding, check
from controller.session.conditions import Kind
from controller.session.faults import Fault, ProtocolRefused, shorten, suggest
from controller.session.model import Protocol
from controller.session.nodes import Mapping, Path, place_of, plain
from controller.session.rules import RULES
from controller.session.yaml_reader import BYTES_MAX, decode, read

_YAML_11_WORDS = ("on", "off", "yes", "no", "y", "n", "On", "ON", "Off", "OFF", "Yes", "YES", "No", "NO")
_KINDS = {
    "dict_type": ("a list of `key: value` lines is expected here", "write the keys below it, indented by two spaces"),
    "model_type": ("a list of `key: value` lines is expected here", "write the keys below it, indented by two spaces"),
    "string_type": ("text is expected here", "write one value in this line"),
}


@dataclass(frozen=True, slots=True)
class Loaded:
    """A protocol that was accepted: the model, the exact bytes it came from, and their SHA-256 (hex)."""

    protocol: Protocol
    path: str
    source: bytes
    sha256: str


def load(path: str | FilePath) -> Loaded:
    """Read and check a protocol file. Raises ProtocolRefused with every fault found."""
    shown = str(path)
    try:
        with open(path, "rb") as file:
            data = file.read(BYTES_MAX + 1)
    except OSError as error:
        fix = "check the path"
        message = f"the file cannot be read: {error.strerror or type(error).__name__}"
        raise ProtocolRefused([Fault(shown, 1, 1, "YML001", message, fix)], "") from None
    except ValueError:
        message = "this is not a path"
        raise ProtocolRefused([Fault(shown, 1, 1, "YML001", message, "check the path")], "") from None
    return load_bytes(data, shown)


def load_bytes(data: bytes, path: str = "protocol.yaml") -> Loaded:
    """The same for bytes in hand; `path` is only shown. Raises ProtocolRefused with every fault found."""
    text = decode(data, path)
    root, faults = read(text, path)
    try:
        protocol = Protocol.model_validate(plain(root))
    except ValidationError as refused:
        faults += [_fault(error, root, path) for error in refused.errors(include_url=False)]
        raise ProtocolRefused(faults, text) from None
    for path_in, rule, message, fix, key in check(protocol):
        place = place_of(root, path_in, key=key)
        faults.append(Fault(path, place.line, place.column, rule, message, fix))
    if faults:
        raise ProtocolRefused(faults, text)
    return Loaded(protocol, path, data, hashlib.sha256(data).hexdigest())


def refuse(loaded: Loaded, found: Iterable[Finding]) -> NoReturn:
    """What was found later on, about a protocol that is right in itself, at its places in the file."""
    text = decode(loaded.source, loaded.path)
    root, _ = read(text, loaded.path)
    places = [(place_of(root, each.path, key=each.key), each) for each in found]
    faults = [Fault(loaded.path, at.line, at.column, each.rule, each.message, each.fix) for at, each in places]
    raise ProtocolRefused(faults, text)


def _fault(error: Any, root: Mapping, path: str) -> Fault:
    """One of pydantic's errors, in our words and at its place in the file."""
    loc = tuple(step for step in error["loc"] if step != "[key]")
    kind, context = error["type"], error.get("ctx", {})
    key = "[key]" in error["loc"] or kind in ("extra_forbidden", "missing")
    word = str(loc[-1]) if loc else ""
    if kind in RULES:
        rule, message, fix = kind, context["message"], context["fix"]
    elif kind == "extra_forbidden":
        rule, message, fix = "KEY001", f'"{shorten(word)}" is not a key of {_above(loc)}', _known_fix(word, loc)
    elif kind == "missing":
        rule, message, fix = _missing(loc)
    elif kind in ("enum", "literal_error"):
        rule, message, fix = _choice(error, loc)
    else:
        message, fix = _KINDS.get(kind, (shorten(error["msg"], 100), "write `key: value`"))
        rule = "KEY004"
    place = place_of(root, loc, key=key)
    return Fault(path, place.line, place.column, rule, message, fix)


def _missing(loc: Path) -> tuple[str, str, str]:
    if loc == ("stimloop",):
        return "KEY007", "the version of the grammar is missing", "write `stimloop: 1` as the first line"
    if loc == ("position",):
        fix = "write `position: seated`, `position: lying` or `position: standing`"
        return "KEY003", '"position" is missing: how the patient is placed in a session', fix
    return "KEY003", f'"{loc[-1]}" is missing in {_above(loc)}', f"add `{loc[-1]}: ...`"


def _choice(error: Any, loc: Path) -> tuple[str, str, str]:
    given = error["input"]
    if not isinstance(given, str):
        return "KEY004", *_KINDS["string_type"]
    expected = [word.strip("'") for word in error["ctx"]["expected"].replace(" or ", ", ").split(", ")]
    if loc == ("stimloop",):
        return "KEY007", f'"{shorten(given)}" is not a version of the grammar known here', "write `stimloop: 1`"
    return "KEY006", f'"{shorten(given)}" is not one of the words that "{loc[-1]}" accepts', suggest(given, expected)


def _known_fix(word: str, loc: Path) -> str:
    known = _keys_at(loc[:-1])
    if word in _YAML_11_WORDS:
        words = ", ".join(known)
        return f'other YAML readers (1.1) take the bare word "{word}" for true or false; use one of: {words}'
    if "then" in known and word.split(" ")[0] in list(Kind):
        return (
            f"conditions stand under `then`: {{{shorten(word)}: phase}}, and `done` beside them for at_least and until"
        )
    return suggest(word, known)


def _above(loc: Path) -> str:
    steps = [str(step) for step in loc[:-1] if not str(step).startswith("=")]
    return f'"{".".join(steps)}"' if steps else "the protocol"


def _keys_at(loc: Iterable[str | int]) -> list[str]:
    """The keys that the model knows at a path: walks the types along it."""
    kind: Any = Protocol
    for step in loc:
        if str(step).startswith("="):
            continue
        kind = _inner(kind, str(step))
    model = _model(kind)
    return [field.alias or name for name, field in model.model_fields.items()] if model else []


def _inner(kind: Any, step: str) -> Any:
    model = _model(kind)
    if model:
        for name, field in model.model_fields.items():
            if step == (field.alias or name):
                return field.annotation
        return None
    for each in _members(kind):
        if get_origin(each) is dict:
            return get_args(each)[1]
    return None


def _model(kind: Any) -> type[BaseModel] | None:
    for each in _members(kind):
        if isinstance(each, type) and issubclass(each, BaseModel):
            return each
    return None


def _members(kind: Any) -> list[Any]:
    """A type without its annotations, and every member of a union."""
    origin = get_origin(kind)
    if origin is Annotated:
        return _members(get_args(kind)[0])
    if origin in (Union, UnionType):
        return [inner for member in get_args(kind) for inner in _members(member)]
    return [kind]
