"""What the strict reader makes of a file: text, mappings and lists, each with its place."""

from dataclasses import dataclass, field
from typing import NamedTuple


class Place(NamedTuple):
    """A place in a file: line and column, both from 1."""

    line: int
    column: int


@dataclass(slots=True)
class Text:
    """A scalar, exactly as written (quotes removed). Nothing is guessed: `on`, `012`, `1e3` stay what they are."""

    place: Place
    text: str


@dataclass(slots=True)
class Mapping:
    """`entries` by key text, in the order of the file, each with the place of its key."""

    place: Place
    entries: dict[str, tuple[Place, "Node"]] = field(default_factory=dict)


@dataclass(slots=True)
class Listing:
    """A list."""

    place: Place
    items: list["Node"] = field(default_factory=list)


Node = Text | Mapping | Listing
Path = tuple[str | int, ...]


def plain(node: Node) -> object:
    """The node as str, dict and list, without places."""
    if isinstance(node, Text):
        return node.text
    if isinstance(node, Mapping):
        return {key: plain(value) for key, (_, value) in node.entries.items()}
    return [plain(item) for item in node.items]


def place_of(root: Node, path: Path, *, key: bool = False) -> Place:
    """Where `path` stands: the value, or with `key` its key. Steps that the file does not have are passed over.

    A path may name things that the author left out (a missing key, a default); then the nearest thing above it that
    is written is the place.
    """
    node, place = root, root.place
    for step in path:
        if isinstance(node, Mapping) and isinstance(step, str) and step in node.entries:
            at, node = node.entries[step]
            place = at if key else node.place
        elif isinstance(node, Listing) and isinstance(step, int) and step < len(node.items):
            node = node.items[step]
            place = node.place
    return place
