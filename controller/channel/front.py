"""The screen's ends of its two lines: facts and snapshots in, intents, requests and STOP out.

Everything runs on the screen's event loop except `stop`, which the terminal's input thread calls while that loop may be
blocked: a lock keeps the gateway line's outgoing bytes whole, and the STOP bytes are made ready beforehand.
"""

import threading
from collections import deque
from dataclasses import replace

from controller.channel.codec import MessageError, decode, encode
from controller.channel.line import Line, LineClosed
from controller.clock import MS
from controller.vocabulary.facts import ArmDenied, ArmNumber, GatewayStatus, Refusal
from controller.vocabulary.intents import Intent
from controller.vocabulary.requests import (
    Arm,
    ConfirmArm,
    Disarm,
    Heartbeat,
    Prescribe,
    PrescribeJoint,
    Request,
    StopNow,
)
from controller.vocabulary.snapshot import MotionPoint, Snapshot

STOP_SOURCES = ("F12", "space", "escape", "unbound key", "quit")
READS_MAX = 8
MOTION_POINTS_MAX = 4096
REFUSALS_MAX = 5


class FrontLine:
    """Implements the screen's `Front` port over one line to the engine and one to the gateway."""

    def __init__(self, engine: Line, gateway: Line) -> None:
        self.snapshot: Snapshot | None = None
        self.status: GatewayStatus | None = None
        self.arm_number: ArmNumber | None = None
        self.arm_denied = ""
        self.engine_lost = ""
        self.gateway_lost = ""
        """Why nothing is known of the gateway: its line has ended, and no new one has spoken since."""
        self.bad_messages = 0
        self._engine = engine
        self._gateway = gateway
        self._gateway_ended = False
        self._gateway_lock = threading.Lock()
        self._stops = {source: encode(StopNow(source)) for source in STOP_SOURCES}
        self._prescribed: dict[int, Prescribe] = {}
        self._joint: PrescribeJoint | None = None
        self._motion: deque[MotionPoint] = deque(maxlen=MOTION_POINTS_MAX)
        self._refusals: deque[Refusal] = deque(maxlen=REFUSALS_MAX)

    # -- in --------------------------------------------------------------------------------------------------------

    def poll(self, now_ns: int) -> None:
        """Read what has arrived on both lines (bounded, never waiting), and push what the kernel had no room for."""
        if not self.engine_lost:
            self.engine_lost = self._drain(self._engine)
            self._engine.flush()
        if not self._gateway_ended:
            ended = self._drain(self._gateway)
            if ended:
                self._gateway_ended, self.gateway_lost = True, ended
            with self._gateway_lock:
                self._gateway.flush()
        if self.arm_number is not None and now_ns > self.arm_number.expires_ns:
            self.arm_number = None

    def take_motion(self) -> list[MotionPoint]:
        """The points of the strip chart that came since the last call, oldest first."""
        points = list(self._motion)
        self._motion.clear()
        return points

    @property
    def refusals(self) -> tuple[Refusal, ...]:
        """The latest refusals of the guard, oldest first (at most five)."""
        return tuple(self._refusals)

    def status_age_ms(self, now_ns: int) -> int:
        """Age of the newest gateway status by the gateway's own stamp, ms (-1: none yet)."""
        return -1 if self.status is None else max(0, (now_ns - self.status.t_ns) // MS)

    def snapshot_age_ms(self, now_ns: int) -> int:
        """Age of the newest snapshot by the engine's own stamp, ms (-1: none yet)."""
        return -1 if self.snapshot is None else max(0, (now_ns - self.snapshot.t_ns) // MS)

    # -- out -------------------------------------------------------------------------------------------------------

    def intend(self, intent: Intent) -> None:
        """Tell the engine what a person wants of the session."""
        if not self.engine_lost:
            self._engine.send(*encode(intent))

    def request(self, request: Request) -> None:
        """Tell the gateway directly."""
        if isinstance(request, Arm):
            self.arm_number = None
            self.arm_denied = ""
        elif isinstance(request, ConfirmArm | Disarm):
            self.arm_number = None
        elif isinstance(request, Prescribe):
            self._remember(request)
        elif isinstance(request, PrescribeJoint):
            self._remember_joint(request)
        self._to_gateway(encode(request))

    def heartbeat(self, now_ns: int) -> None:
        """The screen's event loop is alive at `now_ns`."""
        self._to_gateway(encode(Heartbeat(now_ns)))

    def stop(self, source: str) -> None:
        """STOP, at once, from any thread. `source` is one of `STOP_SOURCES`; any other word is encoded on the spot."""
        self._to_gateway(self._stops.get(source) or encode(StopNow(source)))

    def _to_gateway(self, message: tuple[int, bytes]) -> None:
        # No look at `gateway_lost` first: a STOP is worth a vain attempt, and a closed socket only clears the backlog.
        with self._gateway_lock:
            self._gateway.send(*message)

    def replace_gateway(self, gateway: Line) -> None:
        """A new gateway is on a new line; what the old one said no longer counts.

        It is told once more what a person has found and fitted today, for without that nothing could be armed again.
        Everything else (STOP test, reason, two keys) is asked of the person anew.
        """
        with self._gateway_lock:
            self._gateway.close()
            self._gateway = gateway
        self.status = self.arm_number = None
        self._gateway_ended, self.gateway_lost = False, self.gateway_lost or "it was replaced"
        for prescription in (*self._prescribed.values(), self._joint):
            if prescription is not None:
                self._to_gateway(encode(prescription))

    def close(self) -> None:
        """Hang up on both: the gateway stops and the engine closes the record."""
        with self._gateway_lock:
            self._gateway.close()
        self._engine.close()

    # -- inside ----------------------------------------------------------------------------------------------------

    def _remember(self, given: Prescribe) -> None:
        """Today's prescriptions of one patient, the newest of each channel: another patient or day ends the others."""
        kept = self._prescribed.values()
        if self._joint is not None and (self._joint.patient, self._joint.date) != (given.patient, given.date):
            self._joint = None
        self._prescribed = {one.channel: one for one in kept if (one.patient, one.date) == (given.patient, given.date)}
        before = self._prescribed.get(given.channel)
        if before is not None and before.pad_area_mm2 == given.pad_area_mm2 and before.ceiling_ua > 0:
            # A ceiling only falls. The gateway refuses a raise, but a new one has forgotten from where.
            lowest_ua = min(before.ceiling_ua, given.ceiling_ua or before.ceiling_ua)
            given = replace(given, ceiling_ua=lowest_ua)
        self._prescribed[given.channel] = given

    def _remember_joint(self, given: PrescribeJoint) -> None:
        """As `_remember`: for one patient, day, joint and side the torque only falls."""
        before = self._joint
        if before is not None and before.torque_mnm > 0:
            same = (before.patient, before.date, before.region, before.side)
            if same == (given.patient, given.date, given.region, given.side):
                lowest_mnm = min(before.torque_mnm, given.torque_mnm or before.torque_mnm)
                given = replace(given, torque_mnm=lowest_mnm)
        self._joint = given

    def _drain(self, line: Line) -> str:
        try:
            for _ in range(READS_MAX):
                messages = line.receive()
                if not messages:
                    return ""
                for kind, payload in messages:
                    self._take(kind, payload)
        except LineClosed as error:
            return str(error)
        return ""

    def _take(self, kind: int, payload: bytes) -> None:
        try:
            message = decode(kind, payload)
        except MessageError:
            self.bad_messages += 1
            return
        self.heed(message)

    def heed(self, message: object) -> None:
        """Take in one message of either process, whatever it came by."""
        if isinstance(message, Snapshot):
            self.snapshot = message
            self._motion.extend(message.motion)
        elif isinstance(message, GatewayStatus):
            self.status, self.gateway_lost = message, ""
        elif isinstance(message, ArmNumber):
            self.arm_number, self.arm_denied = message, ""
        elif isinstance(message, ArmDenied):
            self.arm_number, self.arm_denied = None, message.reason
        elif isinstance(message, Refusal):
            self._refusals.append(message)
