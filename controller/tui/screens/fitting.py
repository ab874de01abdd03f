"""Fitting: for each channel find where it is felt, where the muscle moves, and the most that the patient accepts."""

from functools import partial

from textual.app import ComposeResult
from textual.containers import Container
from textual.widgets import Digits

from controller.tui.joint_words import joint_line
from controller.tui.keys import Key, key
from controller.tui.screens.base import HouseScreen
from controller.tui.screens.dialogs import TextDialog
from controller.tui.screens.joint_dialog import JointDialog, prescription
from controller.tui.steps import StepWatch, resting
from controller.tui.view import View
from controller.tui.widgets.meter import limb_parts, output_parts
from controller.tui.widgets.pane import Pane, Parts
from controller.tui.widgets.strip_chart import ChartModel, StripChart
from controller.tui.words import Part, milliamps, milliamps_or_dash, shortened
from controller.tui.worn_words import worn_line
from controller.vocabulary.facts import ArmScope
from controller.vocabulary.intents import FittingDone, Level, MarkLevel, Titrate, TitrateOff
from controller.vocabulary.requests import Disarm, Identified, Prescribe, Press
from controller.vocabulary.snapshot import ChannelView, JointView

_LEVELS = (
    ("s", Level.SENSORY, "sensory", "first felt"),
    ("m", Level.MOTOR, "motor", "muscle first moves"),
    ("t", Level.TOLERANCE, "tolerance", "most accepted"),
)
_WHEN = {
    "s": "the patient first feels it",
    "m": "the muscle first moves",
    "t": "it is the most the patient accepts",
}


def found(channel: ChannelView) -> bool:
    """All three levels of the channel are known."""
    return bool(channel.sensory_ua and channel.motor_ua and channel.tolerance_ua)


def identified(view: View, channel: ChannelView) -> bool:
    """A person saw today that this channel moves the right muscle, and the gateway has taken their word."""
    return view.status is not None and channel.channel in view.status.identified


