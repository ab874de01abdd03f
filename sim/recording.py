"""`Recording`: a labelled motion recording from an .npz archive, to be played as a puck would have sent it.

Layout of the archive (integers, so that the file stays small): `<p><trial>_gyr_raw` and `<p><trial>_acc_raw` [n, 3],
optional `<p><trial>_movement` [n] of 0/1, and a JSON text `info` or `meta` with `fs_hz`, `gyr_lsb_deg_s`, `acc_lsb_g`.
`<p>` is one lower-case letter or nothing.
"""

import json
import re
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray


class RecordingError(ValueError):
    """The file or the trial cannot be played; the message says why and which trials there are."""


@dataclass(frozen=True, slots=True)
class Recording:
    """One trial: rates in deg/s [n, 3], specific force in g [n, 3], and the label of each sample where there is one."""

    trial: str
    rate_hz: float
    gyro_dps: NDArray[np.float64]
    acc_g: NDArray[np.float64]
    movement: NDArray[np.bool_] | None

    @classmethod
    def load(cls, path: str | Path, trial: str) -> Self:
        """Read `trial` ("05") of the archive at `path`. Raises RecordingError; pickled content is never read."""
        try:
            with np.load(path, allow_pickle=False) as archive:
                arrays = {name: archive[name] for name in archive.files if name in _wanted(archive.files, path, trial)}
        except FileNotFoundError:
            raise RecordingError(f"there is no recording {path}") from None
        except RecordingError:
            raise
        except (OSError, ValueError, TypeError, AttributeError, zipfile.BadZipFile) as why:
            raise RecordingError(f"{path} is not a motion recording (.npz with {trial}_gyr_raw): {why}") from None
        return cls._from_arrays(arrays, path, trial)

    @classmethod
    def _from_arrays(cls, arrays: dict[str, NDArray[Any]], path: str | Path, trial: str) -> Self:
        by_end = {name.rsplit("_", 2)[-2] if name.endswith("_raw") else name: value for name, value in arrays.items()}
        try:
            info = json.loads(str(arrays["info"] if "info" in arrays else arrays["meta"]))
            rate_hz = float(info["fs_hz"])
            gyro = by_end["gyr"].astype(np.float64) * float(info["gyr_lsb_deg_s"])
            acc = by_end["acc"].astype(np.float64) * float(info["acc_lsb_g"])
        except (KeyError, TypeError, ValueError) as why:
            raise RecordingError(f"{path}: trial {trial} lacks rates, forces or their scales ({why!r})") from None
        label = next((value for name, value in arrays.items() if name.endswith("_movement")), None)
        movement = None if label is None else label.astype(np.bool_)
        rows = len(gyro)
        whole = gyro.shape == acc.shape == (rows, 3) and rows > 0 and (movement is None or movement.shape == (rows,))
        if not (whole and np.isfinite(gyro).all() and np.isfinite(acc).all() and 1.0 <= rate_hz <= 10_000.0):
            raise RecordingError(f"{path}: trial {trial} has arrays of different length, or a rate of {rate_hz} Hz")
        return cls(trial, rate_hz, gyro, acc, movement)


def _wanted(names: list[str], path: str | Path, trial: str) -> set[str]:
    """The arrays of this trial among all names of the archive."""
    found = {match[1] for name in names if (match := re.fullmatch(rf"([a-z]?{re.escape(trial)})_gyr_raw", name))}
    if len(found) != 1:
        trials = ", ".join(sorted(name[1:-8] for name in names if name.endswith("_gyr_raw")))
        raise RecordingError(f"{path} has no trial {trial!r}; it has {trials or 'none'}")
    key = found.pop()
    return {f"{key}_gyr_raw", f"{key}_acc_raw", f"{key}_movement", "info", "meta"}
