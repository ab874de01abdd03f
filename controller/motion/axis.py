"""`AxisStudy`: about which axis of the puck the patient's own attempts turn, and which way. numpy, never per sample.

Nothing on a puck says how it was strapped on. The patient is asked for one movement, several times; what these turns
have in common is the axis, and the way they go is the way that is asked for. What they say must fit the way a puck is
worn (its y axis along the axis of the joint), or the angle of the limb would be the angle of something else.
"""

from math import sqrt
from typing import Final, NamedTuple

import numpy as np

from controller.motion.calibration import CalibrationRefused
from controller.vocabulary.sample import Vector

MOUNT: Final = 1
"""The puck's axis that lies along the joint's: y."""
STROKES_MIN: Final = 3
TURN_DEG_MIN: Final = 2.0
"""An attempt that turns the puck by less says nothing of its axis."""
SHARE_MIN: Final = 0.75
"""Of the squared turns: so much must be about the one axis."""
AGREE_MIN: Final = 0.75
"""Of the attempts: so many must go the same way."""
MOUNT_COS_MIN: Final = 0.82  # 35 deg
GRAVITY_G: Final = (0.9, 1.1)
_NAMES: Final = "xyz"

MOVED_APART: Final = "attempts in different directions"
WRONG_MOUNT: Final = "puck strapped on turned"
NO_GRAVITY: Final = "no gravity at rest"


class Axis(NamedTuple):
    """A unit vector in puck axes: a right-hand turn about it goes the way that is asked for."""

    x: float
    y: float
    z: float
    share: float
    """Which part of the squared turns of the attempts was about it, 0..1."""

    @property
    def mount_sign(self) -> int:
        """+1 where the asked way is the positive turn about the puck's y axis, else -1."""
        return 1 if self[MOUNT] >= 0.0 else -1


class AxisStudy:
    """Fed during calibration: gravity at rest, and the way out of each attempt (the way back goes the other way)."""

    def __init__(self) -> None:
        self.axis: Axis | None = None
        self._last_ns = 0
        self._moving = False
        self._turned = [0.0, 0.0, 0.0]
        self._returns = False
        self._strokes: list[Vector] = []
        self._gravity = [0.0, 0.0, 0.0]
        self._gravities = 0

    def start_rest(self) -> None:
        """Rest is recorded (anew): nothing from before counts."""
        self.__init__()  # type: ignore[misc]

    def start_attempts(self) -> None:
        """The attempts are asked for (anew)."""
        self.axis = None
        self._strokes = []
        self._moving = False

    def rest(self, acc_g: Vector | None) -> None:
        """A sample of the limb at rest."""
        if acc_g is not None:
            self._gravities += 1
            for i in range(3):
                self._gravity[i] += acc_g[i]

    def attempt(self, t_ns: int, rates_dps: Vector, moving: bool) -> None:
        """A sample while attempts are asked for: filtered rates in deg/s, and whether the limb is in an attempt."""
        dt_s, self._last_ns = (t_ns - self._last_ns) * 1e-9, t_ns
        if not moving:
            if self._moving:
                self._moving = False
                self._strokes.append((self._turned[0], self._turned[1], self._turned[2]))
            return
        if not self._moving:
            self._moving, self._returns, self._turned = True, False, [0.0, 0.0, 0.0]
        turned = self._turned
        if self._returns or not 0.0 <= dt_s <= 0.1 or not _length(rates_dps) < 1e5:
            return
        if sum(a * b for a, b in zip(turned, rates_dps, strict=True)) < 0.0:
            self._returns = True
            return
        for i in range(3):
            turned[i] += rates_dps[i] * dt_s

    def conclude(self) -> CalibrationRefused | None:
        """The attempts are over: None and `axis` is set, or why there is none."""
        if self._moving:
            self.attempt(self._last_ns, (0.0, 0.0, 0.0), moving=False)
        if self._gravities:
            down_g = _length([part / self._gravities for part in self._gravity])
            if not GRAVITY_G[0] <= down_g <= GRAVITY_G[1]:
                return CalibrationRefused(
                    NO_GRAVITY,
                    f"At rest the puck measured {down_g:.2f} g where gravity is 1: the limb was moved, or the puck is"
                    " faulty. Record rest again, with the limb on its support.",
                )
        strokes = [stroke for stroke in self._strokes if _length(stroke) >= TURN_DEG_MIN]
        if len(strokes) < STROKES_MIN:
            return CalibrationRefused(
                MOVED_APART,
                f"Only {len(strokes)} attempts turned the puck by {TURN_DEG_MIN:g} deg: too few to tell which way the"
                " limb goes. Strap the puck to the part that moves, and try again.",
            )
        return self._find(np.asarray(strokes, dtype=np.float64))

    def _find(self, strokes: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> CalibrationRefused | None:
        values, vectors = np.linalg.eigh(strokes.T @ strokes)
        share = float(values[-1] / values.sum())
        axis = vectors[:, -1]
        along = strokes @ axis
        if float(along.sum()) < 0.0:
            axis, along = -axis, -along
        if not (share >= SHARE_MIN and float((along > 0.0).mean()) >= AGREE_MIN):
            return CalibrationRefused(
                MOVED_APART,
                "The attempts did not all go the same way. Show the movement once more, ask for that one alone, and"
                " record the attempts again.",
            )
        if not abs(float(axis[MOUNT])) >= MOUNT_COS_MIN:
            about = _NAMES[int(np.argmax(np.abs(axis)))]
            return CalibrationRefused(
                WRONG_MOUNT,
                f"The movement turns the puck about its {about} axis, not about its y axis: it is strapped on turned."
                " Turn it so that its y axis lies along the axis of the joint, and record rest and attempts again.",
            )
        self.axis = Axis(float(axis[0]), float(axis[1]), float(axis[2]), share)
        return None


def _length(vector: Vector | list[float]) -> float:
    return sqrt(vector[0] ** 2 + vector[1] ** 2 + vector[2] ** 2)