class FittingScreen(HouseScreen):
    """One step of 0.5 mA for one fresh key press; a held key does nothing, and a press in vain is told."""

    BOUND = "a,c,d,up,down,o,s,m,t,i,left,right,j,f,w,q"
    HELP = (
        "Arm for fitting (a, then c). ↑ and ↓ change the current by 0.5 mA (by 2 mA where the unit has no finer grid) "
        "for each fresh press: a held key is ignored. The current goes off by itself after 3 s and the muscle rests "
        "for 2 s; then ↑ starts again one step above the last train, ↓ one step below; armed anew it starts from 0. "
        "Ask the patient all the time.\n"
        "s: it is first felt. m: the muscle first moves. t: the most that is accepted, today's ceiling. A level is "
        "marked while current flows. i: the muscle that moves is the right one, and no other; each channel needs it.\n"
        "o switches off. ← → choose the channel. With a powered orthosis, j (disarmed) measures its joint. When all "
        "is found, f finishes."
    )
    at = 0

    def __init__(self) -> None:
        super().__init__()
        self._steps = StepWatch()

    def compose_body(self) -> ComposeResult:
        """Channels at the left, the chosen channel's figures at the right (below, on a small terminal)."""
        yield Pane(id="fit-title", classes="note")
        yield Pane(id="fit-next", classes="box")
        with Container(id="fit-panes"):
            yield Pane(id="fit-channel", classes="box")
            yield Pane(id="fit-levels", classes="box")
        yield Pane(id="fit-big-label", classes="wide-only")
        yield Digits("", id="fit-big", classes="wide-only")
        yield Pane(id="fit-output", classes="box")
        yield StripChart(self.house.trace, self.house.count_frame, id="chart")

    # -- keys ------------------------------------------------------------------------------------------------------

    def keys(self, view: View) -> list[Key]:
        """Arm and confirm; then steps and marks; then finish."""
        channel = self._channel(view)
        armed = view.armed_for(ArmScope.FITTING)
        keys: list[Key] = []
        if armed and channel is not None:
            keys += [
                key("up", "current", partial(self._step, channel, channel.step_ua), shown="↑↓"),
                key("down", "", partial(self._step, channel, -channel.step_ua)),
                key("o", "off", self._off),
            ]
            keys += [key(name, "", partial(self._mark, channel, level)) for name, level, _, _ in _LEVELS[:-1]]
            keys.append(key("t", "mark", partial(self._mark, channel, Level.TOLERANCE), shown="s m t"))
            keys.append(key("i", "" if identified(view, channel) else "muscle", partial(self._identify, channel)))
        if len(view.channels) > 1:
            keys += [
                key("left", "", partial(self._choose, -1)),
                key("right", "channel", partial(self._choose, 1), shown="←→"),
            ]
        joint = _joint(view)
        if joint is not None and not view.armed:
            keys.append(key("j", "joint", partial(self._measure, joint)))
        if self._complete(view):
            keys.append(key("f", "finish", partial(self._finish, view)))
        keys += self.house.armer.keys(view, ArmScope.FITTING, partial(self._prescribe, view.channels))
        keys += self.worn_keys(view)
        if not view.armed:
            keys.append(self.quit_key())
        return keys

    def why_not(self, name: str, view: View) -> str:
        """In the order in which things are done here."""
        if name in ("up", "down", "o", "s", "m", "t", "i") and not view.armed:
            return "Arm first: press a, then c."
        return {
            "f": self._missing(view),
            "j": "Disarm first (d): the joint is measured with everything off."
            if view.armed and _joint(view) is not None
            else "This protocol moves no orthosis.",
            "c": "Press a first, then c within 5 s.",
            "a": "Armed already.",
            "q": "Disarm first (d), or leave with ctrl+q.",
            "left": "There is only one channel.",
            "right": "There is only one channel.",
        }.get(name, super().why_not(name, view))

    def _complete(self, view: View) -> bool:
        levels = bool(view.channels) and all(found(channel) for channel in view.channels)
        return (
            levels
            and not _unidentified(view)
            and (_joint(view) is None or _taken(view, self.house.joint_found.found is not None))
        )

    def _missing(self, view: View) -> str:
        done = all(found(channel) and identified(view, channel) for channel in view.channels)
        if done and _joint(view) is not None:
            return "The orthosis' joint is not measured yet: disarm (d), then j."
        if all(found(channel) for channel in view.channels) and _unidentified(view):
            names = " and ".join(channel.name for channel in _unidentified(view))
            return f"Nobody has said yet that {names} moves the right muscle: press i while it moves."
        return "Not all levels are found yet."

    def _measure(self, joint: JointView) -> None:
        self.house.open(JointDialog(self.house, joint))

    def _channel(self, view: View) -> ChannelView | None:
        return view.channels[min(self.at, len(view.channels) - 1)] if view.channels else None

    def _choose(self, by: int) -> None:
        self._off()
        self.at = (self.at + by) % len(self.house.view.channels)

    def _step(self, channel: ChannelView, step_ua: int) -> None:
        gate, now_ns = self.house.press_gate, self.house.clock()
        if not gate.fresh(now_ns):
            self.say("One step for one press: let the key go, then press again.")
            return
        in_the_way = self._steps.in_the_way(self.house.view, channel, step_ua)
        if in_the_way:
            self.say(in_the_way)
            return
        self._steps.pressed(channel, step_ua, now_ns)
        self.house.front.request(Press(gate.number))
        self.house.front.intend(Titrate(channel.channel, step_ua, gate.number))

    def _off(self) -> None:
        self.house.front.intend(TitrateOff())

    def _mark(self, channel: ChannelView, level: Level) -> None:
        if channel.now_ua <= 0:
            self.say("No current flows now: press ↑ or ↓, and mark the level while it flows.")
            return
        self.house.front.intend(MarkLevel(channel.channel, level))

    def _identify(self, channel: ChannelView) -> None:
        """The right muscle moves: the gateway takes it only for a channel that has had current since arming."""
        snapshot = self.house.view.snapshot
        if channel.now_ua <= 0 or snapshot is None:
            self.say("No current flows now: press ↑ or ↓, and press i while the right muscle moves.")
            return
        self.house.front.request(Identified(snapshot.patient, self.house.date, channel.channel))

    def _prescribe(self, channels: tuple[ChannelView, ...], reason: str = "") -> None:
        """What was found so far goes to the gateway, which has to know region and pad before any current."""
        reason = reason or self.house.armer.reason
        for channel in channels:
            if channel.tolerance_ua:
                self.house.prescribed[channel.channel] = (channel.tolerance_ua, channel.motor_ua)
            self.house.front.request(
                Prescribe(
                    patient="" if self.house.view.snapshot is None else self.house.view.snapshot.patient,
                    date=self.house.date,
                    channel=channel.channel,
                    region=channel.region,
                    pad_area_mm2=channel.pad_area_mm2,
                    ceiling_ua=channel.tolerance_ua,
                    motor_ua=channel.motor_ua,
                    reason=reason,
                )
            )

    def _changed(self, view: View) -> bool:
        """A prescription that stands already would be changed: somebody has to say why."""
        stands = self.house.prescribed
        now = {each.channel: (each.tolerance_ua, each.motor_ua) for each in view.channels}
        return any(stands.get(channel, found) != found for channel, found in now.items())

    def _finish(self, view: View) -> None:
        """Disarm, then prescribe (the gateway takes a ceiling only while disarmed), then on to calibration."""
        self._off()
        self.house.front.request(Disarm("fitting is done"))
        if self._changed(view):
            question = "The prescription is changed. Why?"
            self.house.open(TextDialog(question, "for example: less is enough today", partial(self._hand_over, view)))
        else:
            self._hand_over(view, "")

    def _hand_over(self, view: View, reason: str) -> None:
        self._prescribe(view.channels, reason)
        joint = _joint(view)
        measured = self.house.joint_found.found
        if joint is not None and measured is not None:
            self.house.front.request(prescription(view, joint, self.house.date, measured))
        self.house.front.intend(FittingDone())

    # -- paint -----------------------------------------------------------------------------------------------------

    def paint(self, view: View) -> None:
        """All panes."""
        snapshot, channel = view.snapshot, self._channel(view)
        self.said = self._steps.look(view) or self.said
        if snapshot is None or channel is None:
            return
        worn = worn_line(view, self.size.width - 40)
        self.query_one("#fit-title", Pane).parts = (
            (f"Fitting of {snapshot.patient}, {snapshot.affected_side} side", "bold"),
            (f"   {worn or shortened(snapshot.protocol, self.size.width - 40)}", "" if worn else "$quiet"),
        )
        self.query_one("#fit-channel", Pane).parts = _channel_parts(view, channel)
        reached_ua = self._steps.reached_ua.get(channel.channel, 0)
        self.query_one("#fit-levels", Pane).parts = _level_parts(channel, reached_ua)
        self.query_one("#fit-output", Pane).parts = (
            *output_parts(view),
            "\n",
            *joint_line(view, self.house.joint_found.range),
            *limb_parts(view),
        )
        self.query_one("#fit-next", Pane).parts = _next(view, channel, self._complete(view))
        if self.has_class("-wide"):
            self.query_one("#fit-big-label", Pane).parts = ((f"ch{channel.channel} flows now, mA", "bold"),)
            digits, value = self.query_one("#fit-big", Digits), f"{channel.now_ua / 1000:.1f}"
            if digits.value != value:
                digits.update(value)
        chart = self.query_one(StripChart)
        newest = self.house.trace.newest_ms
        chart.model = ChartModel(
            snapshot.threshold_dps, snapshot.speed_dps, snapshot.angle_deg, newest, view.engine_stale
        )


