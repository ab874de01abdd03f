"""Motion as raw float rows: `motion_<puck>.f32` and a sidecar that names its columns and units.

Time is two columns, because a float32 of seconds is coarser than a sample after an hour: `t_whole` (whole seconds from
the session's start, exact) and `t_rest` (the rest of the second, better than 0.1 us). Their sum in float64 is the time.
"""

import json
import re
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy

NAN = float("nan")
TIME_COLUMNS = (("t_whole", "s"), ("t_rest", "s"))
SAMPLE_COLUMNS = (
    ("gyro_x", "deg/s"),
    ("gyro_y", "deg/s"),
    ("gyro_z", "deg/s"),
    ("acc_x", "g"),
    ("acc_y", "g"),
    ("acc_z", "g"),
    ("speed", "deg/s"),
    ("angle", "deg"),
)


class MotionRows:
    """Packs the rows of one puck."""

    def __init__(self, puck: str, columns: Sequence[tuple[str, str]]) -> None:
        self.puck = puck
        self.columns = (*TIME_COLUMNS, *columns)
        self.name = f"motion_{safe_name(puck)}.f32"
        self._layout = struct.Struct(f"<{len(self.columns)}f")

    def sidecar(self) -> tuple[str, bytes]:
        """(file name, JSON) of the description."""
        described = {
            "puck": self.puck,
            "file": self.name,
            "dtype": "<f4",
            "row_bytes": self._layout.size,
            "columns": [{"name": name, "unit": unit} for name, unit in self.columns],
            "time": "seconds from the session's start = t_whole + t_rest",
        }
        return self.name.removesuffix(".f32") + ".json", (json.dumps(described, indent=2) + "\n").encode()

    def pack(self, t_ns: int, row: Sequence[float | None]) -> bytes:
        """One row. None becomes NaN, what float32 cannot hold becomes NaN. Raises `ValueError` for a wrong length."""
        whole, rest = divmod(t_ns, 1_000_000_000)
        try:
            return self._layout.pack(whole, rest / 1e9, *row)
        except (struct.error, OverflowError):
            if len(row) + len(TIME_COLUMNS) != len(self.columns):
                raise ValueError(
                    f"a row of {len(row)} values for {self.puck}, {len(self.columns) - 2} expected"
                ) from None
            return self._layout.pack(whole, rest / 1e9, *(_float32(value) for value in row))


def read_motion(folder: Path, puck: str) -> "tuple[list[str], numpy.ndarray[Any, Any]]":
    """(column names, float64 array of shape (rows, columns)), `t` in s first. A torn last row is left out."""
    import numpy as np  # only readers pay for it

    sidecar = json.loads((folder / f"motion_{safe_name(puck)}.json").read_text())
    content = (folder / sidecar["file"]).read_bytes()
    rows = len(content) // sidecar["row_bytes"]
    raw = np.frombuffer(content[: rows * sidecar["row_bytes"]], dtype="<f4").reshape(rows, -1).astype(np.float64)
    names = ["t", *(column["name"] for column in sidecar["columns"][len(TIME_COLUMNS) :])]
    return names, np.column_stack([raw[:, 0] + raw[:, 1], raw[:, 2:]])


def safe_name(text: str) -> str:
    """`text` as a part of a file name."""
    return re.sub(r"[^A-Za-z0-9_-]+", "_", text).strip("_") or "unnamed"


def _float32(value: float | None) -> float:
    return value if value is not None and -3.4e38 <= value <= 3.4e38 else NAN
