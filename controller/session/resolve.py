"""A protocol together with what fitting found today, frozen into exact integers. Rounding happens here and only once,
always to the gentler side: amplitude down to the unit's grid, period up (done where the frequency is read)."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from controller.session import graph
from controller.session.joint_checks import MOTION_LATENESS_NS
from controller.session.loader import Loaded
from controller.session.model import Channel, Follow, Phase, Protocol, Way
from controller.session.prescription import MS, burst_ns
from safety.limits import CAPS

AMPLITUDE_STEP_UA = 500
GRAMMAR = 1


@dataclass(frozen=True, slots=True)
class ResolvedChannel:
    """One channel as the session uses it. `amplitude_ua` is 100 % of today; 0 until fitting has found a ceiling.

    `protocol_ua` is the most the protocol asks, `ceiling_ua` today's ceiling (0 = not found), `bound_by` which binds.
    `on_ms_max` is the longest that this channel's bursts last, ramp down and lateness included (0: never used).
    """

    name: str
    channel: int
    muscle: str
    placement: str
    region: str
    pad_area_mm2: int
    amplitude_ua: int
    protocol_ua: int
    ceiling_ua: int
    bound_by: str
    pulse_width_us: int
    interphase_us: int
    period_us: int
    ramp_up_ns: int
    ramp_down_ns: int
    on_ms_max: int


@dataclass(frozen=True, slots=True)
class ResolvedJoint:
    """The powered orthosis as the protocol wants it at most: mNm, cdeg/s, cdeg, ms; signs as in `ConstrainJoint`."""

    region: str
    torque_mnm: int
    speed_cdps: int
    angle_min_cdeg: int
    angle_max_cdeg: int
    on_ms_max: int
    channel_signs: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class ResolvedMove:
    """What a phase asks of the orthosis: `position` at `angle_cdeg`, to be held there or moved to at `speed_cdps`."""

    position: str
    angle_cdeg: int
    torque_mnm: int
    speed_cdps: int
    hold: bool


@dataclass(frozen=True, slots=True)
class ResolvedFollow:
    """Amplitude follows the angle, in mdeg and per mille of the channel's amplitude."""

    from_mdeg: int
    to_mdeg: int
    least_permille: int
    most_permille: int

    def permille(self, angle_deg: float) -> int:
        """Per mille of the amplitude at this angle, rounded down; NaN and what lies outside go to the nearer end."""
        span = self.to_mdeg - self.from_mdeg
        moved = angle_deg * 1000 - self.from_mdeg
        if not moved > 0:
            return self.least_permille
        if moved >= span:
            return self.most_permille
        return int(self.least_permille + (self.most_permille - self.least_permille) * moved / span)


@dataclass(frozen=True, slots=True)
class ResolvedWay:
    """One way out: the condition as text and as groups of (kind, sign, amount), and the phase it leads to."""

    text: str
    any_of: tuple[tuple[tuple[str, str, int], ...], ...]
    to: str


@dataclass(frozen=True, slots=True)
class ResolvedPhase:
    """One phase in exact integers; `limit_ns` is the longest it can last, 0 when only the patient ends it."""

    name: str
    prompt: str
    at_least_ns: int
    quiet_ns: int
    stimulate: tuple[tuple[str, int | ResolvedFollow], ...]
    ways: tuple[ResolvedWay, ...]
    wants_attempt: bool
    is_cue: bool
    limit_ns: int
    counts: str
    orthosis: ResolvedMove | None = None


@dataclass(frozen=True, slots=True)
class ResolvedProtocol:
    """Everything a session needs of a protocol, frozen. `sha256` is that of the source file's bytes (hex)."""

    grammar: int
    sha256: str
    name: str
    task: str
    activity: str
    repetitions: int
    self_paced: bool
    window_ns: int
    rest_ns: int
    attempts: int
    timeout_ns: int
    channels: tuple[ResolvedChannel, ...]
    phases: tuple[ResolvedPhase, ...]
    joint: ResolvedJoint | None = None
    position: str = ""

    def channel(self, name: str) -> ResolvedChannel:
        """The channel of this name. Raises KeyError."""
        for each in self.channels:
            if each.name == name:
                return each
        raise KeyError(name)

    def as_json(self) -> dict[str, Any]:
        """Plain dicts, lists, text and integers, for the record."""
        return asdict(self)


