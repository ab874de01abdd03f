"""Notices: what the engine tells the gateway besides orders. None of them can give permission."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Constrain:
    """The most that the running protocol ever asks of a channel. Integers: uA, us, us, ms. They can only narrow."""

    channel: int
    region: str
    pad_area_mm2: int
    amplitude_ua: int
    pulse_width_us: int
    period_us_min: int
    on_ms_max: int


@dataclass(frozen=True, slots=True)
class OpenRecord:
    """Keep the gateway's own log in this session folder from now on."""

    folder: str


@dataclass(frozen=True, slots=True)
class EngineBeat:
    """The engine's loop is alive. Sent each 100 ms; 500 ms without one while armed stops and latches."""

    t_ns: int


Notice = Constrain | OpenRecord | EngineBeat
