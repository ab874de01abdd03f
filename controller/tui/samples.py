"""Sample data for pictures and tests of the screens: fixed values, no clock, no engine."""

from dataclasses import replace
from math import exp, sin

from controller.tui.port import PatientEntry
from controller.vocabulary.capabilities import Capabilities
from controller.vocabulary.facts import (
    ArmNumber,
    ArmScope,
    ChannelOutput,
    GatewayState,
    GatewayStatus,
    JointReport,
    Refusal,
)
from controller.vocabulary.feature import AttemptState
from controller.vocabulary.intents import Intent, Orthosis
from controller.vocabulary.requests import Request
from controller.vocabulary.snapshot import (
    CalibrationView,
    ChannelView,
    JointView,
    MotionPoint,
    PuckView,
    QuestionView,
    SessionState,
    Snapshot,
    TallyView,
    WornView,
)
from controller.vocabulary.stages import Stage

NOW_NS = 1_000_000_000_000
PATIENT = PatientEntry("SIM01", "right", "built in, with a weak right wrist; for practice", True)
EXTENSORS = ChannelView(
    name="extensors",
    channel=1,
    muscle="wrist extensors (ECRL, ECRB)",
    placement="back of the forearm, 2 pads",
    region="forearm",
    pad_area_mm2=2500,
    pulse_width_us=250,
    period_us=29_000,
    now_ua=12_500,
    sensory_ua=6_000,
    motor_ua=10_500,
    tolerance_ua=18_000,
    limit_ua=18_000,
    limit_source="patient's ceiling",
)
NO_CALIBRATION = CalibrationView("idle", 0.0, 0.0, (), 0.0, "")
CALIBRATED = CalibrationView(
    "done", 1.0, 1.8, (22.0, 31.5, 27.0, 19.5, 25.0), 11.5, "The attempts stand clear of rest. This threshold is good."
)


P24 = Capabilities(
    "P24",
    channels=8,
    amplitude_step_ua=500,
    watchdog_ms=2_000,
    electrode_test_ua_min=15_000,
    break_circuit="Pull the electrode leads out of the unit, or switch it off at its own switch.",
)
"""A unit without an emergency stop, as its driver tells the gateway."""


def motion(until_ms: int = 60_000, every_ms: int = 10) -> tuple[MotionPoint, ...]:
    """Ten seconds of rest with an attempt, its help and a second, weaker attempt."""
    points = []
    for t_ms in range(until_ms - 10_000, until_ms, every_ms):
        ago_s = (until_ms - t_ms) / 1000
        rest = 1.2 + 0.8 * sin(t_ms / 90)
        speed = rest + 24 * exp(-(((ago_s - 6.2) / 0.35) ** 2)) + 70 * exp(-(((ago_s - 5.5) / 0.3) ** 2))
        speed += 20 * exp(-(((ago_s - 0.6) / 0.3) ** 2))
        points.append(MotionPoint(t_ms, max(0.0, speed), 2.0 + 30 * exp(-((ago_s - 4.5) ** 2))))
    return tuple(points)


_ASKED = (
    ("identity", "every_session", "Asked who they are: is this SIM01?"),
    ("side", "every_session", "Is the right side the one to be treated?"),
    ("active_implant", "block", "Pacemaker, defibrillator or any other active implant?"),
    ("pregnancy", "block", "Pregnant, or possibly pregnant?"),
    ("thrombosis", "block", "Thrombosis or inflamed veins where the pads go?"),
    ("cancer", "block", "Cancer, now or before, where the pads go?"),
    ("skin_damage", "block", "Open wound, rash, infection or swelling under a pad?"),
    ("fracture", "block", "A fracture in this limb that has not healed?"),
    ("metal", "block", "Metal put in under or near the pads in the last 3 months?"),
    ("placement", "block", "Would a pad sit on chest, neck, head, eyes or mouth?"),
    ("high_frequency", "block", "HF surgery or short-wave equipment within 1 m?"),
    ("epilepsy", "sign_off", "Epilepsy?"),
    ("dysreflexia", "sign_off", "Autonomic dysreflexia, ever, or blood pressure that jumps?"),
    ("botulinum", "sign_off", "Botulinum toxin in this limb in the last 12 weeks?"),
    ("skin_before", "every_session", "Skin under every pad looked at now, and sound?"),
)
_SOURCE = "RehaStim2 instructions 1.3, 3.4, 3.5 and Endomed 484 instructions p. 25, read together"