def resolve(loaded: Loaded, ceilings_ua: Mapping[str, int], step_ua: int = AMPLITUDE_STEP_UA) -> ResolvedProtocol:
    """Freeze a protocol with today's ceilings, by channel name in uA (missing or 0: not found, no current).

    `step_ua` is the unit's amplitude grid. Raises KeyError for a ceiling of a channel that the protocol lacks, and
    ValueError for a negative one.
    """
    protocol = loaded.protocol
    for name, ceiling_ua in ceilings_ua.items():
        if name not in protocol.channels:
            raise KeyError(name)
        if not ceiling_ua >= 0:
            raise ValueError(f"the ceiling of {name} is {ceiling_ua} uA")
    activity = protocol.activity[protocol.session.activity]
    self_paced = protocol.attempt.self_paced if protocol.attempt else True
    return ResolvedProtocol(
        grammar=GRAMMAR,
        sha256=loaded.sha256,
        name=protocol.name,
        task=activity.task or protocol.task,
        activity=protocol.session.activity,
        repetitions=protocol.session.repetitions,
        self_paced=self_paced,
        window_ns=protocol.attempt.window_ns if protocol.attempt and not self_paced else 0,
        rest_ns=protocol.calibration.rest_ns,
        attempts=protocol.calibration.attempts,
        timeout_ns=protocol.calibration.timeout_ns,
        channels=tuple(
            _channel(loaded, name, channel, ceilings_ua.get(name, 0), step_ua)
            for name, channel in protocol.channels.items()
        ),
        phases=tuple(_phase(protocol, name, phase, self_paced) for name, phase in activity.phases.items()),
        joint=_joint(protocol, protocol.session.activity),
        position=protocol.position.value,
    )


def _joint(protocol: Protocol, activity: str) -> ResolvedJoint | None:
    worn = protocol.orthosis
    if worn is None:
        return None
    sign = {Way.EXTENDS: 1, Way.FLEXES: -1}
    on_ns = graph.moving_ns(protocol.activity[activity])
    return ResolvedJoint(
        region=worn.joint.value,
        torque_mnm=worn.torque_mnm,
        speed_cdps=worn.speed_cdps,
        # From straight (0) to the positions: on its way to one of them the joint is where the protocol wants it.
        angle_min_cdeg=min(0, *worn.positions.values()),
        angle_max_cdeg=max(0, *worn.positions.values()),
        on_ms_max=-(-(on_ns + MOTION_LATENESS_NS) // MS) if on_ns else 0,
        channel_signs=tuple((protocol.channels[name].channel, sign[way]) for name, way in worn.moved_by.items()),
    )


def _move(protocol: Protocol, phase: Phase) -> ResolvedMove | None:
    worn, wanted = protocol.orthosis, phase.orthosis
    if worn is None or wanted is None:
        return None
    position = wanted.move_to or wanted.hold or ""
    return ResolvedMove(
        position=position,
        angle_cdeg=worn.positions[position],
        torque_mnm=wanted.torque_mnm or worn.torque_mnm,
        speed_cdps=wanted.speed_cdps or worn.speed_cdps,
        hold=wanted.hold is not None,
    )


def _channel(loaded: Loaded, name: str, channel: Channel, ceiling_ua: int, step_ua: int) -> ResolvedChannel:
    cap_ua = CAPS[channel.region].amplitude_ua
    bounds = [
        (ceiling_ua, "today's ceiling" if ceiling_ua else "no ceiling found yet"),
        (channel.amplitude_ua, "protocol"),
        (cap_ua, f"cap of {channel.region.value}"),
    ]
    least_ua, bound_by = min(bounds, key=lambda bound: bound[0])
    activity = loaded.protocol.session.activity
    on_ns = graph.on_time_ns(loaded.protocol.activity[activity], name)
    return ResolvedChannel(
        name=name,
        channel=channel.channel,
        muscle=channel.muscle,
        placement=channel.placement,
        region=channel.region.value,
        pad_area_mm2=channel.pad_area_mm2,
        amplitude_ua=least_ua // step_ua * step_ua,
        protocol_ua=channel.amplitude_ua,
        ceiling_ua=ceiling_ua,
        bound_by=bound_by,
        pulse_width_us=channel.pulse_width_us,
        interphase_us=channel.interphase_us,
        period_us=channel.period_us,
        ramp_up_ns=channel.ramp_up_ns,
        ramp_down_ns=channel.ramp_down_ns,
        on_ms_max=-(-burst_ns(loaded.protocol, activity, name) // MS) if on_ns else 0,
    )


def _phase(protocol: Protocol, name: str, phase: Phase, self_paced: bool) -> ResolvedPhase:
    wants_attempt = graph.wants_attempt(phase)
    return ResolvedPhase(
        name=name,
        prompt=phase.prompt,
        at_least_ns=phase.at_least_ns,
        quiet_ns=phase.until.quiet_ns if phase.until else 0,
        stimulate=tuple((channel, _share(share)) for channel, share in phase.stimulate.items()),
        ways=tuple(
            ResolvedWay(way.text, tuple(tuple((t.kind.value, t.sign, t.amount) for t in g) for g in way.any_of), to)
            for way, to in phase.ways()
        ),
        wants_attempt=wants_attempt,
        is_cue=phase.cue if phase.cue is not None else wants_attempt and not self_paced,
        limit_ns=graph.limit_ns(phase) or 0,
        counts=phase.counts.value if phase.counts else "",
        orthosis=_move(protocol, phase),
    )


def _share(share: int | Follow) -> int | ResolvedFollow:
    if not isinstance(share, Follow):
        return share
    return ResolvedFollow(share.from_mdeg, share.to_mdeg, share.least_permille, share.most_permille)
