"""Fatigue of a stimulated muscle: the three slow states of the Ding 2003 model, with the force at its tetanic level.

    F   = A x (tau1 + tau2 x),  x = C / (Km + C)       force of a fused train, per activation 0..1
    A'  = -(A - A0)/T + aA F,   tau1' = -(tau1 - tau10)/T + at F,   Km' = -(Km - Km0)/T + aK F

The fast states (calcium and force within a twitch) are taken at their mean, which is what a train of 20 Hz or more
settles at. Constants are those of the published quadriceps model; only the shape is used: the share of the fresh force.
"""

import math

AMPLITUDE, TAU1, TAU2, KM, CALCIUM_S = 3009.0, 0.050957, 0.060, 0.103, 0.020
ALPHA_AMPLITUDE, ALPHA_TAU1, ALPHA_KM, RECOVERY_S = -0.4, 2.1e-5, 1.9e-5, 127.0
SUMMATION = 0.143  # R0 - 1


class Fatigue:
    """`step(seconds, activation)` with the part 0..1 of the muscle that works; `share` is the force left."""

    def __init__(self, frequency_hz: float = 35.0) -> None:
        kick = 1.0 + SUMMATION * math.exp(-1.0 / (frequency_hz * CALCIUM_S))
        self._calcium = kick * CALCIUM_S * frequency_hz
        self._amplitude, self._tau1, self._km = AMPLITUDE, TAU1, KM
        self._fresh = self._force()

    def _force(self) -> float:
        x = self._calcium / (self._km + self._calcium)
        return self._amplitude * x * (self._tau1 + TAU2 * x)

    @property
    def share(self) -> float:
        """Of the fresh force."""
        return self._force() / self._fresh

    def step(self, seconds: float, activation: float) -> None:
        """Live through `seconds` (up to some tenths) at this activation."""
        force = self._force() * activation
        self._amplitude += seconds * ((AMPLITUDE - self._amplitude) / RECOVERY_S + ALPHA_AMPLITUDE * force)
        self._tau1 += seconds * ((TAU1 - self._tau1) / RECOVERY_S + ALPHA_TAU1 * force)
        self._km += seconds * ((KM - self._km) / RECOVERY_S + ALPHA_KM * force)
