"""Faults of a protocol file: collected, sorted, and shown together in the manner of a compiler."""

import re
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from typing import NamedTuple

SHOWN_MAX = 50
WIDTH_MAX = 110

_TOKEN_END = re.compile(r"[,{}\[\]#]|:(?=\s|$)")


class Fault(NamedTuple):
    """One thing wrong with a file: where (line and column from 1), which rule, why in one sentence, and what to do."""

    path: str
    line: int
    column: int
    rule: str
    message: str
    fix: str

    @property
    def where(self) -> str:
        """`path:line:column`, as editors understand it."""
        return f"{self.path}:{self.line}:{self.column}"


class ProtocolRefused(Exception):
    """A protocol was not accepted. `faults` are all that was found, `source` is the text they point into."""

    def __init__(self, faults: Sequence[Fault], source: str) -> None:
        self.faults: tuple[Fault, ...] = tuple(sorted(faults, key=lambda fault: (fault.line, fault.column, fault.rule)))
        self.source = source
        super().__init__(render(self.faults, source))


def render(faults: Iterable[Fault], source: str) -> str:
    """All faults as text: a head line, the source line with a caret, the fix; at most `SHOWN_MAX` of them."""
    lines = source.split("\n", 100_000)
    every = list(faults)
    blocks = [_block(fault, lines) for fault in every[:SHOWN_MAX]]
    if len(every) > SHOWN_MAX:
        blocks.append(f"... and {len(every) - SHOWN_MAX} more")
    return "\n\n".join(blocks)


def suggest(word: str, known: Iterable[str]) -> str:
    """`did you mean "width"?` for the nearest known word, or the whole list when nothing is near."""
    choices = list(known)
    near = get_close_matches(word[:64].lower(), choices, n=1, cutoff=0.6)
    if near:
        return f'did you mean "{near[0]}"?'
    return f"use one of: {', '.join(choices)}" if choices else "remove it"


def shorten(text: str, longest: int = 40) -> str:
    """`text` on one line, printable, at most `longest` characters: fit for a message on a terminal."""
    flat = "".join(char if char.isprintable() else "?" for char in text[: longest + 1])
    return flat if len(flat) <= longest else flat[: longest - 3] + "..."


def _block(fault: Fault, lines: Sequence[str]) -> str:
    head = f"{shorten(fault.path, 200)}:{fault.line}:{fault.column}  error {fault.rule}  {fault.message}"
    shown = [head]
    line = lines[fault.line - 1] if 0 < fault.line <= len(lines) else ""
    if line.strip():
        start = max(0, fault.column - 1 - WIDTH_MAX // 2) if len(line) > WIDTH_MAX else 0
        column = min(fault.column - 1, len(line)) - start
        text = shorten(line[start : start + WIDTH_MAX].rstrip("\r"), WIDTH_MAX)
        shown.append(f"{fault.line:4d} | {text}")
        shown.append(f"     | {' ' * column}{'^' * _caret_length(text, column)}")
    if fault.fix:
        shown.append(f"  fix: {fault.fix}")
    return "\n".join(shown)


def _caret_length(text: str, column: int) -> int:
    quoted = re.match(r"\"[^\"]*\"|'[^']*'", text[column:])
    if quoted:
        return quoted.end()
    end = _TOKEN_END.search(text, column + 1)
    return max(1, len(text[column : end.start() if end else len(text)].rstrip()))
