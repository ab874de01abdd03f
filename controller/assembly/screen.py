"""The therapist's screen with the two real-time processes behind it."""

import argparse
import os
import signal
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from controller.assembly.demo import POWERED
from controller.assembly.house import House, HousePlan
from controller.assembly.protocols import CUED, shipped
from controller.assembly.simulated import SimulatedDevices, SimulatedPlan, twin_of
from controller.assembly.start_check import check_start
from controller.assembly.therapist import ScriptedTherapist
from controller.clock import wall_day
from controller.record.manifest import default_root
from controller.session import screening
from controller.session.loader import load
from controller.tui.app import StimloopApp
from controller.tui.port import Front, PatientEntry
from controller.vocabulary.snapshot import Snapshot
from controller.vocabulary.stages import TEST_LOAD

SIMULATED_PATIENT = PatientEntry("SIM01", "right", "simulated: weak wrist extension, right side", True)


class SeeingPatient:
    """The simulated patient's eyes: told to the world whenever the screen asks for an attempt."""

    def __init__(self, devices: SimulatedDevices, therapist: ScriptedTherapist | None) -> None:
        self._devices = devices
        self._therapist = therapist
        self._cues = 0

    def step(self, now_ns: int, front: Front) -> None:
        """Look at the screen; then the scripted therapist does, if there is one."""
        snapshot: Snapshot | None = front.snapshot
        if snapshot is not None and snapshot.cue_number != self._cues:
            self._cues = snapshot.cue_number
            self._devices.say("cue")
        if self._therapist is not None:
            self._therapist.step(now_ns, front)


def demo_on_screen(options: argparse.Namespace) -> int:
    """`stimloop demo` in a terminal: simulated devices and patient, everything else real."""
    loaded = load(options.protocol or shipped(CUED))
    check_start(loaded, options.puck)
    data = options.data or Path(tempfile.mkdtemp(prefix="stimloop-demo-"))
    attempt = loaded.protocol.attempt
    orthosis = options.orthosis or (POWERED if loaded.protocol.orthosis else "")
    kinds = tuple(kind for kind in (options.unit, options.puck, orthosis) if kind)
    devices = SimulatedDevices(
        SimulatedPlan(
            seed=options.seed,
            log=data / "twins.jsonl",
            self_paced=attempt is None or attempt.self_paced,
            devices=tuple(twin_of(kind) for kind in kinds),
        )
    )
    try:
        plan = HousePlan(
            unit=devices.port(options.unit),
            puck=devices.port(options.puck),
            orthosis=devices.port(orthosis) if orthosis else "",
            protocol=Path(loaded.path),
            data=data,
            log=data / "processes.log",
            seed=options.seed,
            repetitions=options.repetitions,
        )
        therapist = ScriptedTherapist(date=wall_day()[0]) if options.hands_free else None
        return _sit_at(plan, SeeingPatient(devices, therapist), scripted=therapist is not None)
    finally:
        devices.close()
        print(f"The record of this demonstration is in {data}")


def session_on_screen(options: argparse.Namespace) -> int:
    """`stimloop`: the named devices. A real one can be armed only as the operator's authorisation says."""
    loaded = load(options.protocol or shipped(CUED))
    check_start(loaded, options.puck, options.button_pedal)
    data = options.data or default_root()
    site = screening.found(data, options.screening)
    screening.load(site)  # what is wrong with it is said before anything is opened
    plan = HousePlan(
        unit=options.unit,
        puck=options.puck,
        orthosis=options.orthosis or "",
        pedal=options.pedal,
        button_pedal=options.button_pedal,
        protocol=Path(loaded.path),
        data=data,
        log=data / "processes.log",
        affected_side=options.side,
        screening=site,
        authorisation=options.authorisation,
        operator=options.operator,
    )
    return _sit_at(plan, None, scripted=False, patients=patients(options.patient, options.side))


def patients(pseudonym: str | None, side: str) -> list[PatientEntry]:
    """Who can be chosen: the person who was named, the simulated patient, and the test load that is nobody."""
    person = [] if pseudonym is None else [PatientEntry(pseudonym, side, "named with --patient", False)]
    load = PatientEntry(TEST_LOAD, side, "a resistor box on the leads, for work without a person", False)
    return [*person, SIMULATED_PATIENT, load]


def end_with_terminal() -> None:
    """A terminal that goes away ends the screen, and so the current, even where SIGHUP was being ignored (`nohup`)."""
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


def _sit_at(
    plan: HousePlan,
    patient: SeeingPatient | None,
    scripted: bool,
    patients: Sequence[PatientEntry] = (SIMULATED_PATIENT,),
) -> int:
    end_with_terminal()
    house = House(plan)
    try:
        app = HouseApp(house, patient, scripted, patients)
        app.run(mouse=False)  # the keyboard alone: a mouse wiped over the table must mean nothing
    finally:
        house.close()
    code = app.return_code or 0
    sys.stdout.flush()
    return code if code >= 0 else os.EX_SOFTWARE


class HouseApp(StimloopApp):
    """The screen, which also watches the processes behind it."""

    def __init__(
        self,
        house: House,
        patient: SeeingPatient | None,
        scripted: bool,
        patients: Sequence[PatientEntry] = (SIMULATED_PATIENT,),
    ) -> None:
        super().__init__(
            house.front,
            simulated=patient is not None,
            patients=patients,
            date=wall_day()[0],
            hands_free=patient if scripted else None,
        )
        self._house = house
        self._patient = patient

    async def tick(self) -> None:
        """One poll, and a look at the processes."""
        await super().tick()
        self._house.watch()
        if self._patient is not None and self.hands_free is None:
            self._patient.step(self.clock(), self.front)
