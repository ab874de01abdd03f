"""Twin of an x-IMU3: turns a motion stream into the bytes of the device, and answers a ping."""

import json

from controller.wire.ximu3 import BadFrame, Command, Framer, Inertial, Orientation, Quaternion, Vector, encode
from sim.devices.puck_faults import Log, Measured, PuckFaults


class Ximu3Twin(PuckFaults):
    """Device role of the codec. `text` makes it send ASCII lines instead of binary messages.

    `ignored` counts commands of the host that it has no answer for.
    """

    has = ("clock-drift",)

    def __init__(
        self, identity: str = "SIM-XIMU3-01", seed: int = 1, log: Log | None = None, *, text: bool = False
    ) -> None:
        super().__init__(identity, log)
        self.ignored = 0
        self._text = text
        self._framer = Framer()

    def feed(self, now_ns: int, data: bytes) -> bytes:
        """The answers to the host's commands in `data`."""
        answers = b""
        for message in self._framer.feed(data):
            if isinstance(message, Command) and _key(message.line) == "ping":
                answers += self._pong()
            elif isinstance(message, Command | BadFrame):
                self.ignored += 1
        return answers

    def frame(
        self,
        t_us: int,
        gyro_dps: Vector,
        acc_g: Vector,
        quaternion: Quaternion | None = None,
        load: float | None = None,
    ) -> bytes:
        """One measurement at device time `t_us`: deg/s, g, and where given the orientation (sent first).

        `load` is accepted for the sake of one call for all pucks; this device has no load cell.
        """
        if self.ails:
            self.restarts()
            t_us = self.clock_us(t_us)
            gyro_dps, acc_g, quaternion, _ = self.sensed(Measured(gyro_dps, acc_g, quaternion))
        inertial = encode(Inertial(t_us, gyro_dps, acc_g), text=self._text)
        if quaternion is None:
            return inertial
        return encode(Orientation(t_us, quaternion), text=self._text) + inertial

    def _pong(self) -> bytes:
        answer = {"ping": {"interface": "USB", "deviceName": "x-IMU3 twin", "serialNumber": self.identity}}
        return json.dumps(answer, separators=(",", ":")).encode() + b"\r\n"


def _key(line: bytes) -> str:
    try:
        command = json.loads(line)
    except (ValueError, RecursionError):
        return ""
    return next(iter(command)) if isinstance(command, dict) and len(command) == 1 else ""


def ascii_twin(identity: str = "SIM-XIMU3-01", seed: int = 1, log: Log | None = None) -> Ximu3Twin:
    """An x-IMU3 that has been set to ASCII messages."""
    return Ximu3Twin(identity, seed, log, text=True)
