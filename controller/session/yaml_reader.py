"""A strict YAML reader: PyYAML's event stream, none of YAML 1.1's guesses.

Limits on size, depth and count are checked while events arrive, before anything is built or walked, so that an alias
bomb or a megabyte of brackets costs milliseconds. Every scalar stays the text that was written.
"""

import re
from collections.abc import Iterator
from typing import Any, NoReturn

import yaml

from controller.session.faults import Fault, ProtocolRefused, shorten
from controller.session.nodes import Listing, Mapping, Node, Place, Text
from controller.session.yaml_words import explain, first_tab

BYTES_MAX = 256 * 1024
DEPTH_MAX = 20
NODES_MAX = 10_000
FAULTS_MAX = 50

# libyaml is ten to a hundred times quicker on hostile input; without it the Python parser gives the same events.
PARSER: type[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

_CONTROL = re.compile(r"[^\t\n\x20-\x7e\xa0-\u2027\u202f-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]|[\u2066-\u2069]")
_PLAIN_MERGE = "<<"


def decode(data: bytes, path: str) -> str:
    """The text of a protocol file. Raises ProtocolRefused for too much, for binary, and for nothing at all."""
    if len(data) > BYTES_MAX:
        message = f"the file has more than {BYTES_MAX // 1024} KiB; a protocol has a few"
        raise _refuse(path, Place(1, 1), "YML002", message, "check that this is the right file", "")
    if b"\0" in data:
        place = _place_in(data[: data.index(b"\0")].decode("utf-8", "replace"))
        raise _refuse(path, place, "YML003", "this is a binary file, not text", "check that this is the right file", "")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        place = _place_in(data[: error.start].decode("utf-8", "replace"))
        message = f"byte {error.start + 1} is not UTF-8 text"
        raise _refuse(path, place, "YML003", message, "save the file as plain UTF-8 text", "") from None
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    control = _CONTROL.search(text)
    if control:
        message = f"there is an invisible control character (U+{ord(control.group()):04X})"
        place = _place_in(text[: control.start()])
        raise _refuse(path, place, "YML003", message, "remove it, or check that this is a text file", "")
    if not text.strip():
        fix = "start from a shipped protocol, for example wrist_extension_cued.yaml"
        raise _refuse(path, Place(1, 1), "YML004", "the file is empty", fix, text)
    return text


def read(text: str, path: str) -> tuple[Mapping, list[Fault]]:
    """The tree of a protocol and the faults that did not stop the reading (duplicate keys, anchors, tags).

    Raises ProtocolRefused, with all faults so far, where the text cannot be read on.
    """
    reader = _Reader(text, path)
    tab = first_tab(text)
    if tab:
        reader.stop_at(*tab)
    try:
        root = reader.run()
    except yaml.MarkedYAMLError as error:
        reader.stop_at(*explain(error, text))
    except yaml.YAMLError as error:
        reader.stop_at(Place(1, 1), "YML006", shorten(str(error), 120), "save the file as plain UTF-8 text")
    return root, reader.faults


class _Reader:
    """Builds the tree from events with a stack of its own: no recursion, nothing unbounded."""

    def __init__(self, text: str, path: str) -> None:
        self.text = text
        self.path = path
        self.faults: list[Fault] = []
        self._stack: list[Mapping | Listing] = []
        self._keys: list[tuple[Place, str] | None] = []
        self._root: Node | None = None
        self._documents = 0
        self._nodes = 0

    def run(self) -> Mapping:
        events: Iterator[Any] = yaml.parse(self.text, Loader=PARSER)
        for event in events:
            self._take(event)
        if isinstance(self._root, Mapping) and self._root.entries:
            return self._root
        message = "the file is not a list of `key: value` lines"
        if self._root is None or (isinstance(self._root, Text) and not self._root.text):
            message = "the file has no content, only comments"
        place = self._root.place if self._root else Place(1, 1)
        raise _refuse(self.path, place, "YML004", message, "write `stimloop: 1` first", self.text)

    def stop_at(self, place: Place, rule: str, message: str, fix: str) -> NoReturn:
        """End the reading with this fault and all that were found before it."""
        self._note(place, rule, message, fix)
        raise ProtocolRefused(self.faults, self.text)

    def _note(self, place: Place, rule: str, message: str, fix: str) -> None:
        self.faults.append(Fault(self.path, place.line, place.column, rule, message, fix))
        if len(self.faults) >= FAULTS_MAX:
            raise ProtocolRefused(self.faults, self.text)

    def _take(self, event: Any) -> None:
        place = Place(event.start_mark.line + 1, event.start_mark.column + 1)
        if isinstance(event, yaml.DocumentStartEvent):
            self._document(event, place)
        elif isinstance(event, yaml.AliasEvent):
            fix = "write the value out: what is stimulated must be readable where it applies"
            self.stop_at(place, "YML009", f"*{shorten(str(event.anchor))} is an alias", fix)
        elif isinstance(event, yaml.CollectionEndEvent):
            self._stack.pop()
            self._keys.pop()
        elif isinstance(event, yaml.NodeEvent):
            self._node(event, place)

    def _document(self, event: Any, place: Place) -> None:
        self._documents += 1
        if self._documents > 1:
            self.stop_at(place, "YML012", "a second document begins here (---)", "keep one protocol in one file")
        if event.version or event.tags:
            self.stop_at(place, "YML011", "directives (%) are not accepted", "remove the line that begins with %")

    def _node(self, event: Any, place: Place) -> None:
        self._nodes += 1
        if self._nodes > NODES_MAX:
            message = f"there are more than {NODES_MAX} values and keys"
            self.stop_at(place, "YML008", message, "check that this is a protocol")
        if event.anchor is not None:
            fix = f"remove &{shorten(event.anchor)}, and write the value out where it is used"
            self._note(place, "YML009", f"&{shorten(event.anchor)} is an anchor", fix)
        if event.tag is not None:
            self._note(place, "YML011", f"{shorten(event.tag)} is a tag", "remove it: every value is plain text here")
        if isinstance(event, yaml.ScalarEvent):
            self._place_node(Text(place, event.value), key_like=True)
            return
        node: Mapping | Listing = Mapping(place) if isinstance(event, yaml.MappingStartEvent) else Listing(place)
        self._place_node(node, key_like=False)
        self._stack.append(node)
        self._keys.append(None)
        if len(self._stack) > DEPTH_MAX:
            message = f"this is nested more than {DEPTH_MAX} levels deep"
            self.stop_at(place, "YML007", message, "a protocol needs 6; check the brackets")

    def _place_node(self, node: Node, *, key_like: bool) -> None:
        """Hang a node into the open mapping or list. In a mapping, nodes come as key, value, key, value."""
        if not self._stack:
            self._root = node
            return
        parent = self._stack[-1]
        if isinstance(parent, Listing):
            parent.items.append(node)
            return
        pending = self._keys[-1]
        if pending is not None:
            self._keys[-1] = None
            parent.entries.setdefault(pending[1], (pending[0], node))
        elif not key_like:
            self.stop_at(
                node.place, "YML013", "a list or mapping cannot be a key", "write a plain word before the colon"
            )
        elif isinstance(node, Text):
            self._key(parent, node)

    def _key(self, parent: Mapping, key: Text) -> None:
        if key.text == _PLAIN_MERGE:
            self._note(
                key.place, "YML010", "<< is a merge key", "write the keys out: nothing may override a limit unseen"
            )
        if key.text in parent.entries:
            first = parent.entries[key.text][0]
            message = f'"{shorten(key.text)}" stands twice: first in line {first.line}, column {first.column}'
            self._note(key.place, "KEY002", message, "keep one of the two")
        self._keys[-1] = (key.place, key.text)


def _refuse(path: str, place: Place, rule: str, message: str, fix: str, source: str) -> ProtocolRefused:
    return ProtocolRefused([Fault(path, place.line, place.column, rule, message, fix)], source)


def _place_in(before: str) -> Place:
    """The place that follows the text `before`."""
    return Place(before.count("\n") + 1, len(before) - before.rfind("\n"))
