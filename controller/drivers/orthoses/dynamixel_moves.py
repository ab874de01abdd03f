"""The speaking half of the Dynamixel driver: what goes out when, and what silence means.

Sync writes are used where a question follows at once, because nobody answers them. All that keeps torque on is made
here, and only for a caller who says that a lease lives.
"""

from controller.drivers.orthoses.dynamixel_connection import (
    FOREVER,
    HEALTH,
    HEALTH_EVERY_NS,
    MS,
    QUESTIONS,
    TORQUE_MAY_BE_ON,
    Ask,
    Asked,
    DynamixelConnection,
    Phase,
)
from controller.drivers.orthoses.dynamixel_course import Course
from controller.drivers.orthoses.dynamixel_faults import (
    AGAINST,
    DEAF_TO_STOP,
    DEFECT,
    HARDER,
    SILENT,
    STALE,
    STALLED,
    THROWN,
)
from controller.drivers.orthoses.dynamixel_gate import Permit, frame, off_frames, read, unanswered, write
from controller.drivers.orthoses.dynamixel_setup import STEP_TRIES, STEPS
from controller.drivers.orthoses.events import JointEvent, PairCheckFailed, UnitFault

ANSWER_NS = 40 * MS
"""With an adapter's latency of 16 ms and the servo's own 1 ms there is room."""
TICK_NS = 20 * MS
IDLE_NS = 25 * MS
"""The guard takes no posture that is older than 60 ms, and an answer and a look at the health may come between two."""
STALE_NS = 60 * MS
SILENT_NS = 250 * MS
FREE_NS, FREE_TRIES, FREE_LATER_NS = 20 * MS, 15, 100 * MS


