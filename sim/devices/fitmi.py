"""Twin of a FitMi dongle and its two pucks: turns motion into 62-byte reports and obeys the host's commands.

Assumed, because no source says so: a puck that has not been told GAMEON reports `connected` without `imu ok` and with
zeros; a radio reset silences the dongle for 600 ms; the scales of `TwinScales`. The driver relies on none of these.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from controller.wire.fitmi import (
    BLUE,
    COMMAND_BYTES,
    CONNECTED,
    EFFECTS,
    IMU_OK,
    QUATERNION_ONE,
    STREAM_RECEIVER,
    TOUCHED,
    YELLOW,
    Block,
    Counts,
    PuckCommand,
    Report,
    decode_command,
    effect_ms,
    encode_report,
)
from sim.attitude import LEVEL, Quaternion, turned
from sim.imu import Vector

Log = Callable[[dict[str, Any]], None]

NAMES = ("blue", "yellow")
RESET_US = 600_000
BATTERY_PERCENT, BATTERY_LOW_PERCENT = 90, 5
FAULTS = ("stuck-sensor", "lost-puck", "low-battery", "reset")
_MAGNETOMETER = (2000, -500, 4200)
_ENDS = ("off", "ok")


class TwinScales(NamedTuple):
    """What one count is: deg/s, g, newton; and the load cell's counts with nothing on it."""

    gyro_dps: float = 1.0
    acc_g: float = 0.001
    load_n: float = 0.196
    load_zero: int = 500


class _Puck:
    """What one puck measures, and how it is."""

    def __init__(self, scales: TwinScales) -> None:
        self.streaming = False
        self.frozen = False
        self.connected = True
        self.touched = False
        self.touch_buzz = True
        self.battery = BATTERY_PERCENT
        self.t_us: int | None = None
        self.turn = LEVEL
        self.gyro: Counts = (0, 0, 0)
        self.acc: Counts = (0, 0, _int16(1.0 / scales.acc_g))
        self.load = scales.load_zero
        self.last = self.asleep(scales)

    def asleep(self, scales: TwinScales) -> Block:
        """The block of a puck that waits for GAMEON."""
        nothing = (0, 0, 0)
        return Block(nothing, nothing, nothing, (0, 0, 0, 0), scales.load_zero, self.battery, CONNECTED)


