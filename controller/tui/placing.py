"""How the patient is placed: its line on the check list, and the key with which a person who looked confirms it."""

from collections.abc import Callable

from controller.tui.keys import Key, key
from controller.tui.view import View
from controller.vocabulary.requests import Place, Request

_WORDS = {
    "seated": ("sits", "Look: does the patient sit safely?"),
    "lying": ("lies", "Look: does the patient lie safely?"),
    "standing": ("stands in the harness", "Look: does the patient stand, held by the harness?"),
}


def is_placed(view: View) -> bool:
    """The gateway knows from a person that this patient is placed as the protocol is made for."""
    status, snapshot = view.status, view.snapshot
    if status is None or snapshot is None:
        return False
    return (status.position, status.position_of) == (snapshot.position, snapshot.patient)


def place_line(view: View) -> tuple[bool, str, str, str]:
    """(good, name, how it stands, what to do) for the check list."""
    wanted = "" if view.snapshot is None else view.snapshot.position
    how, look = _WORDS.get(wanted, ("", ""))
    if is_placed(view):
        return True, "position", f"the patient {how}, as you confirmed", ""
    return False, "position", f"the protocol is for a patient who {how or 'is placed as it says'}", f"{look} Press p."


def place_keys(view: View, date: str, request: Callable[[Request], None]) -> list[Key]:
    """The key that confirms it: straight to the gateway, only while nothing is armed."""
    snapshot = view.snapshot
    if snapshot is None or view.armed or is_placed(view) or snapshot.position not in _WORDS:
        return []
    placed = Place(snapshot.patient, date, snapshot.position, snapshot.position == "standing")
    return [key("p", f"patient {_WORDS[snapshot.position][0]}", lambda: request(placed))]
