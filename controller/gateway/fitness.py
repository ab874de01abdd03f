"""Does the protocol fit this unit? Said before anything is armed, instead of as a refusal in the first burst."""

from collections.abc import Iterable

from controller.vocabulary.notices import Constrain
from safety.limits import DeviceLimits


def misfit(unit: DeviceLimits, wishes: Iterable[Constrain]) -> str:
    """The first thing that the protocol asks and the unit cannot do, in one sentence with what to do; else ""."""
    periods = set()
    for wish in wishes:
        if not 1 <= wish.channel <= unit.channels:
            wrong = f"The protocol uses channel {wish.channel}, and the {unit.name} has channels 1 to {unit.channels}."
            return f"{wrong} {_CHOOSE}"
        if not unit.pulse_width_us_min <= wish.pulse_width_us <= unit.pulse_width_us_max:
            span = f"{unit.pulse_width_us_min} to {unit.pulse_width_us_max} us"
            return f"The protocol asks for {wish.pulse_width_us} us, and the {unit.name} makes {span}. {_CHOOSE}"
        if not unit.period_us_min <= wish.period_us_min <= unit.period_us_max:
            asked, most = _hertz(wish.period_us_min), _hertz(unit.period_us_min)
            return f"The protocol asks for {asked}, and the {unit.name} makes {most} at most. {_CHOOSE}"
        periods.add(wish.period_us_min)
    if unit.common_period and len(periods) > 1:
        return f"The channels of a {unit.name} share one frequency, and the protocol asks for several. {_CHOOSE}"
    return ""


_CHOOSE = "Choose another protocol or another unit."


def _hertz(period_us: int) -> str:
    return f"{1e6 / period_us:.4g} Hz"