class DynamixelMoves(DynamixelConnection):
    """Adds time to a connection. All times are integer nanoseconds on the caller's clock."""

    def __init__(self, servo_id: int = 1) -> None:
        super().__init__(servo_id)
        self._off = off_frames(servo_id)
        self._look = False
        self._tick_ns = 0
        self._began_ns = 0
        self._units = 0
        self._ramp = (0, 0, 0)  # began_ns, ends_ns, units at its beginning

    def next_deadline(self) -> int:
        """When `poll` has something to do, in ns; far away when only bytes can change anything."""
        phase = self.phase
        open_ns = FOREVER if self._open is None else self._open.due_ns
        if phase in (Phase.MOVING, Phase.RELEASING):
            if self._control:
                return 0
            ends_ns = self._ramp[1] if phase is Phase.RELEASING else FOREVER
            health_ns = self._health_ns if self._open is None else FOREVER
            return min(self._tick_ns, self._posture_ns() + STALE_NS, health_ns, ends_ns)
        if phase in (Phase.READY, Phase.STOPPED):
            if not self.identity:
                return self._again_ns
            return min(self._due_ns, self._health_ns) if self._open is None else open_ns
        if phase in (Phase.SETTING_UP, Phase.ENABLING):
            return self._due_ns if self._open is None else open_ns
        return self._due_ns

    # -- time --------------------------------------------------------------------------------------------------------

    def poll(self, now_ns: int, alive: bool) -> tuple[bytes, list[JointEvent]]:
        """Bytes that fall due by `now_ns`, and what silence means. Whatever keeps torque on is made only if `alive`."""
        events: list[JointEvent] = []
        phase = self.phase
        if phase in TORQUE_MAY_BE_ON and not alive:
            return self._let_go(now_ns), events
        if now_ns < self.next_deadline():
            return b"", events
        if phase is Phase.FREEING:
            return self._free_again(now_ns, events), events
        if phase is Phase.SETTING_UP:
            return self._set_up(now_ns, events), events
        if phase is Phase.ENABLING:
            if self._open is not None:
                return self._failed(now_ns, SILENT, events), events
            return self._enable(now_ns), events
        if phase is Phase.MOVING:
            return self._go_on(now_ns, events), events
        if phase is Phase.RELEASING:
            return self._ease(now_ns, events), events
        return self._watch(now_ns, events), events

    def _free(self, now_ns: int) -> bytes:
        """Torque off, and the question whether it is."""
        self._give_up()
        self._open = Asked(Ask.TORQUE, QUESTIONS[Ask.TORQUE][1], now_ns, now_ns + FREE_NS)
        self._tries += 1
        self._due_ns = now_ns + (FREE_NS if self._tries <= FREE_TRIES else FREE_LATER_NS)
        return self._off

    def _free_again(self, now_ns: int, events: list[JointEvent]) -> bytes:
        if self._tries > FREE_TRIES:
            self._say(DEAF_TO_STOP, events)
        return self._free(now_ns)

    def _let_go(self, now_ns: int) -> bytes:
        """Torque off at once; ready again when that is confirmed, if it was ready before."""
        if self.phase is not Phase.FREEING:
            self._begin_freeing(now_ns)
        return self._free(now_ns)

    def _failed(self, now_ns: int, fault: UnitFault, events: list[JointEvent]) -> bytes:
        self._fail(now_ns, fault, events)
        return self._free(now_ns) if self.phase is Phase.FREEING else b""

    def _set_up(self, now_ns: int, events: list[JointEvent]) -> bytes:
        if self._open is not None:
            self._give_up()
            self._tries += 1
            if self._tries >= STEP_TRIES:
                return self._failed(now_ns, SILENT, events)
        while self._step < len(STEPS):
            step = STEPS[self._step]
            message = step.ask(self._servo)
            if message is not None:
                self._open = Asked(Ask.STEP, step.size, now_ns, now_ns + ANSWER_NS)
                return frame(message, Permit(self._servo.id, idle=True))
            self._step += 1
        return self._ask(now_ns, Ask.POSTURE)

    def _enable(self, now_ns: int) -> bytes:
        """Watchdog as it should be? Goal current 0. Torque on. Each is confirmed before the next is sent.

        Before each of them the posture is asked: behind a slow adapter it would be too old for the guard by the end.
        """
        id = self._servo.id
        self._look = not self._look
        if self._look:
            return self._ask(now_ns, Ask.POSTURE)
        if self._step == 0:
            return self._ask(now_ns, Ask.WATCHDOG)
        if self._step == 1:
            self._open = Asked(Ask.WRITE, 0, now_ns, now_ns + ANSWER_NS)
            return frame(write(id, "goal_current", 0), Permit(id))
        if self._step == 2:
            self._torque_on = True
            self._open = Asked(Ask.WRITE, 0, now_ns, now_ns + ANSWER_NS)
            return frame(write(id, "torque_enable", 1), Permit(id, push=True))
        self.phase = Phase.MOVING
        self._course, self._control, self._units = None, False, 0
        self._began_ns = now_ns
        self._tick_ns = now_ns + TICK_NS
        self._health_ns = now_ns + HEALTH_EVERY_NS
        return self._ask(now_ns, Ask.POSTURE)

    def _go_on(self, now_ns: int, events: list[JointEvent]) -> bytes:
        """One step of a movement: the current that the newest posture asks for, then the next question."""
        if now_ns >= self._posture_ns() + STALE_NS:
            return self._failed(now_ns, STALE, events)
        data = b""
        if self._control and self.posture is not None and self._wish is not None:
            self._control = False
            if self._course is None:
                self._course = Course(self._wish, now_ns, self.posture.angle_cdeg)
            torque_mnm = self._course.step(now_ns, self.posture)
            for wrong, fault in (
                (self._course.stalled, STALLED),
                (self._course.against, AGAINST),
                (self._course.thrown, THROWN),
                (self._course.harder, HARDER),
            ):
                if wrong:
                    return self._failed(now_ns, fault, events)
            try:
                data = self._push(self._units_for(torque_mnm), self._units_for(self._wish.torque_mnm))
            except PairCheckFailed:
                return self._failed(now_ns, DEFECT, events)
        return data + self._ask_next(now_ns)

    def _hasten(self, now_ns: int, ends_ns: int) -> None:
        """What is left of the torque is let go until `ends_ns`, where that is earlier than it would have ended."""
        began_ns, later_ns, units = self._ramp
        if not began_ns <= now_ns < ends_ns < later_ns:
            return
        left = abs(units) * (later_ns - now_ns) // (later_ns - began_ns)
        self._ramp = (now_ns, ends_ns, left if units > 0 else -left)

    def _ease(self, now_ns: int, events: list[JointEvent]) -> bytes:
        """One step of letting go."""
        began_ns, ends_ns, units = self._ramp
        if now_ns >= ends_ns:
            return self._let_go(now_ns)
        if now_ns >= self._posture_ns() + STALE_NS:
            return self._failed(now_ns, STALE, events)
        data = b""
        if now_ns >= self._tick_ns and self._course is not None and self.posture is not None:
            if self._course.runs_along(self._units, self.posture.speed_cdps):
                return self._let_go(now_ns)
            left = abs(units) * (ends_ns - now_ns) // (ends_ns - began_ns)
            model = self._servo.model
            torque_mnm = left * (model.torque_unm if model else 0) // 1000 * (1 if units > 0 else -1)
            try:
                data = self._push(self._units_for(self._course.inward(torque_mnm, self.posture.angle_cdeg)), left)
            except PairCheckFailed:
                return self._failed(now_ns, DEFECT, events)
        return data + self._ask_next(now_ns)

    def _watch(self, now_ns: int, events: list[JointEvent]) -> bytes:
        """Nothing moves: look at posture and health, or ask once more who it is."""
        if not self.identity:
            self.phase, self._step, self._tries = Phase.SETTING_UP, 0, 0
            return self._set_up(now_ns, events)
        if self._open is not None:
            self._give_up()
            if now_ns - self._heard_ns >= SILENT_NS and SILENT.cause not in self._said:
                return self._failed(now_ns, SILENT, events)
        if now_ns < self._due_ns:
            return self._ask_health(now_ns)
        self._due_ns = now_ns + IDLE_NS
        data = self._ask(now_ns, Ask.POSTURE)
        # Not waited for any longer: the guard takes no posture older than 60 ms, and one answer may be lost.
        self._open = Asked(Ask.POSTURE, QUESTIONS[Ask.POSTURE][1], now_ns, self._due_ns)
        return data

    # -- sending -----------------------------------------------------------------------------------------------------

    def _posture_ns(self) -> int:
        """Of when the newest posture of this movement is."""
        return self._began_ns if self.posture is None else max(self._began_ns, self.posture.t_ns)

    def _ask(self, now_ns: int, about: Ask) -> bytes:
        self._give_up()
        first, size = QUESTIONS[about]
        self._open = Asked(about, size, now_ns, now_ns + ANSWER_NS)
        return frame(read(self._servo.id, first, size), Permit(self._servo.id))

    def _ask_next(self, now_ns: int) -> bytes:
        """While torque is on: the posture every tick, the servo's health in between."""
        if now_ns >= self._tick_ns:
            self._tick_ns = max(self._tick_ns + TICK_NS, now_ns + TICK_NS // 2)
            return self._ask(now_ns, Ask.POSTURE)
        return self._ask_health(now_ns) if self._open is None and now_ns >= self._health_ns else b""

    def _ask_health(self, now_ns: int) -> bytes:
        about = HEALTH[self._health]
        self._health = (self._health + 1) % len(HEALTH)
        self._health_ns = now_ns + HEALTH_EVERY_NS
        return self._ask(now_ns, about)

    def _units_for(self, torque_mnm: int) -> int:
        """Current in the servo's units that pushes with at most `torque_mnm`, rounded toward zero; its sign is kept."""
        model = self._servo.model
        if model is None:
            return 0
        units = min(abs(torque_mnm) * 1000 // model.torque_unm, self._servo.current_limit)
        return units if torque_mnm >= 0 else -units

    def _push(self, units: int, most: int) -> bytes:
        data = self._current(units, most)
        self._units = units
        return data

    def _current(self, units: int, most: int) -> bytes:
        """The frame of a goal current, read back as the servo reads it. Raises `PairCheckFailed`."""
        return frame(unanswered(self._servo.id, "goal_current", units), Permit(self._servo.id, units=most))
