"""The screening list as read: the shipped rows, made stricter by a site's own file, with version and digests.

The site's file can move a row from `sign_off` to `block` and add rows. It can take nothing away, soften nothing, and
it names the version of the list that it was written for: an older list than that is refused. Everything wrong with it
is said together, with line and fix. Raises `ProtocolRefused`, as for a protocol.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import TypeVar

import safety
from controller.session.faults import Fault, ProtocolRefused, shorten, suggest
from controller.session.nodes import Listing, Mapping, Node, Place, Text
from controller.session.yaml_reader import BYTES_MAX, decode, read
from safety.screening import Asks, Kind, Row, When, addition_refused, change_refused

SHIPPED = Path(safety.__file__).resolve().parent / "screening.yaml"
SITE_NAME = "screening.yaml"
"""What a site's file is called in the folder of the records, where it is found without being named."""
QUESTION_MAX = 62
"""What fits a row of the smallest screen."""
TEXT_MAX = 200
ROWS_MAX = 60
_ROW_KEYS = ("id", "kind", "question", "source", "since", "asks", "when", "remind")
_Word = TypeVar("_Word", bound=StrEnum)
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Screening:
    """The list that is asked. `sha256` is of the shipped file, `site_sha256` of the site's ("" without one)."""

    version: int
    rows: tuple[Row, ...]
    sha256: str
    site: str = ""
    site_sha256: str = ""


@cache
def shipped() -> Screening:
    """The list that comes with the program. Raises `ProtocolRefused` when it was damaged."""
    content = SHIPPED.read_bytes()
    page = _Page(content, str(SHIPPED))
    root = page.root
    page.only(root, ("version", "rows"))
    version = page.whole(root, "version")
    rows = tuple(row for _, row in page.rows(root, "rows"))
    page.end()
    return Screening(version, rows, hashlib.sha256(content).hexdigest())


def load(path: Path | None = None) -> Screening:
    """The shipped list, made stricter by the site's file at `path`. Raises `ProtocolRefused` with all faults."""
    base = shipped()
    if path is None:
        return base
    try:
        with path.open("rb") as file:
            content = file.read(BYTES_MAX + 1)
    except OSError as error:
        why = f"the file cannot be read: {error.strerror or error}"
        raise ProtocolRefused([Fault(str(path), 1, 1, "SCR001", why, "check the path")], "") from None
    page = _Page(content, str(path))
    rows = _stricter(page, base)
    site = page.text(page.root, "site")
    page.end()
    return Screening(base.version, rows, base.sha256, site, hashlib.sha256(content).hexdigest())


def found(data: Path, named: Path | None = None) -> Path | None:
    """The site's file: the one that is named, else `screening.yaml` in the folder of the records, else none."""
    there = data / SITE_NAME
    return named or (there if there.exists() else None)


def _stricter(page: "_Page", base: Screening) -> tuple[Row, ...]:
    root = page.root
    page.only(root, ("site", "for_version", "stricter", "add"))
    wanted = page.whole(root, "for_version")
    if wanted > base.version:
        message = f"the file is for version {wanted} of the list; this program has version {base.version}"
        page.note(
            page.place(root, "for_version"), "SCR005", message, "install the newer program: a list never goes back"
        )
    rows = {row.id: row for row in base.rows}
    for node, place in page.items(root, "stricter"):
        page.only(node, ("id", "kind"))
        name, kind = page.text(node, "id"), page.word(node, "kind", Kind)
        if not name or kind is None:
            continue
        refused = change_refused(rows.get(name), kind)
        if refused is not None:
            fix = suggest(name, rows) if name not in rows else "a site's file can only make the list stricter"
            page.note(place, "SCR003", f"{shorten(name)}: {refused}", fix)
        elif name in rows:
            rows[name] = rows[name]._replace(kind=kind)
    for place, row in page.rows(root, "add"):
        refused = addition_refused(tuple(rows.values()), row)
        if refused is not None:
            page.note(place, "SCR004", f"{shorten(row.id)}: {refused}", "choose another id, or make the row stricter")
        else:
            rows[row.id] = row
    if len(rows) > ROWS_MAX:
        page.note(Place(1, 1), "SCR006", f"the list has {len(rows)} rows", f"{ROWS_MAX} are the most")
    return tuple(rows.values())


