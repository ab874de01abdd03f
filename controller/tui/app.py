"""The therapist's screen. A pure view: what it shows follows the session's state; what it does goes out as intents,
requests and STOP through the `Front` port. Nothing here knows a rule of therapy or of safety."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import ClassVar

from textual.app import App
from textual.binding import Binding, BindingType
from textual.screen import Screen

from controller.clock import now_ns
from controller.record.worn import WornSpan, look_back
from controller.tui.arming import Armer
from controller.tui.driver import StopDriver
from controller.tui.follow import screen_for
from controller.tui.joint_found import Found, JointFound
from controller.tui.keys import PressGate
from controller.tui.port import Front, HandsFree, PatientEntry
from controller.tui.screens.base import HouseDialog, HouseScreen
from controller.tui.screens.calibration import CalibrationScreen
from controller.tui.screens.check import CheckDialog, CheckScreen
from controller.tui.screens.dialogs import QuitDialog, ReasonDialog, TextDialog
from controller.tui.screens.fitting import FittingScreen
from controller.tui.screens.help import HelpDialog
from controller.tui.screens.joint_dialog import FIRST, prescription
from controller.tui.screens.patient import PatientScreen
from controller.tui.screens.review import ReviewScreen, render_log
from controller.tui.screens.run import RunScreen
from controller.tui.screens.screening import ScreeningScreen
from controller.tui.screens.starting import StartingScreen
from controller.tui.screens.stop_test import StopTestScreen
from controller.tui.screens.tripped import TrippedScreen
from controller.tui.stop_keys import StopKeys
from controller.tui.themes import THEMES
from controller.tui.view import View
from controller.tui.widgets.trace import Trace
from controller.vocabulary.facts import ArmScope
from controller.vocabulary.intents import EndSession
from controller.vocabulary.requests import Disarm
from controller.vocabulary.snapshot import JointView, SessionState

POLL_HZ = 25
HEARTBEAT_S = 0.1
_MAIN: dict[str, type[HouseScreen]] = {
    "starting": StartingScreen,
    "patient": PatientScreen,
    "screening": ScreeningScreen,
    "check": CheckScreen,
    "stop_test": StopTestScreen,
    "fitting": FittingScreen,
    "calibration": CalibrationScreen,
    "run": RunScreen,
    "tripped": TrippedScreen,
    "review": ReviewScreen,
}


class StimloopApp(App[None]):
    """`front` is the screen's world; `date` (YYYY-MM-DD) binds today's ceilings; `clock` gives ns and is the only time.

    `simulated` says that the patient and the devices are simulated. `hands_free.step` is called on every poll.
    `render_log(folder, width)` gives the text of the training log. Exit: `ctrl+q`, asked for during a session.
    """

    CSS_PATH = Path(__file__).with_name("style.tcss")  # an app made from this one in another folder finds it too
    TITLE = "stimloop"
    ENABLE_COMMAND_PALETTE = False
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (120, "-wide")]  # noqa: RUF012 (Textual types it as an instance variable)
    VERTICAL_BREAKPOINTS = [(0, "-low"), (40, "-tall")]  # noqa: RUF012
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f12", "stop_pressed", "STOP", priority=True, show=False),
        Binding("f1", "show_help", "help", priority=True, show=False),
        Binding("f2", "show_devices", "devices", priority=True, show=False),
        Binding("ctrl+q", "quit", "quit", priority=True, show=False),
        Binding("ctrl+c", "quit", "quit", priority=True, show=False, system=True),
    ]

    def __init__(
        self,
        front: Front,
        *,
        simulated: bool,
        patients: Sequence[PatientEntry],
        date: str,
        hands_free: HandsFree | None = None,
        clock: Callable[[], int] = now_ns,
        log_text: Callable[[str, int], str] = render_log,
        theme_name: str = "stimloop-dark",
    ) -> None:
        super().__init__(driver_class=StopDriver)
        self.front = front
        self.simulated = simulated
        self.patients = tuple(patients)
        self.date = date
        self.hands_free = hands_free
        self.clock = clock
        self.log_text = log_text
        self.stop_keys = StopKeys(front)
        self.armer = Armer(front, self._ask_reason)
        self.press_gate = PressGate()
        self.devices_checked = False
        self.joint_found = JointFound()
        self.prescribed: dict[int, tuple[int, int]] = {}
        """(ceiling, motor) in uA that the gateway was told of each channel: changing them needs a reason."""
        self.left_on: tuple[WornSpan, ...] = ()
        """Orthoses that the patient still wore where the record before this one ends."""
        self.frames_drawn = 0
        self.trace = Trace()
        self.view = View.of(front, clock())
        self._ticking = asyncio.Lock()
        self._main = ""
        self._last_state: SessionState | None = None
        for theme in THEMES:
            self.register_theme(theme)
        self.theme = theme_name

    def measure_joint(self, joint: JointView, found: Found) -> None:
        """A person measured the joint of the orthosis. Where other figures stand already they say why, too."""
        if self.joint_found.found in (None, found):
            self._tell_joint(joint, found, FIRST)
            return
        question = f"The figures of the {joint.region} are changed. Why?"
        tell = partial(self._tell_joint, joint, found)
        self.call_after_refresh(lambda: self.open(TextDialog(question, "for example: stiffer than before", tell)))

    def _tell_joint(self, joint: JointView, found: Found, reason: str) -> None:
        """The gateway is told, past the engine."""
        self.joint_found.ask(found, self.clock())
        self.front.request(prescription(self.view, joint, self.date, found, reason))

    # -- the beat --------------------------------------------------------------------------------------------------

    def on_mount(self) -> None:
        """Start polling; the heartbeat comes from this loop, so a blocked loop falls silent."""
        self.set_interval(1 / POLL_HZ, self.tick)
        self.set_interval(HEARTBEAT_S, self._beat)
        self.call_later(self.tick)

    def _beat(self) -> None:
        self.front.heartbeat(self.clock())

    async def tick(self) -> None:
        """One poll: read the front, let the scripted therapist act, follow the session, paint."""
        async with self._ticking:
            await self._tick()

    async def _tick(self) -> None:
        now = self.clock()
        self.front.poll(now)
        if self.hands_free is not None:
            self.hands_free.step(now, self.front)
        self.view = self._look(now)
        self.joint_found.hear(self.view.refusals)
        if self.view.state is not self._last_state:
            self._state_changed()
        await self._follow(screen_for(self.view, self._checked()))
        self.trace.extend(self.front.take_motion())
        self._paint()

    def _look(self, now_ns: int) -> View:
        view = View.of(self.front, now_ns)
        return replace(view, refusals=self.joint_found.still_true(view.refusals)) if view.refusals else view

    def _checked(self) -> bool:
        scripted = self.hands_free is not None and self.view.status is not None and self.view.status.stop_tested
        return self.devices_checked or scripted

    def _state_changed(self) -> None:
        self._last_state = self.view.state
        if self.view.state in (SessionState.IDLE, SessionState.TRIPPED):
            self.armer.reason = ""
        if self.view.state is SessionState.IDLE:
            self.devices_checked = False
            self.joint_found.forget()
            self.prescribed.clear()
        if self.view.snapshot is not None and self.view.state is SessionState.SCREENING:
            self.left_on = look_back(self.view.snapshot.folder)
        if self.view.state is SessionState.REVIEW and self.view.armed:
            self.front.request(Disarm("the session is over"))

    async def _follow(self, name: str) -> None:
        """Show the main screen `name`; dialogs of the screen before it are closed, but for the wish to leave."""
        if name == self._main or not self.is_running:
            return
        leaving = False
        while isinstance(self.screen, HouseDialog):
            leaving = leaving or isinstance(self.screen, QuitDialog)
            await self.pop_screen()
        screen = _MAIN[name]()
        if self._main == "stop_test" and name == "fitting":
            screen.say("STOP works: the gateway has seen it.")
        await (self.switch_screen(screen) if self._main else self.push_screen(screen))
        self._main = name
        if leaving:  # its own STOP has tripped the session: still ask
            self.open(QuitDialog(self))

    def repaint(self) -> None:
        """Paint now what a key has just changed."""
        self.view = self._look(self.clock())
        self._paint()

    def _paint(self) -> None:
        # A tick may still be due while the app or a screen goes up or comes down.
        if self.is_running and isinstance(screen := self.screen, HouseScreen) and screen.is_mounted:
            screen.show(self.view)
            self.stop_keys.live = screen.live_keys(self.view)

    def count_frame(self) -> None:
        """The chart has drawn a frame."""
        self.frames_drawn += 1

    # -- dialogs and keys that work everywhere -----------------------------------------------------------------------

    def open(self, dialog: Screen[None]) -> None:
        """Put a dialog on top, unless one of its kind is open."""
        if not any(type(screen) is type(dialog) for screen in self.screen_stack):
            self.push_screen(dialog)

    def action_stop_pressed(self) -> None:
        """The driver's input thread has already sent STOP; only a driver that cannot do that is helped out here."""
        if not isinstance(self._driver, StopDriver):
            self.front.stop("F12")
        self.repaint()

    def action_show_help(self) -> None:
        """F1 opens the help, and closes it."""
        if isinstance(self.screen, HelpDialog):
            self.screen.dismiss()
            return
        under = next((screen for screen in reversed(self.screen_stack) if isinstance(screen, HouseScreen)), None)
        if under is not None:
            self.open(HelpDialog(under.HELP))

    def action_show_devices(self) -> None:
        """F2 opens the devices, and closes them."""
        if isinstance(self.screen, CheckDialog):
            self.screen.dismiss()
        elif self._main != "check":
            self.open(CheckDialog())

    async def action_quit(self) -> None:
        """Leaving a session stops first and asks second."""
        if self.view.armed:
            self.front.stop("quit")
        if self.view.in_session:
            self.open(QuitDialog(self))
        else:
            self.exit()

    def leave(self) -> None:
        """End the session, then the program."""
        self.front.request(Disarm("the program was left"))
        self.front.intend(EndSession())
        self.exit()

    def _ask_reason(self, scope: ArmScope) -> None:
        self.open(ReasonDialog(self, scope))
