"""`look(folder)`: every screen with sample data, as a picture at 80 x 24 and 160 x 50 (`make look`)."""

import asyncio
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from controller.tui import samples
from controller.tui.app import StimloopApp
from controller.tui.samples import NOW_NS, PATIENT, SampleFront
from controller.vocabulary.facts import ArmNumber, ArmScope, GatewayState
from controller.vocabulary.snapshot import CalibrationView, SessionState, Snapshot

SIZES = ((80, 24), (160, 50))
_LOG = """Task-training log
=================
Patient:  SIM01
Session:  ses-20261122T101500
Started:  2026-11-22 10:15 UTC
Protocol: Wrist extension, cued
Ended:    normal, simulated devices

lift hand · lift the hand at the wrist · right
Time    No.  Peak/need   Delay  Channels, mA              Orthosis     Outcome
-----  ----  ---------  ------  ------------------------  -----------  ---------
03:41     1       22/8   15 ms  extensors 12.5            -            completed
03:53     2       31/8   14 ms  extensors 12.5            -            completed
04:04     3        1/-       -  -                         -            missed
       note: tired, asked for a break

Totals                      Attempts  Assisted  Completed  Missed  Pulses    Min
--------------------------  --------  --------  ---------  ------  ------  -----
lift hand · lift the hand          2         2          2       1     212    0.6
at the wrist · right
--------------------------  --------  --------  ---------  ------  ------  -----
Session                            2         2          2       1     431    4.2
"""


def sample_app(front: SampleFront) -> StimloopApp:
    """The app on a still front, with a clock that stands."""
    return StimloopApp(
        front,
        simulated=True,
        patients=[PATIENT],
        date="2026-11-22",
        clock=lambda: NOW_NS,
        log_text=lambda folder, width: _LOG,
    )


def _tripped() -> Snapshot:
    return replace(
        samples.snapshot(SessionState.TRIPPED),
        trip="STOP was pressed (F12).",
        todo="Look after the patient, then acknowledge and arm.",
    )


def _stopped() -> SampleFront:
    return SampleFront(_tripped(), samples.latched())


def _fit() -> SampleFront:
    armed = replace(samples.status(GatewayState.DELIVERING, 8_000), scope=ArmScope.FITTING, identified=())
    return SampleFront(samples.fitting(), armed)


def _silent() -> SampleFront:
    running = samples.status(GatewayState.DELIVERING, 12_500)
    return SampleFront(samples.snapshot(), replace(running, t_ns=NOW_NS - 400_000_000))


def _asking() -> SampleFront:
    front = SampleFront(samples.snapshot(SessionState.READY), samples.status())
    front.arm_number = ArmNumber(7, ArmScope.SESSION, NOW_NS + 4_000_000_000)
    return front


def _calibrating() -> SampleFront:
    attempts = CalibrationView("attempts", 0.6, 1.8, (22.0, 31.5, 27.0), 0.0, "Three attempts seen, two more.")
    shown = replace(samples.snapshot(SessionState.CALIBRATING), calibration=attempts)
    return SampleFront(shown, samples.status())


def _missing() -> SampleFront:
    shown = replace(samples.snapshot(SessionState.FITTING), pucks=())
    return SampleFront(shown, replace(samples.status(GatewayState.CLOSED), unit="", outputs=()))


def _still(state: SessionState) -> Callable[[], SampleFront]:
    return lambda: SampleFront(samples.snapshot(state), samples.status())


def _running() -> SampleFront:
    return SampleFront(samples.snapshot(), samples.status(GatewayState.DELIVERING, 12_500))


def _real() -> SampleFront:
    return SampleFront(samples.snapshot(), samples.real(samples.status(GatewayState.DELIVERING, 12_500)))


def _real_check() -> SampleFront:
    return SampleFront(samples.snapshot(SessionState.FITTING), samples.real(samples.status()))


def _untested() -> SampleFront:
    return SampleFront(samples.snapshot(SessionState.FITTING), replace(samples.status(), stop_tested=False))


def _orthosis_check() -> SampleFront:
    unit = replace(samples.status(), unit="SIM RehaStim2", capabilities=samples.REHASTIM2)
    shown = samples.snapshot(SessionState.FITTING)
    return SampleFront(*samples.with_joint(shown, unit, samples.joint(measured=False)))


