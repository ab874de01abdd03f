"""What begins stimulation in an activity: is it a person's button alone?"""

from collections.abc import Sequence

from controller.session.conditions import Kind
from controller.session.resolve import ResolvedPhase

_SEEN_BY_GATEWAY = (Kind.BUTTON_KEY, Kind.BUTTON_PEDAL)


def by_button_only(phases: Sequence[ResolvedPhase]) -> bool:
    """Whether every way from a phase without current and movement into one with them is a key's or pedal's press alone.

    `button key and quiet 1 s` is not: such a start comes when the patient is quiet, and then the press may be old.
    Neither is `button` from anywhere: the gateway cannot see for itself that somebody touched a puck.
    """
    helps = {phase.name: _helps(phase) for phase in phases}
    if not phases or helps[phases[0].name]:
        return False
    ways = [way for phase in phases if not helps[phase.name] for way in phase.ways if helps.get(way.to, True)]
    return all(len(group) == 1 and group[0][0] in _SEEN_BY_GATEWAY for way in ways for group in way.any_of)


def _helps(phase: ResolvedPhase) -> bool:
    """Whether current can flow or the orthosis push."""
    amounts = [share if isinstance(share, int) else share.most_permille for _, share in phase.stimulate]
    lowest = [0 if isinstance(share, int) else share.least_permille for _, share in phase.stimulate]
    return max([*amounts, *lowest], default=0) > 0 or phase.orthosis is not None
