"""Where the fuzzer starts besides its kept corpus: good frames, because no mutation finds a CRC by chance."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sim.catalogue import TWINS, make

DATA = Path(__file__).resolve().parent.parent / "data"
_GOLDEN = {
    "sciencemode": ("sciencemode4_p24.json", "sciencemode3_rehamove3.json"),
    "sciencemode2": ("sciencemode2_rehastim2.json",),
    "dynamixel": ("orthosis.json",),
}
_STREAMS = {
    "ximu3": ("ximu3", "ximu3-ascii"),
    "witmotion": ("witmotion",),
    "bno085": ("bno085",),
    "textline": ("textline",),
    "fitmi": ("fitmi",),
}


def seeds(codec: str) -> list[bytes]:
    """Golden frames of a codec, or what its twin says while it is moved."""
    found = [data for name in _GOLDEN.get(codec, ()) for data in _frames(json.loads((DATA / name).read_text()))]
    for name in _STREAMS.get(codec, ()):
        if name in TWINS:
            found += _stream(name)
    return found


def _frames(node: Any) -> Iterator[bytes]:
    """Every string of the golden files that is bytes in hex."""
    if isinstance(node, dict):
        for value in node.values():
            yield from _frames(value)
    elif isinstance(node, list):
        for value in node:
            yield from _frames(value)
    elif isinstance(node, str):
        text = node.replace(" ", "")
        if len(text) >= 12 and len(text) % 2 == 0 and set(text) <= set("0123456789abcdefABCDEF"):
            yield bytes.fromhex(text)


def _stream(name: str) -> list[bytes]:
    twin = make(name, seed=1, log=None)
    frames = []
    for number in range(6):
        rate = (0.5 * number, -3.0 * number, 100.0 - number)
        frames.append(twin.frame(10_000 * number, rate, (0.0, 0.1 * number, 1.0)))
    return [*frames, b"".join(frames), b"".join(frames)[3:-5]]
