"""Guides a person through the calibration of one FitMi puck at a port: lie still, turn, and two weights."""

import contextlib
import select
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from controller.clock import SECOND, now_ns
from controller.drivers.ports import is_hidraw, open_hidraw, open_serial
from controller.drivers.presence import locate
from controller.drivers.pucks import fitmi_calibration as steps
from controller.drivers.pucks.base import Signal
from controller.drivers.pucks.fitmi import FITMI, FitMiDriver
from controller.drivers.pucks.fitmi_calibration import CalibrationRefused, Fit, Reading
from controller.drivers.pucks.fitmi_scales import BrokenFile, Calibrated, Scales, parse, render, serial_at
from controller.vocabulary.sample import STALE
from controller.wire.link import Link, LinkLost

AWAKE_NS_MAX = 5 * SECOND
TURN_S_MAX = 12.0
WEIGH_S = 2.0
DONE_STILL_NS = SECOND
DONE_STILL_DEG = 1.0
MASS_G_MIN, MASS_G_MAX = 1.0, 20_000.0
_PATIENCE_S = 0.05


@dataclass(frozen=True, slots=True)
class Talk:
    """How the guide speaks: `say` a sentence; `ask` one, and get the line that was typed (EOFError at the end)."""

    say: Callable[[str], None]
    ask: Callable[[str], str]


class PuckAtPort:
    """One puck of the dongle at `port` (a path, `usb:SERIAL` or a socket). Raises `PortFault`, later `LinkLost`."""

    def __init__(self, port: str, puck: str) -> None:
        path = locate(port)
        self.serial = serial_at(port if port.startswith("usb:") else path)
        self.link: Link = open_hidraw(path) if is_hidraw(path) else open_serial(path, FITMI.line)
        self._driver = FitMiDriver(device=path)
        self._puck = puck
        self._number = self._driver.pucks.index(puck)
        self._seen = 0
        self._fresh = False
        self._driver.start(now_ns())

    def close(self) -> None:
        """Leave the pucks as they were found."""
        with contextlib.suppress(LinkLost):
            for data in self._driver.close(now_ns()):
                self.link.write(data)
        self.link.close()

    def wake(self) -> None:
        """Wait until the puck measures, and let it show itself. Raises `CalibrationRefused`."""
        ends_ns = now_ns() + AWAKE_NS_MAX
        while not self._fresh:
            if now_ns() > ends_ns:
                raise CalibrationRefused(
                    f"The {self._puck} puck does not measure. Take it out of its station, bring it near, pull the "
                    "dongle out and plug it in again."
                )
            self._step()
        self._driver.signal(now_ns(), self._puck, Signal.HERE)
        self.collect(0.5)

    def collect(self, seconds: float, enough: Callable[[list[Reading]], bool] | None = None) -> list[Reading]:
        """What it measures from now on, for so long, or until it is enough. What has waited unread is dropped."""
        self._step()
        readings: list[Reading] = []
        ends_ns = now_ns() + round(seconds * SECOND)
        while now_ns() < ends_ns:
            if (reading := self._step()) is not None:
                readings.append(reading)
                if enough is not None and enough(readings):
                    break
        return readings

    def _step(self) -> Reading | None:
        """Wait a little for a report, and do what the driver has to do. The newest measurement, if one came."""
        driver = self._driver
        select.select([self.link.fileno()], [], [], _PATIENCE_S)
        while data := self.link.read():
            for sample in driver.feed(now_ns(), data):
                if sample.puck == self._puck:
                    self._fresh = not sample.flags & STALE
        at = now_ns()
        if at >= driver.next_deadline() and (command := driver.poll(at)):
            self.link.write(command)
        if driver.reports == self._seen or driver.blocks is None:
            return None
        self._seen = driver.reports
        block = driver.blocks[self._number]
        return Reading(at, block) if self._fresh and block.quaternion_ok else None


def calibrate(at: PuckAtPort, puck: str, talk: Talk, still_s: float) -> Calibrated:
    """All steps. Raises `CalibrationRefused` where one was not done well, EOFError where nobody answers."""
    at.wake()
    talk.say(f"The {puck} puck has just blinked and buzzed. If that was another one, stop with ctrl+c.")
    talk.ask("1. Put it on a firm table and take your hand off it. Then press Enter.")
    talk.say(f"   Do not touch the table for {still_s:.0f} s ...")
    rest = steps.at_rest(at.collect(still_s))
    talk.ask(
        "2. Now it is to be turned by a quarter of a circle, one way, in 2 to 4 s, and then left. Press Enter first."
    )
    talk.say("   Turn it now, slowly and evenly ...")
    turn = steps.of_turn(at.collect(TURN_S_MAX, _turned_and_still), rest.gyro_bias)
    load = _weigh(at, talk)
    scales = Scales(rest.acc_g, turn.slope, load and load.slope, -load.offset / load.slope if load else 0.0)
    residuals = {"acc_spread": rest.spread, "gyro_r2": turn.r2, "gyro_rms_deg": turn.rms}
    if load:
        residuals |= {"load_r2": load.r2, "load_rms_n": load.rms}
    found = Calibrated(scales, date.today().isoformat(), residuals)
    try:
        parse(render({at.serial: {puck: found}}))
    except (BrokenFile, ValueError) as error:
        raise CalibrationRefused(f"What was found cannot be right: {error}. Start again.") from error
    return found


def _weigh(at: PuckAtPort, talk: Talk) -> Fit | None:
    """The load cell under nothing and two masses; None where it is left out."""
    first = _mass(
        talk, "3. The load cell takes two known weights. Mass of the lighter one in gram (Enter: leave it out):"
    )
    if first is None:
        return None
    second = _mass(talk, "   Mass of the heavier one in gram (Enter: leave the load cell out):")
    if second is None:
        return None
    if not first < second:
        raise CalibrationRefused("The second weight must be the heavier one. Start again.")
    counts = []
    for what in ("Take everything off the puck", f"Lay the {first:g} g on it", f"Lay the {second:g} g on it, alone"):
        talk.ask(f"   {what}, let go, and press Enter.")
        counts.append(steps.level(at.collect(WEIGH_S)))
    return steps.of_load([mass_g / 1000 * steps.G_M_S2 for mass_g in (0.0, first, second)], counts)


def _mass(talk: Talk, question: str) -> float | None:
    """A mass in gram; None for an empty line. Three tries. Raises `CalibrationRefused`."""
    for _ in range(3):
        typed = talk.ask(question).strip().replace(",", ".")
        if not typed:
            return None
        try:
            mass_g = float(typed)
        except ValueError:
            mass_g = -1.0
        if MASS_G_MIN <= mass_g <= MASS_G_MAX:
            return mass_g
        talk.say(f"   {typed!r} is no mass: type a number of grams from {MASS_G_MIN:g} to {MASS_G_MAX:g}.")
    raise CalibrationRefused("No mass was typed. Start again, or leave the load cell out with Enter.")


def _turned_and_still(readings: list[Reading]) -> bool:
    """The quarter turn is behind it: far from where it began, and still for a second."""
    newest = readings[-1]
    if steps.angle_deg(steps.unit(readings[0].block.quaternion), steps.unit(newest.block.quaternion)) < (
        steps.TURN_DEG_MIN
    ):
        return False
    before = next((one for one in reversed(readings) if newest.t_ns - one.t_ns >= DONE_STILL_NS), None)
    if before is None:
        return False
    moved_deg = steps.angle_deg(steps.unit(before.block.quaternion), steps.unit(newest.block.quaternion))
    return moved_deg < DONE_STILL_DEG
