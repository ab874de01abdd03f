"""A muscle group under surface stimulation: how much of it a pulse recruits, and how its torque follows.

    u   = r(Q) * phi(f)                           recruitment by charge, gain by frequency
    x1' = (u(t - d) - x1) / T
    x2' = (x1 - x2) / T                           T = rise time constant while u(t - d) >= x2, else the fall one

`x2` (0..1) times the largest stimulated torque is the torque. The numbers are engineering presets for the wrist
extensors (Hammerstein form as in the FES literature); they are not validated physiology.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

Pulses = tuple[int, int, int, int]
"""(channel, amplitude_ua, width_us, period_us): an unbroken train of equal pulses at the skin."""

STEP_S = 0.001


class MusclePreset(NamedTuple):
    """What describes one muscle group. Charges are per phase."""

    q50_uc: float = 4.0
    slope_uc: float = 0.55
    f50_hz: float = 12.5
    f_order: float = 2.2
    delay_ms: int = 25
    rise_s: float = 0.060
    fall_s: float = 0.090
    torque_max_nm: float = 1.6


WRIST_EXTENSORS = MusclePreset()


class Lag(NamedTuple):
    """One exact 1 ms step of the two lags for a constant input: x1 -> u + d1 e, x2 -> u + (d2 + d1 k) e."""

    e: float
    k: float


def lag(time_constant_s: float) -> Lag:
    """The step of `time_constant_s` (exact for an input that is constant over the step)."""
    ratio = STEP_S / time_constant_s
    return Lag(math.exp(-ratio), ratio)


def recruitment(charge_uc: float, preset: MusclePreset = WRIST_EXTENSORS) -> float:
    """The part (0..1) of the muscle that a phase of `charge_uc` recruits; 0 for no charge."""
    if charge_uc <= 0.0:
        return 0.0
    at_zero = 1.0 / (1.0 + math.exp(preset.q50_uc / preset.slope_uc))
    value = 1.0 / (1.0 + math.exp((preset.q50_uc - charge_uc) / preset.slope_uc))
    return (value - at_zero) / (1.0 - at_zero)


def frequency_gain(frequency_hz: float, preset: MusclePreset = WRIST_EXTENSORS) -> float:
    """The part (0..1) of the fused torque that a train of `frequency_hz` gives; 0.5 at `f50_hz`."""
    if frequency_hz <= 0.0:
        return 0.0
    power = frequency_hz**preset.f_order
    return float(power / (power + preset.f50_hz**preset.f_order))


def neural_drive(pulses: Sequence[Pulses], channels: frozenset[int], preset: MusclePreset = WRIST_EXTENSORS) -> float:
    """Input `u` (0..1) of the lags for the trains at the skin; trains on other channels do not reach this muscle."""
    drive = 0.0
    for channel, amplitude_ua, width_us, period_us in pulses:
        if channel in channels and amplitude_ua > 0 and period_us > 0:
            charge_uc = amplitude_ua * width_us * 1e-6
            drive += recruitment(charge_uc, preset) * frequency_gain(1e6 / period_us, preset)
    return min(drive, 1.0)
