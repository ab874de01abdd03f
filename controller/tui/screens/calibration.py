"""Calibration: the limb at rest, then the patient's own attempts, give the attempt threshold."""

from functools import partial

from textual.app import ComposeResult

from controller.tui.keys import Key, key
from controller.tui.screens.base import HouseScreen
from controller.tui.view import View
from controller.tui.widgets.meter import speed_bar
from controller.tui.widgets.pane import Pane, Parts
from controller.tui.widgets.strip_chart import ChartModel, StripChart
from controller.tui.words import bar
from controller.vocabulary.intents import AcceptCalibration, CalibrateAttempts, CalibrateRest, Intent
from controller.vocabulary.snapshot import CalibrationView

_ADVICE = {
    "idle": "Support the limb and let it lie still. Then press r: rest is recorded.",
    "rest": "Recording rest. Keep the limb still.",
    "rested": "Rest is recorded. Press m for the patient's own attempts.",
    "attempts": "The patient tries when the words above say so. Own effort only.",
    "done": "Press y to accept this attempt threshold, or r to start over.",
    "failed": "Press r to start over, or m to try the attempts again.",
}


class CalibrationScreen(HouseScreen):
    """Nothing is armed here: what is measured is the patient alone."""

    BOUND = "r,m,y,w,d,q"
    HELP = (
        "r records the limb at rest, m the patient's own attempts. The attempt threshold lies between the two, never "
        "under 5 deg/s. It must be low enough for a weak attempt and high enough for rest. y accepts it."
    )

    def compose_body(self) -> ComposeResult:
        """Step, live bar, chart, result."""
        yield Pane(id="cal-step", classes="box")
        yield Pane(id="cal-bar", classes="note")
        yield StripChart(self.house.trace, self.house.count_frame, id="chart")
        yield Pane(id="cal-result", classes="box")

    def keys(self, view: View) -> list[Key]:
        """Record, accept, repeat."""
        stage = "idle" if view.snapshot is None else _stage(view.snapshot.calibration)
        keys: list[Key] = []
        if stage != "rest":
            keys.append(key("r", "rest" if stage == "idle" else "start over", partial(self._say, CalibrateRest())))
        if (
            view.snapshot is not None
            and view.snapshot.calibration.rest_p99_dps > 0
            and stage in ("idle", "rested", "done", "failed")
        ):
            keys.insert(0, key("m", "own attempts", partial(self._say, CalibrateAttempts())))
        if stage == "done":
            keys.insert(0, key("y", "accept", partial(self._say, AcceptCalibration())))
        if view.armed:
            keys.append(key("d", "disarm", self.house.armer.disarm))
        keys += self.worn_keys(view)
        keys.append(self.quit_key())
        return keys

    def why_not(self, name: str, view: View) -> str:
        """In the order in which things are done here."""
        return {
            "r": "Rest is being recorded.",
            "m": "Record rest first: press r, and wait for 100 %.",
            "y": "There is no attempt threshold to accept yet.",
        }.get(name, super().why_not(name, view))

    def _say(self, intent: Intent) -> None:
        self.house.front.intend(intent)

    def paint(self, view: View) -> None:
        """All panes and the chart."""
        snapshot = view.snapshot
        if snapshot is None:
            return
        calibration = snapshot.calibration
        threshold = calibration.threshold_dps or snapshot.threshold_dps
        self.query_one("#cal-step", Pane).parts = _step(calibration)
        self.query_one("#cal-bar", Pane).parts = speed_bar(snapshot.speed_dps, threshold, 30)
        self.query_one("#cal-result", Pane).parts = _result(calibration)
        chart = self.query_one(StripChart)
        newest = self.house.trace.newest_ms
        chart.model = ChartModel(threshold, snapshot.speed_dps, snapshot.angle_deg, newest, view.engine_stale)


def _stage(calibration: CalibrationView) -> str:
    """The stage, with `rested` told apart: rest is recorded whole, the attempts have not been asked for yet."""
    rested = calibration.stage == "rest" and calibration.progress >= 1.0
    return "rested" if rested else calibration.stage


def _step(calibration: CalibrationView) -> Parts:
    stage = _stage(calibration)
    names = (("rest", "1 Rest"), ("attempts", "2 Own attempts"), ("done", "3 Result"))
    order = {"idle": -1, "rest": 0, "rested": 0, "attempts": 1, "failed": 1, "done": 2}[stage]
    parts: list[str | tuple[str, str]] = [("Calibration   ", "bold")]
    for index, (_, name) in enumerate(names):
        look = "bold reverse" if index == order else ("$good" if index < order else "$quiet")
        glyph = "▶" if index == order else ("✓" if index < order else "○")
        parts += [(f" {glyph} {name} ", look), "  "]
    parts.append("\n")
    if calibration.stage in ("rest", "attempts"):
        parts.append(f"{bar(calibration.progress, 20)} {calibration.progress * 100:3.0f} %   ")
        prompt = calibration.advice if stage == "attempts" else ""
        parts.append((f"{prompt}\n", "bold $attempt"))
    else:
        parts.append("\n")
    parts.append(_ADVICE[stage])
    return tuple(parts)


def _result(calibration: CalibrationView) -> Parts:
    peaks = "  ".join(f"{peak:.0f}" for peak in calibration.peaks_dps[-10:]) or "-"
    rest = f"{calibration.rest_p99_dps:.1f} deg/s" if calibration.rest_p99_dps > 0 else "-"
    threshold = f"{calibration.threshold_dps:.1f} deg/s" if calibration.threshold_dps > 0 else "-"
    look = "bold $warning" if calibration.stage == "failed" else ""
    glyph = "▲ " if calibration.stage == "failed" else ""
    return (
        ("rest, 99 % under      ", "bold"),
        f"{rest:<14}",
        (" attempt threshold  ", "bold"),
        (f"{threshold}\n", "bold $attempt"),
        ("peaks of attempts     ", "bold"),
        f"{peaks} deg/s\n",
        (f"{glyph}{calibration.advice}" if calibration.stage in ("done", "failed") else "", look),
    )
