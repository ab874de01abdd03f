"""The session as one value for the screen."""

from typing import TYPE_CHECKING

from controller.clock import MS
from controller.engine.movement import Movement
from controller.session.resolve import ResolvedJoint
from controller.vocabulary.snapshot import ChannelView, JointView, SessionState, Snapshot, TallyView

if TYPE_CHECKING:
    from controller.engine.core import EngineCore


def snapshot_of(core: "EngineCore", now_ns: int) -> Snapshot:
    """Everything the screen paints, at `now_ns`."""
    core.snapshots += 1
    training, feed, detector = core.training, core.feed, core.feed.detector
    running = core.state is SessionState.RUNNING
    plan = training.plan if running else None
    feature = feed.feature
    calibrating = core.state is SessionState.CALIBRATING
    calibration = core.set_up.calibration
    prompt = plan.prompt if plan else (calibration.view.advice if calibrating else "")
    protocol = core.set_up.resolved
    backlog_ms = 0 if core.record is None else core.record.backlog_ms(now_ns)
    return Snapshot(
        t_ns=now_ns,
        number=core.snapshots,
        state=core.state,
        patient=core.patient,
        affected_side=core.setting.affected_side,
        protocol=protocol.name,
        activity=protocol.activity,
        task=protocol.task,
        phase=training.activity.phase if running else "",
        prompt=prompt,
        cue_number=training.cue_number + core.set_up.cues_asked,
        phase_elapsed_ms=(now_ns - training.activity.entered_ns) // MS if running else 0,
        phase_limit_ms=plan.limit_ns // MS if plan else 0,
        session_elapsed_ms=(now_ns - core.started_ns) // MS if core.started_ns else 0,
        attempt_state=detector.state,
        speed_dps=_shown(feature.angular_speed_dps) if feature else 0.0,
        threshold_dps=round(detector.threshold_dps, 2),
        angle_deg=_shown(feature.angle_deg) if feature else 0.0,
        motion=feed.strip(),
        channels=_channels(core),
        pucks=feed.views(now_ns),
        calibration=calibration.view,
        tally=_tally(core),
        trip=core.trip,
        todo=core.todo,
        folder="" if core.record is None else str(core.record.folder),
        journal_backlog_ms=backlog_ms,
        latency_ms=training.trials.latency_ms,
        joint=_joint(protocol.joint, training.movement),
        position=protocol.position,
        worn=core.wardrobe.worn,
        limb_held=training.held,
        buttons=core.buttons.views(core),
        screening=core.checks.views(core.state),
        screening_version=core.checks.list.version,
        reminders=core.checks.reminders,
        skin_due=core.checks.skin_due,
    )


def _joint(joint: ResolvedJoint | None, movement: Movement) -> tuple[JointView, ...]:
    if joint is None:
        return ()
    most = (joint.region, joint.torque_mnm, joint.speed_cdps, joint.angle_min_cdeg, joint.angle_max_cdeg)
    return (JointView(*most, movement.asked_mnm, movement.aim_cdeg),)


def _shown(value: float) -> float:
    """Two decimals; what is not a number (a refused sample) is shown as 0."""
    return round(value, 2) if -1e6 <= value <= 1e6 else 0.0


def _channels(core: "EngineCore") -> tuple[ChannelView, ...]:
    fitting = core.set_up.fitting
    views = []
    for channel in core.set_up.resolved.channels:
        name = channel.name
        found = fitting.found[name]
        limit_ua, source = core.set_up.limit(name)
        views.append(
            ChannelView(
                name=name,
                channel=channel.channel,
                muscle=channel.muscle,
                placement=channel.placement,
                region=channel.region,
                pad_area_mm2=channel.pad_area_mm2,
                pulse_width_us=channel.pulse_width_us,
                period_us=channel.period_us,
                now_ua=core.stimulation.now_ua(name),
                sensory_ua=found.sensory_ua,
                motor_ua=found.motor_ua,
                tolerance_ua=found.tolerance_ua,
                limit_ua=limit_ua,
                limit_source=source,
                step_ua=core.set_up.grid_ua,
            )
        )
    return tuple(views)


def _tally(core: "EngineCore") -> TallyView:
    score = core.training.score
    return TallyView(
        attempts=score.attempts,
        assisted=score.assisted,
        completed=score.completed,
        missed=score.missed,
        target=core.training.target,
        score=score.points,
        streak=score.streak,
        best_streak=score.best_streak,
        cheer=score.cheer,
    )