class _Page:
    """A file being read: what it says, and what is wrong with it."""

    def __init__(self, content: bytes, path: str) -> None:
        self._path = path
        self._source = decode(content, path)
        self.root, self._faults = read(self._source, path)

    def note(self, place: Place, rule: str, message: str, fix: str) -> None:
        """One more fault."""
        self._faults.append(Fault(self._path, place.line, place.column, rule, message, fix))

    def end(self) -> None:
        """Raises `ProtocolRefused` when anything was wrong."""
        if self._faults:
            raise ProtocolRefused(self._faults, self._source)

    def place(self, node: Mapping, key: str) -> Place:
        """Where a key's value stands, or the mapping itself."""
        return node.entries[key][1].place if key in node.entries else node.place

    def only(self, node: Mapping, keys: tuple[str, ...]) -> None:
        """No other key than these."""
        for key, (place, _) in node.entries.items():
            if key not in keys:
                self.note(place, "SCR002", f'"{shorten(key)}" is no key here', suggest(key, keys))

    def text(self, node: Mapping, key: str, longest: int = TEXT_MAX) -> str:
        """The text of a key; "" and a fault where there is none."""
        value = node.entries[key][1] if key in node.entries else None
        if not isinstance(value, Text) or not value.text.strip():
            self.note(self.place(node, key), "SCR002", f'"{key}" is missing', f"write {key}: and a text")
            return ""
        said = " ".join(value.text.split())
        if len(said) > longest:
            self.note(value.place, "SCR002", f"this has {len(said)} characters", f"{longest} are the most: shorten it")
        return said

    def whole(self, node: Mapping, key: str) -> int:
        """A version: a whole number from 1 to 999999."""
        said = self.text(node, key)
        if said and (not said.isascii() or not said.isdigit() or len(said) > 6 or int(said) < 1):
            self.note(
                self.place(node, key), "SCR002", f'"{shorten(said)}" is no version', "write a whole number from 1"
            )
            return 0
        return int(said or 0)

    def word(self, node: Mapping, key: str, words: type[_Word]) -> _Word | None:
        """One of the words; None and a fault for any other."""
        said = self.text(node, key)
        known = {word.value: word for word in words}
        if said and said not in known:
            self.note(self.place(node, key), "SCR002", f'"{shorten(said)}" is no {key}', suggest(said, known))
        return known.get(said)

    def items(self, node: Mapping, key: str) -> list[tuple[Mapping, Place]]:
        """The mappings of a list; a key that is not there is an empty one."""
        value: Node | None = node.entries[key][1] if key in node.entries else None
        if value is None:
            return []
        if not isinstance(value, Listing):
            self.note(value.place, "SCR002", f'"{key}" is no list', "begin each row with a dash")
            return []
        found: list[tuple[Mapping, Place]] = []
        for item in value.items:
            if isinstance(item, Mapping):
                found.append((item, item.place))
            else:
                self.note(item.place, "SCR002", "a row is a list of `key: value` lines", "write the keys of the row")
        return found

    def rows(self, root: Mapping, key: str) -> list[tuple[Place, Row]]:
        """The whole rows of a list."""
        found = []
        for node, place in self.items(root, key):
            before = len(self._faults)
            row = self._row(node)
            if row is not None and len(self._faults) == before:
                found.append((place, row))
        return found

    def _row(self, node: Mapping) -> Row | None:
        self.only(node, _ROW_KEYS)
        name, kind = self.text(node, "id", 32), self.word(node, "kind", Kind)
        question, source = self.text(node, "question", QUESTION_MAX), self.text(node, "source")
        since = self.whole(node, "since")
        asks = self._optional(node, "asks", lambda: self.word(node, "asks", Asks), Asks.YES_NO)
        when = self._optional(node, "when", lambda: self.word(node, "when", When), When.BEFORE)
        remind = self._optional(node, "remind", lambda: self.text(node, "remind", 70), "")
        if kind is None or asks is None or when is None or remind is None:
            return None
        if (when is not When.BEFORE or asks is Asks.PADS) and kind is not Kind.EVERY_SESSION:
            self.note(node.place, "SCR002", f"{shorten(name)}: this goes with every_session alone", "change the kind")
        return Row(name, kind, question, source, since, asks, when, remind)

    def _optional(self, node: Mapping, key: str, get: Callable[[], _T | None], otherwise: _T) -> _T | None:
        return get() if key in node.entries else otherwise