def questions() -> tuple[QuestionView, ...]:
    """A screening list as the engine hands it out; the pads have had twelve sessions."""
    dated = {"botulinum": "date"}
    asked = [
        QuestionView(row, kind, dated.get(row, "yes_no"), text, _SOURCE, kind == "every_session")
        for row, kind, text in _ASKED
    ]
    pads = QuestionView("pads_new", "every_session", "pads", "Are the pads new today?", _SOURCE, False, "12 sessions")
    return (*asked, pads)


def snapshot(state: SessionState = SessionState.RUNNING) -> Snapshot:
    """A session in `state`, with everything found and calibrated."""
    return Snapshot(
        t_ns=NOW_NS - 20_000_000,
        number=1500,
        state=state,
        patient="SIM01",
        affected_side="right",
        protocol="Wrist extension, triggered by the patient's own movement",
        activity="wrist_extension",
        task="lift the hand off the table",
        phase="cue",
        prompt="Lift your hand",
        cue_number=4,
        phase_elapsed_ms=1400,
        phase_limit_ms=6000,
        session_elapsed_ms=252_000,
        attempt_state=AttemptState.ARMED,
        speed_dps=14.2,
        threshold_dps=11.5,
        angle_deg=8.5,
        motion=motion(),
        channels=(EXTENSORS,),
        pucks=(PuckView("wrist", "x-IMU3 SIM0X31", 100.0, 12, 0, ""),),
        calibration=CALIBRATED,
        tally=TallyView(5, 4, 3, 1, 10, 340, 2, 3, "Good! Two in a row."),
        trip="",
        todo="",
        folder="data/sub-SIM01/ses-20261122T101500",
        journal_backlog_ms=3,
        latency_ms=14.6,
        position="seated",
        screening=questions() if state is SessionState.SCREENING else (),
        screening_version=1,
    )


def status(state: GatewayState = GatewayState.DISARMED, commanded_ua: int = 0) -> GatewayStatus:
    """The gateway in `state`, STOP tested, with `commanded_ua` on channel 1."""
    armed = state in (GatewayState.ARMED, GatewayState.DELIVERING, GatewayState.RESTING)
    return GatewayStatus(
        t_ns=NOW_NS - 40_000_000,
        state=state,
        scope=ArmScope.SESSION if armed else None,
        unit="SIM0P24001",
        simulated=True,
        stop_tested=True,
        blocked="",
        cause="",
        todo="",
        outputs=(ChannelOutput(1, commanded_ua, max(0, commanded_ua - 500)),),
        confirmed_age_ms=40,
        rest_until_ns=0,
        refused=0,
        wire_faults=0,
        capabilities=P24,
        stage=Stage.SIMULATED,
        identified=(1,),
        position="seated",
        position_of="SIM01",
    )


def real(status: GatewayStatus, stage: Stage = Stage.RESISTOR_BOX) -> GatewayStatus:
    """The same with a unit that calls itself a real one, at a stage."""
    why = "" if stage is not Stage.NONE else "P24-0815 is a real device and there is no authorisation file (a.toml)."
    return replace(status, unit="P24-0815", simulated=False, stage=stage, permission=why, operator="m.weiss")


def fitting(marked: bool = False) -> Snapshot:
    """Fitting, before (`marked` False: sensory only) or after all levels were found."""
    channel = EXTENSORS if marked else replace(EXTENSORS, motor_ua=0, tolerance_ua=0, now_ua=8_000, limit_ua=40_000)
    channel = channel if marked else replace(channel, limit_source="cap for the forearm")
    flexors = replace(channel, name="flexors", channel=2, muscle="wrist flexors", now_ua=0, sensory_ua=0)
    return replace(snapshot(SessionState.FITTING), channels=(channel,) if marked else (channel, flexors))