def _moved(torque_mnm: int = 420, amplitude_ua: int = 12_500) -> SampleFront:
    status = samples.status(GatewayState.DELIVERING, amplitude_ua)
    return SampleFront(*samples.with_joint(samples.snapshot(), status, samples.joint(torque_mnm)))


def _joint_pending() -> SampleFront:
    shown = samples.with_joint(samples.fitting(marked=True), samples.status(), samples.joint(measured=False))
    return SampleFront(*shown)


def _stopped_orthosis() -> SampleFront:
    return SampleFront(*samples.with_joint(_tripped(), samples.latched(), samples.joint()))


def _wearing(state: SessionState) -> Callable[[], SampleFront]:
    worn = (samples.SPLINT, samples.SLING)
    return lambda: SampleFront(replace(samples.snapshot(state), worn=worn), samples.status())


# name: (front, keys pressed before the picture)
SCENES: dict[str, tuple[Callable[[], SampleFront], tuple[str, ...]]] = {
    "starting": (SampleFront, ()),
    "patient": (_still(SessionState.IDLE), ()),
    "screening": (_still(SessionState.SCREENING), ("y", "y", "n", "n", "n")),
    "screening_blocked": (_still(SessionState.SCREENING), ("y", "y", "n", "y")),
    "screening_sign_off": (_still(SessionState.SCREENING), ("y", "y", *["n"] * 11, "y")),
    "check": (_still(SessionState.FITTING), ()),
    "check_missing": (_missing, ()),
    "stop_test": (_untested, ("g",)),
    "fitting": (_fit, ("g",)),
    "fitting_done": (lambda: SampleFront(samples.fitting(marked=True), samples.status()), ("g",)),
    "calibration": (_calibrating, ()),
    "calibration_done": (_still(SessionState.CALIBRATING), ()),
    "ready": (_still(SessionState.READY), ()),
    "ready_confirm": (_asking, ()),
    "running": (_running, ()),
    "real_running": (_real, ()),
    "real_check": (_real_check, ()),
    "paused": (_still(SessionState.PAUSED), ()),
    "tripped": (_stopped, ()),
    "gateway_silent": (_silent, ()),
    "help": (_running, ("f1",)),
    "devices": (_running, ("f2",)),
    "end": (_running, ("e",)),
    "note": (_still(SessionState.PAUSED), ("n",)),
    "review": (_still(SessionState.REVIEW), ()),
    "orthosis_check": (_orthosis_check, ()),
    "orthosis_fitting": (_joint_pending, ("g",)),
    "orthosis_measure": (_joint_pending, ("g", "j")),
    "orthosis_running": (_moved, ()),
    "orthosis_tripped": (_stopped_orthosis, ()),
    "worn": (_wearing(SessionState.PAUSED), ("w",)),
    "worn_on": (_wearing(SessionState.PAUSED), ("w", "a")),
    "worn_off": (_wearing(SessionState.PAUSED), ("w", "1")),
    "worn_paused": (_wearing(SessionState.PAUSED), ()),
    "worn_review": (_wearing(SessionState.REVIEW), ()),
}


async def take(name: str, size: tuple[int, int], folder: Path) -> Path:
    """One picture as SVG in `folder`, and its path."""
    make_front, keys = SCENES[name]
    app = sample_app(make_front())
    async with app.run_test(size=size) as pilot:
        await app.tick()
        await pilot.pause()
        for pressed in keys:
            await pilot.press(pressed)
            await app.tick()
        await pilot.pause()
        picture = app.export_screenshot(title=f"stimloop {name} {size[0]}x{size[1]}")
    path = folder / f"{name}_{size[0]}x{size[1]}.svg"
    path.write_text(picture, encoding="utf-8")
    return path


def look(folder: Path) -> list[Path]:
    """Every scene at every size as SVG in `folder` (made when missing)."""
    folder.mkdir(parents=True, exist_ok=True)

    async def all_of_them() -> list[Path]:
        return [await take(name, size, folder) for name in SCENES for size in SIZES]

    return asyncio.run(all_of_them())


if __name__ == "__main__":
    for written in look(Path(sys.argv[1])):
        print(written)
