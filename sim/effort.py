"""The person's own effort: attempts that rise, are held, and are let go late.

An attempt is a minimum-jerk rise of torque, a hold, and a minimum-jerk fall. A cue is answered after a lognormal
reaction time, and not always: some cues are missed, some answered too weakly to count. Letting go is slow in
hemiparesis, so a request to relax takes effect after a lognormal delay. All numbers are engineering presets.
"""

import math
import random
from collections.abc import Callable
from typing import NamedTuple

from sim.wrist import NO_PUSH, Push

MS = 1_000_000
SECOND = 1_000_000_000
NEVER = 1 << 62


class EffortPreset(NamedTuple):
    """How a person attempts. Torque in N m, times in seconds, `spread` = geometric standard deviation."""

    torque_nm: tuple[float, float] = (0.12, 0.35)
    rise_s: tuple[float, float] = (1.2, 1.5)
    hold_s: tuple[float, float] = (1.0, 2.0)
    fall_s: tuple[float, float] = (0.8, 1.2)
    reaction_s: float = 0.8  # between the 0.5 s and the 1.9 s reported for the two hands after stroke
    reaction_spread: float = 1.4
    reaction_min_s: float = 0.2
    release_s: float = 0.5
    release_spread: float = 1.4
    missed: float = 0.06  # part of the cues that are not answered at all; never two running
    weak: float = 0.10  # part of the cues answered with `weak_nm` only
    weak_nm: tuple[float, float] = (0.02, 0.05)
    pause_s: tuple[float, float] = (6.0, 12.0)  # self-paced: from rest to the next attempt


MODERATE = EffortPreset()


def minimum_jerk(s: float) -> float:
    """Course of a smooth movement, 0 at s = 0 to 1 at s = 1; peak rate 1.875 at the middle."""
    return s * s * s * (10.0 + s * (6.0 * s - 15.0))


class Attempt(NamedTuple):
    """One attempt, exactly: when it starts (ns) and how it goes."""

    start_ns: int
    torque_nm: float
    rise_ns: int
    hold_ns: int
    fall_ns: int


class Effort:
    """What the person does now and next. `push(now)` is the torque from now until `changes_ns()`."""

    def __init__(self, rng: random.Random, preset: EffortPreset = MODERATE) -> None:
        self._rng = rng
        self._preset = preset
        self._attempt: Attempt | None = None
        self._release_ns = NEVER
        self._release_nm = 0.0
        self._edges_ns: tuple[int, ...] = ()
        self._missed_last = False
        self.witness: Callable[[Attempt], None] | None = None
        """Told of every attempt that is going to be made, for those who look on."""

    def busy(self) -> bool:
        """An attempt is under way or about to start."""
        return self._attempt is not None

    def reseed(self, seed: int) -> None:
        """From now on this person's chances follow from `seed`."""
        self._rng = random.Random(seed)

    def oblige(self) -> None:
        """From now on every cue is answered, and no attempt is too weak to count."""
        self._preset = self._preset._replace(missed=0.0, weak=0.0)

    def begin(self, attempt: Attempt) -> None:
        """Make exactly this attempt (scenarios and tests)."""
        self._attempt = attempt
        if self.witness is not None:
            self.witness(attempt)
        self._let_go(attempt, attempt.start_ns + attempt.rise_ns + attempt.hold_ns, attempt.torque_nm)

    def _let_go(self, attempt: Attempt, release_ns: int, release_nm: float) -> None:
        """The fall begins at `release_ns` from `release_nm`."""
        self._release_ns, self._release_nm = release_ns, release_nm
        top_ns = min(attempt.start_ns + attempt.rise_ns, release_ns)
        self._edges_ns = (attempt.start_ns, top_ns, release_ns, release_ns + attempt.fall_ns)

    def cue(self, now_ns: int) -> str:
        """The person sees "now!": after a reaction time an attempt begins. Ignored while one is under way.

        Gives what becomes of the cue: "attempt", "weak", "missed" or "busy". Who missed a cue heeds the next one, as a
        therapist would see to it; misses of single cues are drawn.
        """
        if self._attempt is not None:
            return "busy"
        preset, rng = self._preset, self._rng
        answered = rng.random()
        reaction = preset.reaction_s * math.exp(rng.gauss(0.0, math.log(preset.reaction_spread)))
        self._missed_last = answered < preset.missed and not self._missed_last
        if self._missed_last:
            return "missed"
        weak = preset.missed <= answered < preset.missed + preset.weak
        self._draw(now_ns + round(max(reaction, preset.reaction_min_s) * SECOND), weak)
        return "weak" if weak else "attempt"

    def start(self, now_ns: int) -> None:
        """An attempt of the person's own accord, at once."""
        if self._attempt is None:
            self._draw(now_ns, self._rng.random() < self._preset.weak)

    def pause_ns(self) -> int:
        """How long this person rests before the next attempt of their own accord."""
        return round(self._rng.uniform(*self._preset.pause_s) * SECOND)

    def _draw(self, start_ns: int, weak: bool) -> None:
        preset, rng = self._preset, self._rng
        torque = rng.uniform(*(preset.weak_nm if weak else preset.torque_nm))
        rise, hold, fall = (
            round(rng.uniform(*span) * SECOND) for span in (preset.rise_s, preset.hold_s, preset.fall_s)
        )
        self.begin(Attempt(start_ns, torque, rise, hold, fall))

    def relax(self, now_ns: int) -> None:
        """Asked to let go: the fall begins after a delay (an attempt that has not begun yet is given up)."""
        attempt, preset = self._attempt, self._preset
        if attempt is None:
            return
        if now_ns < attempt.start_ns:
            self._attempt = None
            return
        delay = preset.release_s * math.exp(self._rng.gauss(0.0, math.log(preset.release_spread)))
        release_ns = now_ns + round(delay * SECOND)
        if release_ns < self._release_ns:
            reached = min((release_ns - attempt.start_ns) / attempt.rise_ns, 1.0)
            self._let_go(attempt, release_ns, attempt.torque_nm * minimum_jerk(reached))

    def changes_ns(self, now_ns: int) -> int:
        """When `push` must be asked for again; `NEVER` for a person at rest."""
        if self._attempt is not None:
            for edge_ns in self._edges_ns:
                if now_ns < edge_ns:
                    return edge_ns
        return NEVER

    def push(self, now_ns: int, step_ns: int = MS) -> Push:
        """The person's own torque from `now_ns` on, in steps of `step_ns`."""
        attempt = self._attempt
        if attempt is None or now_ns < attempt.start_ns:
            return NO_PUSH
        since_ns = now_ns - self._release_ns
        if since_ns >= attempt.fall_ns:
            self._attempt = None
            return NO_PUSH
        if since_ns >= 0:
            return Push(self._release_nm, -self._release_nm, since_ns / attempt.fall_ns, step_ns / attempt.fall_ns)
        since_ns = now_ns - attempt.start_ns
        if since_ns >= attempt.rise_ns:
            return Push(attempt.torque_nm)
        return Push(0.0, attempt.torque_nm, since_ns / attempt.rise_ns, step_ns / attempt.rise_ns)
