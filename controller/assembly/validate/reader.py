"""From a scenario file to a `Scenario`, or to all of its faults at once: the strict reader of protocols, other keys."""

from collections.abc import Iterable, Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any, get_args, get_origin

import yaml
from pydantic import BaseModel, ValidationError

from controller.assembly.protocols import shipped
from controller.assembly.validate.model import Scenario
from controller.session.faults import Fault, ProtocolRefused, shorten, suggest
from controller.session.loader import Loaded, load, load_bytes
from controller.session.nodes import Mapping as Tree
from controller.session.nodes import place_of, plain
from controller.session.yaml_reader import BYTES_MAX, decode, read

Where = tuple[str | int, ...]


def shipped_scenarios() -> list[Path]:
    """The scenarios that are shipped, by name."""
    folder = Path(str(files("protocols").joinpath("scenarios")))
    return sorted(folder.glob("*.yaml"))


def load_scenario(path: Path) -> Scenario:
    """Read and check one file. Raises ProtocolRefused with every fault found."""
    try:
        with path.open("rb") as file:
            data = file.read(BYTES_MAX + 1)
    except OSError as error:
        message = f"the file cannot be read: {error.strerror or type(error).__name__}"
        raise ProtocolRefused([Fault(str(path), 1, 1, "YML001", message, "check the path")], "") from None
    return read_scenario(data, str(path))


def read_scenario(data: bytes, path: str = "scenario.yaml") -> Scenario:
    """The same for bytes in hand."""
    text = decode(data, path)
    root, faults = read(text, path)
    try:
        scenario = Scenario.model_validate(plain(root))
    except ValidationError as refused:
        faults += [_fault(error, root, path) for error in refused.errors(include_url=False)]
        raise ProtocolRefused(faults, text) from None
    if faults:
        raise ProtocolRefused(faults, text)
    return scenario


def load_protocol(scenario: Scenario, beside: Path | None = None) -> Loaded:
    """The scenario's protocol with its changes. Raises ProtocolRefused, as for any protocol."""
    name = scenario.protocol
    path = (beside or Path()) / name if name.endswith(".yaml") else shipped(name)
    if not scenario.change:
        return load(path)
    text = decode(path.read_bytes(), str(path))
    tree: Any = plain(read(text, str(path))[0])
    for key, value in scenario.change.items():
        _put(tree, key.split("."), value)
    # Every scalar is quoted: the strict reader takes text, and guesses nothing.
    changed = yaml.safe_dump(tree, default_style='"', sort_keys=False, allow_unicode=True, width=1000)
    return load_bytes(changed.encode(), f"{path.name} as {scenario.id} changes it")


def _put(tree: Any, keys: list[str], value: Any) -> None:
    """Set the value below the tree; what is not there yet is made; `none` takes the key away."""
    *above, last = keys
    for key in above:
        tree = tree.setdefault(key, {})
    if value == "none":
        tree.pop(last, None)
    else:
        tree[last] = value


def _fault(error: Mapping[str, Any], root: Tree, path: str) -> Fault:
    """One of pydantic's errors in our words, at its place in the file."""
    where: Where = tuple(error["loc"])
    kind, context = error["type"], error.get("ctx", {})
    word = str(where[-1]) if where else ""
    at_key = kind in ("extra_forbidden", "missing")
    if kind == "SCN002":
        rule, message, fix = kind, context["message"], context["fix"]
    elif kind == "extra_forbidden":
        rule, message, fix = "KEY001", f'"{shorten(word)}" is not a key of {_above(where)}', suggest(word, _keys(where))
    elif kind == "missing":
        rule, message, fix = "KEY003", f'"{word}" is missing in {_above(where)}', f"add `{word}: ...`"
    elif kind == "literal_error":
        rule, message, fix = "KEY007", "this is not a version of the grammar known here", "write `stimloop_scenario: 1`"
    elif kind in ("list_type", "dict_type", "model_type"):
        wanted = "a list, each line with a dash" if kind == "list_type" else "a list of `key: value` lines"
        rule, message, fix = "KEY004", f"{wanted} is expected here", "see docs/scenarios.md"
    else:
        rule, message, fix = "KEY004", shorten(error["msg"], 100), "see docs/scenarios.md"
    place = place_of(root, where, key=at_key)
    return Fault(path, place.line, place.column, rule, message, fix)


def _above(where: Where) -> str:
    steps = [f"step {step + 1}" if isinstance(step, int) else step for step in where[:-1]]
    return f'"{".".join(steps)}"' if steps else "the scenario"


def _keys(where: Where) -> list[str]:
    """The keys that the model knows beside the last step of `where`."""
    kind: Any = Scenario
    for step in where[:-1]:
        model = _model(kind)
        if model is not None:
            found = model.model_fields.get(str(step))
            kind = found.annotation if found is not None else None
        else:
            kind = next((get_args(each)[-1] for each in _members(kind) if get_origin(each) in (list, dict)), None)
    model = _model(kind)
    return [] if model is None else list(model.model_fields)


def _model(kind: Any) -> type[BaseModel] | None:
    return next((each for each in _members(kind) if isinstance(each, type) and issubclass(each, BaseModel)), None)


def _members(kind: Any) -> Iterable[Any]:
    return (kind, *get_args(kind)) if get_origin(kind) not in (list, dict) else (kind,)
