"""The speed feature of a whole recording at once, with numpy. For calibration studies and scoring, never per sample."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from controller.motion.filters import butterworth_lowpass

_NEGLIGIBLE: Final = 1e-18


def angular_speed(gyro_dps: NDArray[np.float64], rate_hz: float, lowpass_hz: float = 6.0) -> NDArray[np.float64]:
    """Norm of the low-pass filtered axes: `gyro_dps` [n, 3] in deg/s at `rate_hz` -> [n] in deg/s.

    Equal to the per-sample feature on an unbroken stream, by another way: convolution with the impulse response, which
    is written out from the two poles of the filter. Starts settled on the first row. Raises ValueError for another
    shape, for values that are not numbers, and for a rate too low for the filter.
    """
    gyro = np.asarray(gyro_dps, dtype=np.float64)
    if gyro.ndim != 2 or gyro.shape[1] != 3 or not np.isfinite(gyro).all():
        raise ValueError(f"angular rate must be finite and of shape [n, 3], not {gyro.shape}")
    if not len(gyro):
        return np.zeros(0)
    response = _impulse_response(lowpass_hz, rate_hz)
    moved = gyro - gyro[0]
    filtered = np.stack([np.convolve(moved[:, axis], response)[: len(gyro)] for axis in range(3)], axis=1) + gyro[0]
    speed: NDArray[np.float64] = np.linalg.norm(filtered, axis=1)
    return speed


def _impulse_response(lowpass_hz: float, rate_hz: float) -> NDArray[np.float64]:
    """h[n] of the biquad by partial fractions: h[n] = d0 [n = 0] + 2 Re(r p^n) with the complex pole p."""
    b0, b1, b2, a1, a2 = butterworth_lowpass(lowpass_hz, rate_hz)
    pole = complex(-a1 / 2.0, np.sqrt(a2 - a1 * a1 / 4.0))
    direct = b2 / a2
    # (b0 + b1 z + b2 z^2) / (1 + a1 z + a2 z^2) = direct + (c0 + c1 z) / ((1 - p z)(1 - p* z)), with z for a delay
    c0, c1 = b0 - direct, b1 - direct * a1
    residue = (c0 + c1 / pole) / (1.0 - pole.conjugate() / pole)
    length = int(np.ceil(np.log(_NEGLIGIBLE) / np.log(abs(pole)))) + 1
    response: NDArray[np.float64] = 2.0 * np.real(residue * pole ** np.arange(length))
    response[0] += direct
    return response
