"""What a protocol asks of buttons, touch and load cell, and whether the devices that are there can give it."""

from collections.abc import Iterator
from typing import NamedTuple

from controller.session.checks import Finding
from controller.session.conditions import BUTTONS, Condition, Kind
from controller.session.loader import Loaded, refuse
from controller.session.model import Protocol
from controller.session.nodes import Path
from controller.vocabulary.button import ButtonSource


class Asked(NamedTuple):
    """What the conditions of the session's activity look at. `buttons` are the sources that a press may come from."""

    buttons: frozenset[ButtonSource]
    touch: bool
    load: bool


class Given(NamedTuple):
    """What the devices can give: the puck's touch and load cell, and a button pedal."""

    touch: bool = False
    load: bool = False
    pedal: bool = False


def asked_of(protocol: Protocol) -> Asked:
    """What the session's activity looks at; a plain `button` asks for a press from anywhere."""
    kinds = {kind for _, condition in _conditions(protocol) for kind in condition.kinds()}
    anywhere = Kind.BUTTON in kinds
    buttons = {source for kind, source in BUTTONS.items() if source is not None and (anywhere or kind in kinds)}
    return Asked(frozenset(buttons), Kind.TOUCH in kinds, Kind.LOAD in kinds)


def lacking(protocol: Protocol, given: Given, puck: str) -> list[Finding]:
    """The conditions that the devices cannot make true. `puck` is the puck's name for people.

    A plain `button` always has the key, so it lacks nothing.
    """
    kinds = {
        Kind.BUTTON_PEDAL: (given.pedal, "no button pedal was named", "start with --button-pedal SERIAL"),
        Kind.BUTTON_TOUCH: (given.touch, *_no_touch(puck)),
        Kind.TOUCH: (given.touch, *_no_touch(puck)),
        Kind.LOAD: (
            given.load,
            f"the {puck} tells no load in newton",
            "calibrate its load cell (`stimloop fitmi calibrate`), or use another puck",
        ),
    }
    found = []
    for path, condition in _conditions(protocol):
        for kind, (there, message, fix) in kinds.items():
            if kind in condition.kinds() and not there:
                found.append(Finding(path, "DEV001", f"the protocol waits for `{kind}`, and {message}", fix))
    return found


def check_devices(loaded: Loaded, given: Given, puck: str) -> None:
    """Raises ProtocolRefused with every condition that the devices cannot make true."""
    found = lacking(loaded.protocol, given, puck)
    if found:
        refuse(loaded, found)


def sentence(finding: Finding) -> str:
    """A finding for a place without room for its line."""
    text = f"{finding.message}: {finding.fix}."
    return text[0].upper() + text[1:]


def _no_touch(puck: str) -> tuple[str, str]:
    return f"the {puck} feels no touch", "use a FitMi puck, or another condition"


def _conditions(protocol: Protocol) -> Iterator[tuple[Path, Condition]]:
    """Every way out of the session's activity, with its place in the file."""
    name = protocol.session.activity
    for phase_name, phase in protocol.activity[name].phases.items():
        for condition, _ in phase.ways():
            yield ("activity", name, "phases", phase_name, "then", condition.text), condition
