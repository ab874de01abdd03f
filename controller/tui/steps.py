"""What became of the therapist's steps: the current reached, and whether a press counted, from the snapshots alone."""

from dataclasses import dataclass, field

from controller.tui.view import View
from controller.vocabulary.facts import GatewayState
from controller.vocabulary.snapshot import ChannelView

TOLD_AFTER_NS = 350_000_000


@dataclass(frozen=True, slots=True)
class Climb:
    """A step up that has not been seen whole: where it goes, how far it has come (uA), and until when it may take."""

    channel: int
    target_ua: int
    now_ua: int
    until_ns: int


@dataclass(slots=True)
class StepWatch:
    """Call `look` with every view. `reached_ua` keeps, for each channel, the last step that stood (uA)."""

    reached_ua: dict[int, int] = field(default_factory=dict)
    _before: dict[int, int] = field(default_factory=dict)
    _number: int = -1
    _climb: Climb | None = None

    def look(self, view: View) -> str:
        """Take the view in; a sentence when the last press has come to nothing, else ""."""
        if view.snapshot is None:
            return ""
        if not view.armed:  # armed again, fitting starts from 0
            self.reached_ua.clear()
            self._climb = None
            return ""
        for channel in view.channels:
            self._take(channel, new=view.snapshot.number != self._number)
        self._number = view.snapshot.number
        return self._outcome(view)

    def _take(self, channel: ChannelView, new: bool) -> None:
        now_ua, number = channel.now_ua, channel.channel
        stands = new and now_ua == self._before.get(number)  # on its way up to the last step it does not stand
        if now_ua > 0 and (stands or now_ua > self.reached_ua.get(number, 0)):
            self.reached_ua[number] = now_ua
        if new:
            self._before[number] = now_ua

    def _outcome(self, view: View) -> str:
        climb = self._climb
        if climb is None:
            return ""
        now_ua = next((channel.now_ua for channel in view.channels if channel.channel == climb.channel), 0)
        if now_ua >= climb.target_ua:
            self._climb = None
        elif now_ua > climb.now_ua:  # on its way: the slew may take a while
            self._climb = Climb(climb.channel, climb.target_ua, now_ua, view.now_ns + TOLD_AFTER_NS)
        elif view.now_ns > climb.until_ns:
            self._climb = None
            return "That press did not count: it came too soon after the last step. Press again."
        return ""

    def pressed(self, channel: ChannelView, step_ua: int, now_ns: int) -> None:
        """A step was asked for: after one up the current has to rise by it, one down ends a rise."""
        start_ua = max(channel.now_ua, self.reached_ua.get(channel.channel, 0))
        climb = Climb(channel.channel, start_ua + step_ua, channel.now_ua, now_ns + TOLD_AFTER_NS)
        self._climb = climb if step_ua > 0 else None

    def in_the_way(self, view: View, channel: ChannelView, step_ua: int) -> str:
        """Why a press would count for nothing now ("" when it would count)."""
        resting_s = resting(view)
        if resting_s > 0:
            return f"That press did not count: the muscle rests for another {resting_s:.1f} s."
        reached_ua = self.reached_ua.get(channel.channel, 0)
        if step_ua < 0:
            return "There is no current to lower." if max(channel.now_ua, reached_ua) <= 0 else ""
        if max(channel.now_ua, reached_ua) + step_ua > channel.limit_ua:
            return f"No higher: the limit is {channel.limit_ua / 1000:.1f} mA ({channel.limit_source})."
        if self._climb is not None and self._climb.channel == channel.channel:
            return f"That press did not count: the current is still rising to {self._climb.target_ua / 1000:.1f} mA."
        return ""


def resting(view: View) -> float:
    """How long a rest still lasts, in s (0.0 when it is over); after a restart it may be due before the first train."""
    status = view.status
    if status is None or status.state not in (GatewayState.ARMED, GatewayState.RESTING):
        return 0.0
    return max(0.0, (status.rest_until_ns - view.now_ns) / 1e9)