class FitMiTwin:
    """Device role of the codec for one dongle, pucks 0 (blue) and 1 (yellow), streaming only after GAMEON.

    `worn` is the puck on the limb that the world moves. The other one lies still, or with `other_moves` rides on the
    unaffected hand, which is never quite at rest. `needs_reset` makes the radio find no puck until DNGLRST.
    `commands` keeps the last 64 commands of the host as (puck, command, msb, lsb). The seed drives the magnetometer's
    noise, so that a limb at rest does not look like a frozen radio, and the other hand.
    """

    def __init__(
        self,
        identity: str = "SIM-FITMI-01",
        seed: int = 1,
        log: Log | None = None,
        *,
        worn: int = BLUE,
        other_moves: bool = False,
        needs_reset: bool = False,
        scales: TwinScales | None = None,
    ) -> None:
        if not identity.startswith("SIM"):
            raise ValueError(f"the identity of a simulated device begins with SIM, not {identity!r}")
        self.identity = identity
        self.commands: list[tuple[int, int, int, int]] = []
        self.scales = scales or TwinScales()
        self._log = log
        self._worn = worn
        self._other_moves = other_moves
        self._deaf = needs_reset
        self._pucks = (_Puck(self.scales), _Puck(self.scales))
        self._rest = b""
        self._noise = seed & 0x7FFFFFFF
        self._phase = (seed % 97) / 97.0
        self._reports = 0
        self._resetting = False
        self._mute_until_us = -1

    # -- the host ------------------------------------------------------------------------------------------------------

    def feed(self, now_ns: int, data: bytes) -> bytes:
        """Take the host's commands (4 bytes each; a byte that cannot begin one is skipped). Never answers."""
        if data and len(data) % COMMAND_BYTES == 0 and data[0] == 0:
            self._rest = b""  # whole reports again: over USB each write is one, so what is left over was damaged
        self._rest += data
        while len(self._rest) >= COMMAND_BYTES:
            if self._rest[0] != 0:
                self._rest = self._rest[1:]
                continue
            self._obey(now_ns, decode_command(self._rest[:COMMAND_BYTES]))
            self._rest = self._rest[COMMAND_BYTES:]
        return b""

    def _obey(self, now_ns: int, command: tuple[int, int, int, int]) -> None:
        self.commands = [*self.commands[-63:], command]
        number, kind, msb, lsb = command
        if kind == PuckCommand.DNGLRST:
            self._resetting, self._deaf = True, False
            self._write_down(now_ns, "dongle", "DNGLRST")
        elif number < len(self._pucks):
            self._obey_puck(now_ns, number, kind, msb, lsb)

    def _obey_puck(self, now_ns: int, number: int, kind: int, msb: int, lsb: int) -> None:
        puck = self._pucks[number]
        if not self._reachable(puck):
            return
        if kind == PuckCommand.GAMEON:
            puck.streaming = lsb == 1
        elif kind == PuckCommand.TOUCHBUZ:
            puck.touch_buzz = lsb == 1
        if kind in set(PuckCommand):
            name = PuckCommand(kind)
            shown = {"ms": effect_ms(msb), "percent": lsb} if name in EFFECTS else {"value": lsb}
            self._write_down(now_ns, NAMES[number], name.name, **shown)

    def touch_buzz(self, puck: int) -> bool:
        """Whether a hand on the puck makes it buzz."""
        return self._pucks[puck].touch_buzz

    # -- what happens to it --------------------------------------------------------------------------------------------

    def freeze(self, puck: int, frozen: bool = True) -> None:
        """The sensor stands still: the puck's last block is repeated."""
        self._pucks[puck].frozen = frozen

    def connect(self, puck: int, connected: bool) -> None:
        """The puck comes into or goes out of reach; coming back, it waits for GAMEON again."""
        self._pucks[puck].connected = connected
        self._pucks[puck].streaming &= connected

    def touch(self, puck: int, touched: bool) -> None:
        """A hand on the puck."""
        self._pucks[puck].touched = touched

    def hand(self, touched: bool, load_n: float = 0.0) -> None:
        """A hand on the worn puck, with this load in newton, or none."""
        self.touch(self._worn, touched)
        counts = self.scales.load_zero + round((load_n if touched else 0.0) / self.scales.load_n)
        self._pucks[self._worn].load = min(max(counts, 0), 1023)

    def suffer(self, fault: str, value: str, now_ns: int) -> bool:
        """stuck-sensor, lost-puck, low-battery, reset; value blue or yellow (else both), `ok` or `off` ends it."""
        words = value.split()
        ended = bool(words) and words[-1] in _ENDS
        names = words[:-1] if ended else words
        if fault not in FAULTS or any(name not in NAMES for name in names):
            return False
        for number in [NAMES.index(name) for name in names] or (BLUE, YELLOW):
            puck = self._pucks[number]
            if fault == "stuck-sensor":
                self.freeze(number, not ended)
            elif fault == "lost-puck":
                self.connect(number, ended)
            elif fault == "low-battery":
                puck.battery = BATTERY_PERCENT if ended else BATTERY_LOW_PERCENT
            elif not ended:
                puck.streaming, puck.touch_buzz = False, True
        if self._log is not None:
            self._log({"kind": "fault", "t_ns": now_ns, "fault": fault, "value": value})
        return True

    # -- what it measures ----------------------------------------------------------------------------------------------

    def frame(
        self,
        t_us: int,
        gyro_dps: Sequence[float],
        acc_g: Sequence[float],
        quaternion: Sequence[float] | None = None,
        load: float | None = None,
        puck: int | None = None,
    ) -> bytes:
        """The report after `puck` (the worn one) has measured this at `t_us`: deg/s, g, w x y z, newton.

        Without a quaternion the twin keeps its own orientation by integrating the rate since the last measurement.
        b"" while the dongle resets its radio.
        """
        moved = self._worn if puck is None else puck
        self.move(moved, t_us, gyro_dps, acc_g, quaternion, load)
        if self._other_moves:
            self._move_the_other(1 - moved, t_us)
        if self._resetting:
            self._resetting, self._mute_until_us = False, t_us + RESET_US
        return b"" if t_us < self._mute_until_us else self.report()

    def move(
        self,
        puck: int,
        t_us: int,
        gyro_dps: Sequence[float],
        acc_g: Sequence[float],
        quaternion: Sequence[float] | None = None,
        load: float | None = None,
    ) -> None:
        """What a puck measures from now on; `report` then gives the bytes."""
        it, scales = self._pucks[puck], self.scales
        gx, gy, gz = gyro_dps
        ax, ay, az = acc_g
        if quaternion is not None:
            w, x, y, z = quaternion
            it.turn = (w, x, y, z)
        elif it.t_us is not None and t_us > it.t_us:
            it.turn = turned(it.turn, (gx, gy, gz), (t_us - it.t_us) / 1e6)
        it.t_us = t_us
        it.gyro = (_int16(gx / scales.gyro_dps), _int16(gy / scales.gyro_dps), _int16(gz / scales.gyro_dps))
        it.acc = (_int16(ax / scales.acc_g), _int16(ay / scales.acc_g), _int16(az / scales.acc_g))
        if load is not None:
            it.load = min(max(scales.load_zero + round(load / scales.load_n), 0), 1023)

    def _move_the_other(self, puck: int, t_us: int) -> None:
        """The unaffected hand: slow everyday movement about the wrist, up to some 60 deg/s."""
        at = t_us / 1e6 + 10.0 * self._phase
        rate = 35.0 * math.sin(2.1 * at) + 25.0 * math.sin(0.9 * at + 1.0)
        self.move(puck, t_us, (0.0, rate, 0.1 * rate), _gravity(self._pucks[puck].turn))

    def report(self) -> bytes:
        """The 62 bytes of now."""
        self._reports += 1
        blue, yellow = (self._block(puck) for puck in self._pucks)
        return encode_report(Report((blue, yellow), STREAM_RECEIVER))

    def _reachable(self, puck: _Puck) -> bool:
        return puck.connected and not self._deaf

    def _block(self, puck: _Puck) -> Block:
        if not self._reachable(puck):
            return puck.last._replace(status=0)
        if not puck.streaming:
            puck.last = puck.asleep(self.scales)
        elif not puck.frozen or not puck.last.status & IMU_OK:
            mx, my, mz = (centre + self._tremble() for centre in _MAGNETOMETER)
            third = (mx + 7 * (self._reports & 1), my, mz)  # never twice the same in a row
            w, x, y, z = (round(part * QUATERNION_ONE) for part in puck.turn)
            status = CONNECTED | IMU_OK | TOUCHED * puck.touched
            puck.last = Block(puck.gyro, puck.acc, third, (w, x, y, z), puck.load, puck.battery, status)
        return puck.last

    def _tremble(self) -> int:
        self._noise = (1103515245 * self._noise + 12345) & 0x7FFFFFFF
        return (self._noise >> 16) % 7 - 3

    def _write_down(self, now_ns: int, puck: str, command: str, **more: int) -> None:
        if self._log is not None:
            self._log({"kind": "command", "t_ns": now_ns, "puck": puck, "command": command, **more})


def yellow_twin(identity: str = "SIM-FITMI-01", seed: int = 1, log: Log | None = None) -> FitMiTwin:
    """A dongle whose yellow puck is on the limb, and whose blue one rides on the unaffected hand."""
    return FitMiTwin(identity, seed, log, worn=YELLOW, other_moves=True)


def _int16(value: float) -> int:
    return min(max(round(value), -32768), 32767)


def _gravity(turn: Quaternion) -> Vector:
    """What an accelerometer at rest says in this orientation, g."""
    w, x, y, z = turn
    return (2.0 * (x * z - w * y), 2.0 * (y * z + w * x), 1.0 - 2.0 * (x * x + y * y))