JOINT = JointView("wrist", 1_200, 4_000, -6_000, 3_000)
REHASTIM2 = Capabilities(
    "RehaStim2",
    channels=8,
    amplitude_step_ua=2_000,
    emergency_stop_input=True,
    electrode_test_ua_min=None,
    break_circuit="Press the emergency-stop switch.",
)
"""A unit with an input for an emergency-stop switch, and one that reports no loose electrode."""
SPLINT = WornView(Orthosis.SPLINT, "right", 3_000, NOW_NS - 12 * 60 * 1_000_000_000)
SLING = WornView(Orthosis.SLING, "left", None, NOW_NS - 3 * 60 * 1_000_000_000)


def joint(torque_mnm: int = 0, measured: bool = True) -> JointReport:
    """A powered wrist: with torque it extends, on the way; `measured` says that today's range is known."""
    found = JointReport(
        t_ns=NOW_NS - 30_000_000,
        identity="SIM XM430-W210 id 1",
        ready=True,
        moving=torque_mnm != 0,
        angle_cdeg=-1_240,
        speed_cdps=3_100 if torque_mnm else 0,
        torque_mnm=torque_mnm,
        torque_on=torque_mnm != 0,
    )
    if not measured:
        return found
    return replace(
        found,
        torque_limit_mnm=800,
        torque_step_mnm=5,
        speed_limit_cdps=4_000,
        angle_min_cdeg=-4_700,
        angle_max_cdeg=3_000,
        bound_by="patient ceiling",
    )


def with_joint(shown: Snapshot, status: GatewayStatus, report: JointReport) -> tuple[Snapshot, GatewayStatus]:
    """The same session with a powered orthosis at the wrist."""
    asked = replace(JOINT, asked_mnm=600, aim_cdeg=3_000) if report.moving else JOINT
    return replace(shown, joint=(asked,)), replace(status, joint=(report,))


def latched() -> GatewayStatus:
    """After STOP."""
    return replace(
        status(GatewayState.LATCHED),
        cause="STOP was pressed (F12).",
        todo="Look after the patient, then acknowledge and arm.",
    )


class SampleFront:
    """A front that holds still: it shows what it was given and keeps what was said, oldest first."""

    def __init__(self, snapshot: Snapshot | None = None, status: GatewayStatus | None = None) -> None:
        self.snapshot = snapshot
        self.status = status
        self.arm_number: ArmNumber | None = None
        self.arm_denied = ""
        self.refusals: tuple[Refusal, ...] = ()
        self.engine_lost = ""
        self.gateway_lost = ""
        self.said: list[Intent | Request] = []
        self.stops: list[str] = []
        self.beats = 0
        self._motion_given: tuple[MotionPoint, ...] = ()

    def poll(self, now_ns: int) -> None:
        """Nothing ever comes."""

    def take_motion(self) -> list[MotionPoint]:
        """The snapshot's points, once."""
        points = () if self.snapshot is None else self.snapshot.motion
        fresh = () if points is self._motion_given else points
        self._motion_given = points
        return list(fresh)

    def status_age_ms(self, now_ns: int) -> int:
        """By the stamp."""
        return -1 if self.status is None else (now_ns - self.status.t_ns) // 1_000_000

    def snapshot_age_ms(self, now_ns: int) -> int:
        """By the stamp."""
        return -1 if self.snapshot is None else (now_ns - self.snapshot.t_ns) // 1_000_000

    def intend(self, intent: Intent) -> None:
        """Keep it."""
        self.said.append(intent)

    def request(self, request: Request) -> None:
        """Keep it."""
        self.said.append(request)

    def stop(self, source: str) -> None:
        """Keep it."""
        self.stops.append(source)

    def heartbeat(self, now_ns: int) -> None:
        """Count it."""
        self.beats += 1