def _channel_parts(view: View, channel: ChannelView) -> Parts:
    number = view.channels.index(channel) + 1
    seen = identified(view, channel)
    glyph, look = ("✓ ", "$good") if seen else ("○ ", "$quiet")
    frequency = 1_000_000 / channel.period_us if channel.period_us else 0.0
    return (
        (f"ch{channel.channel} {channel.name}  ({number} of {len(view.channels)})\n", "bold"),
        (glyph, look),
        ("the right muscle moves\n" if seen else "right muscle? press i\n", "" if seen else "$quiet"),
        f"{channel.muscle}\n{channel.placement}\n",
        f"pad {channel.pad_area_mm2 / 100:.1f} cm², {channel.region.replace('_', ' ')}\n",
        f"{channel.pulse_width_us} us, {frequency:.2f} Hz\n",
    )


def _level_parts(channel: ChannelView, reached_ua: int) -> Parts:
    parts: list[Part] = [("flows now  ", "bold"), (f"{milliamps(channel.now_ua):>8}", "bold")]
    parts.append((f"  last train {milliamps_or_dash(reached_ua)}\n", "$quiet"))
    for (name, _, word, meaning), value in zip(_LEVELS, _values(channel), strict=True):
        glyph, look = ("✓", "$good") if value else ("○", "$quiet")
        parts += [(f"{glyph} ", look), f"{word:<9}{milliamps_or_dash(value):>8}  ", (f"{name}  {meaning}\n", "$quiet")]
    ceiling = f"{milliamps(channel.tolerance_ua):>8}" if channel.tolerance_ua else "not found yet"
    parts += [("ceiling    ", "bold"), f"{ceiling}\n"]
    parts += [("limit now  ", "bold"), f"{milliamps(channel.limit_ua):>8}", (f"  {channel.limit_source}", "$quiet")]
    return tuple(parts)


