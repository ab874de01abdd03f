"""Bugs on purpose, for showing that the exhaustive check can fail: each makes the product wrong in one process."""

from collections.abc import Callable
from typing import Any

from controller.gateway import engine_side, person
from controller.gateway.delivery import Delivery
from controller.gateway.watch import Watch
from safety import body_rules, pulse_rules


def _instead(real: Any, new: Any) -> None:
    """`real` does what `new` does, wherever it was imported to: its code is exchanged, not its name."""
    real.__code__ = new.__code__
    real.__defaults__ = new.__defaults__


def _always_holds(*_: Any) -> None:
    """A rule that never refuses."""


def no_slew_rule() -> None:
    """A rise of any size is admitted."""
    _instead(body_rules.g19_slew, _always_holds)


def no_amplitude_rule() -> None:
    """Any current is admitted (and what keeps charge, density and the steepest rise in bounds is gone as well)."""
    _instead(pulse_rules.g11_amplitude, _always_holds)
    _instead(body_rules.g19_slew, _always_holds)


def no_width_rule() -> None:
    """Any pulse width is admitted (and what keeps a burst's and a fitting's pulses as they were is gone as well)."""
    _instead(pulse_rules.g12_pulse_width, _always_holds)
    _instead(body_rules.g36_one_waveform, _always_holds)
    _instead(body_rules.g37_as_fitted, _always_holds)


def no_rest_rule() -> None:
    """The next burst may begin at once."""
    _instead(body_rules.g22_rest, _always_holds)


def leases_never_end() -> None:
    """What was admitted once goes on for ever, and the keep-alive with it; nobody's silence is noticed."""
    _instead(Delivery.expired, lambda self, now_ns: False)
    _instead(Delivery.leased, lambda self, now_ns: self.on)
    _instead(Watch.engine_alive, lambda self, now_ns: True)
    _instead(engine_side.gone, lambda core, now_ns, entry: None)


def stop_is_only_counted() -> None:
    """STOP is heard and written down, and the output goes on."""
    _instead(person.stop_pressed, _count_only)


def _count_only(core: Any, now_ns: int, source: str) -> None:
    core.stop_tested = True


def one_key_arms() -> None:
    """The first key arms by itself."""
    _instead(person.arm, _arm_at_once)


def _arm_at_once(core: Any, now_ns: int, wish: Any) -> None:
    from controller.gateway.arming import Permission

    core.wish = Permission(wish.scope, wish.reason, now_ns + 5_000_000_000)
    if core.unit.driver is not None and not core.unit.driver.ready:
        core.voice.unit(core.unit.driver.rearm(now_ns))
    core.arm_when_ready(now_ns)


BUGS: dict[str, tuple[Callable[[], None], str, tuple[str, ...]]] = {
    "no slew rule": (no_slew_rule, "running, current", ("at the ceiling",)),
    "no amplitude rule": (no_amplitude_rule, "running, current", ("over the ceiling", "over the cap")),
    "no width rule": (no_width_rule, "running, current", ("too wide",)),
    "no rest rule": (no_rest_rule, "running, resting", ("wait 200 ms", "rise 2.0 mA")),
    "leases never end": (leases_never_end, "running, current", ("wait 10 ms", "engine still 260 ms")),
    "STOP is only counted": (stop_is_only_counted, "running, current", ("STOP", "stop command")),
    "one key arms": (one_key_arms, "ready, latched", ("arm session, reason", "begin", "wait 2.5 s")),
}
"""Bug > what makes it, the root, and letters among which the check has to find it."""
