"""One run of the whole product for `bench stop`: real ports and processes, up to current (and torque) at the skin."""

import threading
from pathlib import Path
from typing import Any

from controller.assembly.bench.house_under_test import HouseUnderTest
from controller.assembly.bench.puck_player import PuckPlayer
from controller.assembly.bench.terminals import RawPort
from controller.assembly.results import twin_log
from controller.assembly.simulated import SimulatedDevices, SimulatedPlan
from controller.clock import MS, SECOND, now_ns
from controller.timing import sleep_until

PUCK_HZ = 100
STARTS_WITHIN_NS = 60 * SECOND
FLOWING_NS = 300 * MS
WIGGLE_DEG = 4.0
PEDAL_EVERY_NS = 250 * MS
PUSHED_MNM = 100
"""Measured at the joint: the orthosis lifts the hand, it does not only stand by."""


class Trial:
    """See the module's text. With `orthosis` a powered one is worn, and `flow` waits for its torque as well.

    With `pedal` there is a foot pedal that stops, and a foot that tests it before anything is armed.
    """

    def __init__(self, folder: Path, orthosis: bool = False, pedal: bool = False) -> None:
        self.folder = folder
        self.orthosis = orthosis
        self.pedal = pedal
        worn = ("p24", *(("dynamixel",) if orthosis else ()), *(("pedal",) if pedal else ()))
        self.devices = SimulatedDevices(SimulatedPlan(seed=1, log=folder / "twin.jsonl", devices=worn))
        self.puck = RawPort()
        self._player = PuckPlayer(PUCK_HZ)
        self._angle_deg = 0.0
        self._playing = True
        self._silent = False
        self._pressed_ns = 0
        self._thread = threading.Thread(target=self._play, daemon=True)
        self._thread.start()
        joint = self.devices.url("dynamixel") if orthosis else ""
        foot = self.devices.url("pedal") if pedal else ""
        unit = self.devices.url("p24")
        self.house = HouseUnderTest(unit, self.puck.path, folder / "house", orthosis=joint, pedal=foot)

    def _play(self) -> None:
        """The limb goes smoothly to its angle and moves a little about it, so that amplitudes keep changing."""
        angle, due, number = 0.0, now_ns(), 0
        while self._playing:
            number += 1
            wiggle = WIGGLE_DEG * (1 if number // 25 % 2 else -1) if self._angle_deg else 0.0
            target = self._angle_deg + wiggle
            angle += max(-1.0, min(1.0, target - angle))
            frame = self._player.frame(angle, now_ns() // 1000)
            if not self._silent:
                self.puck.write(frame)
            due += SECOND // PUCK_HZ
            sleep_until(due)

    def flow(self) -> bool:
        """Raise the limb once the session runs, and wait until current (and torque) has flowed for a while."""
        ends = now_ns() + STARTS_WITHIN_NS
        while self._state() != "running":
            if now_ns() > ends or self._stopped():
                return False
            self._test_pedal()
            sleep_until(now_ns() + 20 * MS)
        self._angle_deg = 45.0
        while not self._flows():
            if now_ns() > ends or self._stopped():
                return False
            sleep_until(now_ns() + 20 * MS)
        return True

    def _state(self) -> str:
        return str(self.house.frames().get("state", ""))

    def _stopped(self) -> bool:
        """Nothing will flow any more: a machine without time to spare stops the session by itself."""
        return self._state() == "tripped" or self.house.process.poll() is not None

    def _flows(self) -> bool:
        trains = self.logged("train")
        if not trains or now_ns() - trains[-1]["t_end_ns"] >= FLOWING_NS or trains[-1]["amplitude_ua"] <= 1_000:
            return False
        return not self.orthosis or self.house.frames().get("torque_mnm", 0) > PUSHED_MNM

    def logged(self, kind: str) -> list[dict[str, Any]]:
        """What the twins have written down so far: `train` is what the skin has had, `torque` the joint; `world`."""
        return [entry for entry in twin_log(self.folder / "twin.jsonl") if entry.get("kind") == kind]

    def _test_pedal(self) -> None:
        """A foot on the pedal now and then, until screening is over: nobody can have armed so far."""
        if self.pedal and self._state() in ("idle", "screening") and now_ns() - self._pressed_ns > PEDAL_EVERY_NS:
            self._pressed_ns = now_ns()
            self.devices.say("press pedal")

    def silence(self) -> None:
        """The puck says nothing more; its cable stays in."""
        self._silent = True

    def lower(self) -> None:
        """The limb goes down: nothing would be asked for any more, were somebody still listening."""
        self._angle_deg = 0.0

    def close(self) -> None:
        """End everything."""
        self._playing = False
        self._thread.join()
        self.house.close()
        self.devices.close()
        self.puck.close()
