"""`View`: one immutable picture of all that the screens paint, taken from the front at one instant."""

from dataclasses import dataclass

from controller.tui.port import Front
from controller.vocabulary.facts import ArmNumber, ArmScope, ChannelOutput, GatewayState, GatewayStatus, Refusal
from controller.vocabulary.snapshot import ChannelView, SessionState, Snapshot

STALE_AFTER_MS = 200
SILENT_AFTER_MS = 300
_ARMED = frozenset({GatewayState.ARMED, GatewayState.DELIVERING, GatewayState.RESTING})
_IN_SESSION = frozenset(SessionState) - {SessionState.IDLE, SessionState.REVIEW}


@dataclass(frozen=True, slots=True)
class View:
    """The front at `now_ns`. Ages in ms, -1 for "nothing has come yet"."""

    now_ns: int
    snapshot: Snapshot | None
    snapshot_age_ms: int
    status: GatewayStatus | None
    status_age_ms: int
    arm_number: ArmNumber | None
    arm_denied: str
    refusals: tuple[Refusal, ...]
    engine_lost: str
    gateway_lost: str

    @classmethod
    def of(cls, front: Front, now_ns: int) -> "View":
        """The view of `front` at `now_ns`; a number that has expired is not shown any more."""
        number = front.arm_number
        return cls(
            now_ns=now_ns,
            snapshot=front.snapshot,
            snapshot_age_ms=front.snapshot_age_ms(now_ns),
            status=front.status,
            status_age_ms=front.status_age_ms(now_ns),
            arm_number=number if number is not None and now_ns <= number.expires_ns else None,
            arm_denied=front.arm_denied,
            refusals=front.refusals,
            engine_lost=front.engine_lost,
            gateway_lost=front.gateway_lost,
        )

    @property
    def state(self) -> SessionState | None:
        """The session's state, None until the engine has spoken."""
        return None if self.snapshot is None else self.snapshot.state

    @property
    def armed(self) -> bool:
        """The gateway would put orders to the guard: armed, delivering or resting."""
        return self.status is not None and self.status.state in _ARMED

    @property
    def latched(self) -> bool:
        """The gateway has stopped and waits for a person."""
        return self.status is not None and self.status.state is GatewayState.LATCHED

    @property
    def in_session(self) -> bool:
        """A session is under way: leaving has to stop it first."""
        return self.state in _IN_SESSION

    @property
    def gateway_silent(self) -> bool:
        """Nobody can say what the unit is doing; a new gateway ends that only when it has spoken."""
        return bool(self.gateway_lost) or self.status_age_ms > SILENT_AFTER_MS

    @property
    def engine_stale(self) -> bool:
        """The session's figures are too old to be believed."""
        return bool(self.engine_lost) or self.snapshot_age_ms > STALE_AFTER_MS

    def armed_for(self, scope: ArmScope) -> bool:
        """Armed, and for this."""
        return self.armed and self.status is not None and self.status.scope is scope

    def output(self, channel: int) -> ChannelOutput:
        """What was commanded on and confirmed by the unit for `channel` (zeros when nothing is known)."""
        outputs = () if self.status is None else self.status.outputs
        return next((output for output in outputs if output.channel == channel), ChannelOutput(channel, 0, 0))

    @property
    def channels(self) -> tuple[ChannelView, ...]:
        """The protocol's channels."""
        return () if self.snapshot is None else self.snapshot.channels
