"""Twin of a FitMi dongle and its two pucks: turns motion into 62-byte reports and obeys GAMEON.

Assumed, because no source says so: a puck that has not been told GAMEON reports `connected` without `imu ok` and
with zeros; 1 count is 1 deg/s, 1 mg, and 0.196 N from a zero of 500. The driver relies on none of the three.
"""

import math
from collections.abc import Sequence

from controller.wire.fitmi import (
    COMMAND_BYTES,
    CONNECTED,
    IMU_OK,
    QUATERNION_ONE,
    STREAM_RECEIVER,
    TOUCHED,
    Block,
    Counts,
    PuckCommand,
    Report,
    decode_command,
    encode_report,
)

NEWTON_PER_COUNT = 0.196
LOAD_ZERO = 500
_MAGNETOMETER = (2000, -500, 4200)
_ASLEEP = Block((0, 0, 0), (0, 0, 0), (0, 0, 0), (0, 0, 0, 0), LOAD_ZERO, 90, CONNECTED)


class _Puck:
    def __init__(self) -> None:
        self.streaming = False
        self.frozen = False
        self.connected = True
        self.touched = False
        self.touch_buzz = True
        self.t_us: int | None = None
        self.turn = (1.0, 0.0, 0.0, 0.0)
        self.gyro: Counts = (0, 0, 0)
        self.acc: Counts = (0, 0, 1000)
        self.load = LOAD_ZERO
        self.last = _ASLEEP


class FitMiTwin:
    """Device role of the codec for one dongle, pucks 0 (blue) and 1 (yellow), streaming only after GAMEON.

    `commands` keeps the last 64 commands of the host as (puck, command, msb, lsb). The seed drives the magnetometer's
    noise, so that a limb at rest does not look like a frozen radio.
    """

    def __init__(self, identity: str = "SIM-FITMI-01", seed: int = 1) -> None:
        if not identity.startswith("SIM"):
            raise ValueError(f"the identity of a simulated device begins with SIM, not {identity!r}")
        self.identity = identity
        self.commands: list[tuple[int, int, int, int]] = []
        self._pucks = (_Puck(), _Puck())
        self._rest = b""
        self._noise = seed & 0x7FFFFFFF
        self._reports = 0

    def feed(self, now_ns: int, data: bytes) -> bytes:
        """Take the host's commands (4 bytes each; a byte that cannot begin one is skipped). Never answers."""
        self._rest += data
        while len(self._rest) >= COMMAND_BYTES:
            if self._rest[0] != 0:
                self._rest = self._rest[1:]
                continue
            self._obey(decode_command(self._rest[:COMMAND_BYTES]))
            self._rest = self._rest[COMMAND_BYTES:]
        return b""

    def _obey(self, command: tuple[int, int, int, int]) -> None:
        self.commands = [*self.commands[-63:], command]
        number, kind, _, lsb = command
        if number < len(self._pucks):
            if kind == PuckCommand.GAMEON:
                self._pucks[number].streaming = lsb == 1
            elif kind == PuckCommand.TOUCHBUZ:
                self._pucks[number].touch_buzz = lsb == 1

    def freeze(self, puck: int, frozen: bool = True) -> None:
        """The radio stands still: the puck's last block is repeated."""
        self._pucks[puck].frozen = frozen

    def connect(self, puck: int, connected: bool) -> None:
        """The puck comes into or goes out of reach; coming back, it waits for GAMEON again."""
        self._pucks[puck].connected = connected
        self._pucks[puck].streaming &= connected

    def touch(self, puck: int, touched: bool) -> None:
        """A hand on the puck."""
        self._pucks[puck].touched = touched

    def frame(
        self,
        t_us: int,
        gyro_dps: Sequence[float],
        acc_g: Sequence[float],
        quaternion: Sequence[float] | None = None,
        load: float | None = None,
        puck: int = 0,
    ) -> bytes:
        """The report after `puck` has measured this at `t_us`: deg/s, g, w x y z, newton. The other puck rests.

        Without a quaternion the twin keeps its own orientation by integrating the rate since the last measurement.
        """
        self.move(puck, t_us, gyro_dps, acc_g, quaternion, load)
        return self.report()

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
        it = self._pucks[puck]
        if quaternion is not None:
            w, x, y, z = quaternion
            it.turn = (w, x, y, z)
        elif it.t_us is not None and t_us > it.t_us:
            it.turn = _turned(it.turn, gyro_dps, (t_us - it.t_us) / 1e6)
        it.t_us = t_us
        gx, gy, gz = gyro_dps
        ax, ay, az = acc_g
        it.gyro = (_int16(gx), _int16(gy), _int16(gz))
        it.acc = (_int16(ax * 1000), _int16(ay * 1000), _int16(az * 1000))
        if load is not None:
            it.load = min(max(LOAD_ZERO + round(load / NEWTON_PER_COUNT), 0), 1023)

    def report(self) -> bytes:
        """The 62 bytes of now."""
        self._reports += 1
        blue, yellow = (self._block(puck) for puck in self._pucks)
        return encode_report(Report((blue, yellow), STREAM_RECEIVER))

    def _block(self, puck: _Puck) -> Block:
        if not puck.connected:
            return puck.last._replace(status=0)
        if not puck.streaming:
            puck.last = _ASLEEP
        elif not puck.frozen:
            mx, my, mz = (centre + self._tremble() for centre in _MAGNETOMETER)
            third = (mx + 7 * (self._reports & 1), my, mz)  # never twice the same in a row
            w, x, y, z = (round(part * QUATERNION_ONE) for part in puck.turn)
            status = CONNECTED | IMU_OK | TOUCHED * puck.touched
            puck.last = Block(puck.gyro, puck.acc, third, (w, x, y, z), puck.load, 90, status)
        return puck.last

    def _tremble(self) -> int:
        self._noise = (1103515245 * self._noise + 12345) & 0x7FFFFFFF
        return (self._noise >> 16) % 7 - 3


def _int16(value: float) -> int:
    return min(max(round(value), -32768), 32767)


def _turned(
    turn: tuple[float, float, float, float], gyro_dps: Sequence[float], seconds: float
) -> tuple[float, float, float, float]:
    rate = math.radians(math.hypot(*gyro_dps))
    if rate == 0.0:
        return turn
    half = rate * seconds / 2
    scale = math.sin(half) * math.radians(1.0) / rate
    w, (x, y, z) = math.cos(half), (part * scale for part in gyro_dps)
    a, b, c, d = turn
    turned = (
        a * w - b * x - c * y - d * z,
        a * x + b * w + c * z - d * y,
        a * y - b * z + c * w + d * x,
        a * z + b * y - c * x + d * w,
    )
    norm = math.hypot(*turned)
    e, f, g, h = (part / norm for part in turned)
    return (e, f, g, h)
