"""What is wrong with text that is not YAML, in plain sentences: the parser's own words are for parser authors."""

import re

from yaml import MarkedYAMLError

from controller.session.faults import shorten
from controller.session.nodes import Place

Explained = tuple[Place, str, str, str]

_NO_SPACE = re.compile(r"^\s*[\w ]{1,60}:[^\s:]")


def first_tab(text: str) -> Explained | None:
    """A tab outside a comment, explained; None where there is none."""
    for number, line in enumerate(text.split("\n"), start=1) if "\t" in text else ():
        column = line.find("\t")
        if column >= 0 and "#" not in line[:column]:
            return Place(number, column + 1), "YML005", "there is a tab here", "use spaces, two for each level"
    return None


def explain(error: MarkedYAMLError, text: str) -> Explained:
    """(place, rule, message, fix) of a parser's error, placed where the author must look, not where it noticed."""
    problem, context = str(error.problem or ""), str(error.context or "")
    here = _place(error.problem_mark) or _place(error.context_mark) or Place(1, 1)
    began = _place(error.context_mark) or here
    lines = text.split("\n")
    if "quoted scalar" in context:
        return began, "YML006", "this quotation mark is not closed", "close the text with the same quotation mark"
    if "expected ':'" in problem:
        if _NO_SPACE.match(_line(lines, began.line)):
            return _missing_space(began.line, lines)
        word = shorten(_line(lines, began.line)[began.column - 1 :].strip())
        return began, "YML006", f'a colon is missing after "{word}"', "write `key: value`"
    if "flow mapping" in context or "flow sequence" in context:
        return _bracket(began, here, context)
    if "mapping values" in problem:
        return _two_colons(here, lines)
    if "tag" in problem or "tag" in context or "directive" in context:
        return here, "YML011", "tags (!) and directives (%) are not accepted", "remove it: every value is plain text"
    if "cannot start any token" in problem:
        sign = shorten(_line(lines, here.line)[here.column - 1 : here.column])
        return here, "YML006", f"a value cannot begin with {sign}", "put the value in quotation marks"
    if "node content" in problem:
        return here, "YML006", "there is a bracket or sign here without a value", "remove it, or write the value"
    if "block" in context and ("expected" in problem or "key" in problem):
        message = "this line does not stand under the lines above it"
        return here, "YML006", message, "indent it exactly like its neighbours, two spaces for each level"
    return here, "YML006", f"this cannot be read: {shorten(problem, 80)}", "write `key: value`, one in a line"


def _bracket(began: Place, here: Place, context: str) -> Explained:
    opened, closed = ("{", "}") if "mapping" in context else ("[", "]")
    if began.line == here.line:
        return here, "YML006", f"a comma or {closed} is missing before this", f"separate with commas, end with {closed}"
    return began, "YML006", f"this {opened} is not closed", f"end it with {closed}, and separate with commas"


def _two_colons(here: Place, lines: list[str]) -> Explained:
    above = here.line - 1
    while above > 0 and not _line(lines, above).strip():
        above -= 1
    for number in (here.line, above):
        if _NO_SPACE.match(_line(lines, number)):
            return _missing_space(number, lines)
    if ":" in _line(lines, here.line)[: here.column - 1]:
        message = "there is a second colon in this line"
        return here, "YML006", message, "put text that contains a colon in quotation marks"
    message = "this line is indented under a key that has a value already"
    return here, "YML006", message, "indent it exactly like its neighbours, or give the key above no value"


def _missing_space(number: int, lines: list[str]) -> Explained:
    place = Place(number, _line(lines, number).index(":") + 1)
    return place, "YML006", "a space is missing after this colon", "write `key: value`"


def _line(lines: list[str], number: int) -> str:
    return lines[number - 1] if 0 < number <= len(lines) else ""


def _place(mark: object) -> Place | None:
    line, column = getattr(mark, "line", None), getattr(mark, "column", None)
    return Place(line + 1, column + 1) if isinstance(line, int) and isinstance(column, int) else None
