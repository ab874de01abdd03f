"""The attempt threshold, from the patient's own rest and the patient's own attempts. numpy, never per sample."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from controller.motion.settings import AttemptSettings

NOT_SEPARABLE: Final = "attempts not separable from rest"
NOT_STILL: Final = "limb not still"
TOO_FEW: Final = "too few attempts"


@dataclass(frozen=True, slots=True)
class Calibrated:
    """An attempt threshold and what it was made from, all in deg/s."""

    threshold_dps: float
    rest_p99_dps: float
    peaks_dps: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class CalibrationRefused:
    """No attempt threshold: why, and what the therapist can do about it, each for the screen."""

    reason: str
    advice: str


def rest_level(speeds_dps: Sequence[float]) -> float:
    """99th percentile of the angular speed at rest, deg/s. Raises ValueError for no speeds or a NaN among them."""
    speeds = np.asarray(speeds_dps, dtype=np.float64)
    if not speeds.size or not np.isfinite(speeds).all():
        raise ValueError("the rest level needs speeds, and every one of them a number")
    return float(np.percentile(speeds, 99))


def rise_dps(settings: AttemptSettings, rest_p99_dps: float) -> float:
    """Speed in deg/s above which movement stands out from this rest."""
    return max(settings.floor_dps, settings.rest_multiple * rest_p99_dps)


def calibrate_rest(settings: AttemptSettings, rest_p99_dps: float) -> Calibrated | CalibrationRefused:
    """Attempt threshold from rest alone: max(floor, rest_multiple x rest p99)."""
    return _still_enough(settings, rest_p99_dps) or _within(
        settings, rise_dps(settings, rest_p99_dps), rest_p99_dps, ()
    )


def calibrate_attempts(
    settings: AttemptSettings, rest_p99_dps: float, peaks_dps: Sequence[float]
) -> Calibrated | CalibrationRefused:
    """Attempt threshold from rest and the peaks of the patient's attempts, all in deg/s.

    clip(max(floor, rest_multiple x rest p99, fraction x median peak), floor, ceiling). Refused where the multiple of
    rest is above the fraction of the attempts: an attempt would then have to be harder than the patient's usual one.
    """
    unrest = _still_enough(settings, rest_p99_dps)
    if unrest:
        return unrest
    if not peaks_dps:
        return CalibrationRefused(TOO_FEW, "No movement was seen. Check the puck's strap and side, then try again.")
    median = float(np.median(np.asarray(peaks_dps, dtype=np.float64)))
    from_rest, from_attempts = settings.rest_multiple * rest_p99_dps, settings.fraction_of_attempt * median
    if not from_rest <= from_attempts:
        return CalibrationRefused(
            NOT_SEPARABLE,
            f"Rest is at {rest_p99_dps:.1f} deg/s and the attempts reach only {median:.1f}: support the limb so that"
            " it lies still, strap the puck firmly to the part that moves, and try again.",
        )
    threshold = max(rise_dps(settings, rest_p99_dps), from_attempts)
    return _within(settings, threshold, rest_p99_dps, tuple(peaks_dps))


def _still_enough(settings: AttemptSettings, rest_p99_dps: float) -> CalibrationRefused | None:
    """A limb that does not get below the quiet speed would never re-arm the detector: say it now."""
    if 0.0 <= rest_p99_dps < settings.quiet_below_dps:
        return None
    return CalibrationRefused(
        NOT_STILL,
        f"At rest the limb moved at {rest_p99_dps:.1f} deg/s; below {settings.quiet_below_dps:.1f} is needed."
        " Support the limb, wait until it is calm, and record rest again.",
    )


def _within(settings: AttemptSettings, threshold: float, rest_p99: float, peaks: tuple[float, ...]) -> Calibrated:
    return Calibrated(float(min(max(threshold, settings.floor_dps), settings.ceiling_dps)), rest_p99, peaks)