def _next(view: View, channel: ChannelView, complete: bool) -> Parts:
    """What to do next, in one sentence."""
    if view.arm_number is not None:
        return (("Press c within 5 s to arm for fitting.", "bold"),)
    done = bool(view.channels) and all(found(each) and identified(view, each) for each in view.channels)
    if done and not complete:
        what = "Disarm (d), then press j" if view.armed else "Press j"
        return (("All levels are found. ", "bold $good"), f"{what} to measure the joint that the orthosis moves.")
    if complete:
        return (("All levels are found. f sets today's ceilings and goes on.", "bold $good"),)
    if not view.armed:
        blocked = view.status.blocked if view.status is not None else ""
        if blocked:
            return (("Cannot be armed now: ", "bold $warning"), blocked)
        return (("Electrodes on? Press a, then c, to arm for fitting.", "bold"),)
    resting_s = resting(view)
    if resting_s > 0:
        return (
            (f"Resting {resting_s:.1f} s. ", "bold $armed"),
            "Then ↑ goes one step above the last train, ↓ one below.",
        )
    if channel.motor_ua and not identified(view, channel):
        return (
            ("Is it the right muscle? ", "bold"),
            f"While current flows, press i when {channel.muscle} move{'' if channel.muscle.endswith('s') else 's'}.",
        )
    if found(channel):
        return (("This channel is done. → for the next one.", "bold"),)
    key_name = next(entry[0] for entry, value in zip(_LEVELS, _values(channel), strict=True) if not value)
    return (("↑ in small steps, and ask. ", "bold"), f"While current flows, press {key_name} when {_WHEN[key_name]}.")


def _values(channel: ChannelView) -> tuple[int, int, int]:
    return channel.sensory_ua, channel.motor_ua, channel.tolerance_ua


def _unidentified(view: View) -> list[ChannelView]:
    return [channel for channel in view.channels if not identified(view, channel)]


def _taken(view: View, found: bool) -> bool:
    """The joint was measured, and the gateway has a limit from it (where it says anything of one)."""
    joints = () if view.status is None else view.status.joint
    return found and all(joint.torque_limit_mnm > 0 for joint in joints)


def _joint(view: View) -> JointView | None:
    """The joint that the protocol's orthosis moves, if it has one."""
    joints = () if view.snapshot is None else view.snapshot.joint
    return joints[0] if joints else None
