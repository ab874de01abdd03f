"""From the protocol's `attempt:` to the settings of the attempt detector, and the check that they are within bounds."""

from collections.abc import Iterator

from controller.motion.settings import BOUNDS, AttemptSettings
from controller.session.model import Attempt, Puck

_MILLI = 1000

# setting of the detector: where the author wrote it, and the attribute that holds it
_FROM_ATTEMPT: dict[str, tuple[tuple[str, ...], str]] = {
    "lowpass_hz": (("lowpass",), "lowpass_mhz"),
    "hysteresis": (("hysteresis",), "hysteresis_permille"),
    "dwell_ns": (("dwell",), "dwell_ns"),
    "quiet_before_ns": (("quiet",), "quiet_before_ns"),
    "quiet_below_dps": (("quiet_below",), "quiet_below_mdps"),
    "refractory_ns": (("refractory",), "refractory_ns"),
    "blanking_ns": (("blanking",), "blanking_ns"),
    "min_interval_ns": (("min_interval",), "min_interval_ns"),
}
_FROM_THRESHOLD: dict[str, tuple[tuple[str, ...], str]] = {
    "floor_dps": (("threshold", "floor"), "floor_mdps"),
    "ceiling_dps": (("threshold", "ceiling"), "ceiling_mdps"),
    "fraction_of_attempt": (("threshold", "fraction"), "fraction_permille"),
    "rest_multiple": (("threshold", "rest_multiple"), "rest_multiple_milli"),
}


def attempt_settings(attempt: Attempt | None, puck: Puck | None) -> AttemptSettings:
    """The detector's settings; what the protocol leaves out has the design's default. For a checked protocol only."""
    values: dict[str, object] = {name: value for name, _, value in _values(attempt or Attempt())}
    if attempt and attempt.excursion_mdeg is not None:
        values["excursion_deg"] = attempt.excursion_mdeg / _MILLI
    if attempt:
        values |= {name: getattr(attempt, name) for name in ("direction", "tremor_gate", "relative_to")}
    if puck:
        values["min_rate_hz"] = puck.rate_mhz_min / _MILLI
    return AttemptSettings(**values)  # type: ignore[arg-type]


def outside_bounds(attempt: Attempt) -> Iterator[tuple[tuple[str, ...], str, str]]:
    """(path below `attempt`, message, fix) for each setting that the detector does not accept."""
    for name, path, value in _values(attempt):
        low, high = BOUNDS[name]
        if not low <= value <= high:
            yield path, f"{path[-1]} is outside what the detector accepts", f"write {_words(name, low, high)}"
    threshold = attempt.threshold
    if not threshold.floor_mdps <= threshold.ceiling_mdps:
        yield ("threshold", "ceiling"), "the ceiling of the attempt threshold is below its floor", "exchange the two"


def _values(attempt: Attempt) -> Iterator[tuple[str, tuple[str, ...], float]]:
    for table, holder in ((_FROM_ATTEMPT, attempt), (_FROM_THRESHOLD, attempt.threshold)):
        for name, (path, attribute) in table.items():
            held = getattr(holder, attribute)
            yield name, path, held if name.endswith("_ns") else held / _MILLI


def _words(name: str, low: float, high: float) -> str:
    if name.endswith("_ns"):
        return f"{low / 1e6:g} ms to {high / 1e6:g} ms"
    if name in ("fraction_of_attempt", "hysteresis"):
        return f"{low * 100:g} % to {high * 100:g} %"
    unit = {"hz": " Hz", "dps": " deg/s"}.get(name.rsplit("_", 1)[-1], "")
    return f"{low:g}{unit} to {high:g}{unit}"
