"""A simulated Dynamixel servo without its bus: table, motor, watchdog, faults and power, on the caller's clock."""

from typing import Any

from controller.wire.dynamixel.messages import Error
from controller.wire.dynamixel.registers import OVERHEAT, OVERLOAD, VOLTAGE_ERROR, WATCHDOG_MS, WATCHDOG_TRIPPED, Model
from sim.devices.dynamixel_motor import DPS_PER_UNIT, STEP_NS, Log, Motor
from sim.devices.dynamixel_table import GOALS, ControlTable

MS = 1_000_000
FOREVER = 1 << 62
BOOT_NS = 200 * MS
WARM_C, VOLTAGE = 35, 120
TORQUE_BY_GOAL = 0x08


class DynamixelServo:
    """`DynamixelTwin` adds the bus. Angles in deg (register position 2048 is 0), speeds in deg/s, + = extension."""

    def __init__(self, model: Model, id: int, firmware: int, log: Log | None, torque_drops: bool) -> None:
        self.table = ControlTable(model, id, firmware)
        self.motor = Motor(model, self.table, log)
        self._torque_drops = torque_drops
        self._log = log
        self._now_ns = 0
        self._fed_ns = 0
        self._step_ns = FOREVER
        self._stepped_ns = 0
        self._booted_ns = FOREVER
        self._temperature_c, self._voltage = WARM_C, VOLTAGE
        self._no_watchdog = False

    # -- the world ---------------------------------------------------------------------------------------------------

    def feel(self, now_ns: int, angle_deg: float, speed_dps: float) -> None:
        """Where the joint is that this servo is fixed to; said before each `advance`."""
        self.motor.angle_deg, self.motor.speed_dps = angle_deg, speed_dps

    def torque_nm(self) -> float:
        """What the joint gets from this servo now, + = extension."""
        return self.motor.torque_nm()

    def close(self, now_ns: int) -> None:
        """Live up to `now_ns` and write down the torque that still acts."""
        self.live(now_ns)
        self.motor.close(now_ns)

    def suffer(self, fault: str, value: str, now_ns: int) -> bool:
        """Make `fault` happen; `value` "off" or "ok" ends it where it can end. False: this device has no such fault."""
        on = value not in ("off", "ok")
        if fault == "stuck-joint":
            self.motor.jam(on)
        elif fault == "slow-joint":
            self.motor.drag(on)
        elif fault == "lost-bus-watchdog":
            self._no_watchdog = on
            if on:
                self.table.set("bus_watchdog", 0)
        elif fault == "overheat":
            self._temperature_c = self.table.get("temperature_limit") + 1 if on else WARM_C
            self._break(now_ns, OVERHEAT, on)
        elif fault == "overload":
            self._break(now_ns, OVERLOAD, on)
        elif fault == "low-battery":
            self._voltage = self.table.get("voltage_min") - 3 if on else VOLTAGE
            self._break(now_ns, VOLTAGE_ERROR, on)
        elif fault == "reset":
            self.restart(now_ns, "reset")
        else:
            return False
        self._note(now_ns, "fault", fault=fault, on=on)
        return True

    def _break(self, now_ns: int, bit: int, on: bool) -> None:
        """A hardware error; those in the shutdown mask take the torque away. Only voltage comes right by itself."""
        errors = self.table.get("hardware_error")
        if on:
            self.table.set("hardware_error", errors | bit)
            if bit & self.table.get("shutdown") and self.table.get("torque_enable"):
                self._torque(now_ns, False, "shutdown")
        elif bit == VOLTAGE_ERROR:
            self.table.set("hardware_error", errors & ~bit)

    # -- time --------------------------------------------------------------------------------------------------------

    @property
    def booting(self) -> bool:
        """The servo has lost its power and is deaf until it has started again."""
        return self._booted_ns != FOREVER

    def deadline(self) -> int:
        """The next control step, watchdog or end of a start."""
        return min(self._step_ns, self._watchdog_ns(), self._booted_ns)

    def live(self, now_ns: int) -> None:
        """Everything that happens by itself up to `now_ns`."""
        due_ns = self.deadline()
        while due_ns <= now_ns:
            self._now_ns = max(self._now_ns, due_ns)
            if self._booted_ns <= due_ns:
                self._booted_ns = FOREVER
                self._started(due_ns)
            elif self._watchdog_ns() <= due_ns:
                self._trip(due_ns)
            else:
                self._step(due_ns)
                self._step_ns = due_ns + STEP_NS
            due_ns = self.deadline()
        self._now_ns = max(self._now_ns, now_ns)

    def _step(self, now_ns: int) -> None:
        self.motor.step(now_ns, (now_ns - self._stepped_ns) * 1e-9)
        self._stepped_ns = now_ns

    def _watchdog_ns(self) -> int:
        """When the bus has been silent for too long; never while torque is off."""
        periods = self.table.get("bus_watchdog")
        if not self.table.get("torque_enable") or not 1 <= periods < WATCHDOG_TRIPPED:
            return FOREVER
        return self._fed_ns + periods * WATCHDOG_MS * MS

    def _fed(self, now_ns: int) -> None:
        self._fed_ns = now_ns

    def _trip(self, now_ns: int) -> None:
        """The bus watchdog: the servo stops, and takes no goals until the watchdog is written 0."""
        self.table.set("bus_watchdog", WATCHDOG_TRIPPED)
        self._note(now_ns, "fault", fault="watchdog")
        self.motor.hold()
        if self._torque_drops:
            self._torque(now_ns, False, "watchdog")
        self._step(now_ns)

    # -- writing -----------------------------------------------------------------------------------------------------

    def write(self, now_ns: int, address: int, data: bytes) -> Error:
        """Do what a write asks for, or say why not."""
        error, wanted = self.table.check(address, data)
        names = {register.name for register, _ in wanted}
        if (
            not error
            and self._shut()
            and ("torque_enable", 1) in ((register.name, value) for register, value in wanted)
        ):
            error = Error.ACCESS
        if error:
            self._note(now_ns, "fault", fault="refused write", address=address, error=int(error))
            return error
        for register, value in wanted:
            if register.name == "torque_enable":
                if value != self.table.get("torque_enable"):
                    self._torque(now_ns, value == 1, "write")
            elif not (register.name == "bus_watchdog" and self._no_watchdog):
                self.table.set(register.name, value)
        if "operating_mode" in names:
            self.table.new_goals()
        if names & GOALS and self.table.get("drive_mode") & TORQUE_BY_GOAL and not self._shut():
            self._torque(now_ns, True, "goal")
        return Error.NONE

    def refresh(self, now_ns: int) -> None:
        """A new goal acts at once, not at the next step."""
        if self.table.get("torque_enable"):
            self._step(now_ns)

    def measure(self) -> None:
        """Bring the registers up to date that show what is."""
        table, motor = self.table, self.motor
        table.set("present_current", motor.units)
        table.set("present_velocity", round(motor.reported_dps() / DPS_PER_UNIT))
        table.set("present_position", motor.counts())
        table.set("position_trajectory", motor.counts())
        table.set("moving", int(abs(motor.reported_dps()) > table.get("moving_threshold") * DPS_PER_UNIT))
        table.set("realtime_tick", self._now_ns // MS % 32_768)
        table.set("voltage", self._voltage)
        table.set("temperature", self._temperature_c)

    def _shut(self) -> bool:
        return bool(self.table.get("hardware_error") & self.table.get("shutdown"))

    def _torque(self, now_ns: int, on: bool, why: str) -> None:
        self.table.set("torque_enable", int(on))
        self._step_ns = now_ns + STEP_NS if on else FOREVER
        if on:
            self.table.set("goal_position", self.motor.counts())
            self.motor.begin()
            self._fed_ns = self._stepped_ns = now_ns
        self._step(now_ns)
        self._note(now_ns, "state", state="torque" if on else "free", why=why)

    # -- power -------------------------------------------------------------------------------------------------------

    def restart(self, now_ns: int, why: str) -> None:
        """Power goes and comes: torque off, all RAM at its defaults, deaf while starting."""
        self.table.boot()
        self.table.set("torque_enable", 0)
        self._step_ns = FOREVER
        self._step(now_ns)
        self._booted_ns = now_ns + BOOT_NS
        self._lost_power()
        self._note(now_ns, "state", state="starting", why=why)

    def _started(self, now_ns: int) -> None:
        if self._temperature_c > self.table.get("temperature_limit"):
            self._break(now_ns, OVERHEAT, True)
        if self._voltage < self.table.get("voltage_min"):
            self._break(now_ns, VOLTAGE_ERROR, True)
        self._note(now_ns, "state", state="free", why="started")
        if self.table.get("startup") & 1 and not self._shut():
            self._torque(now_ns, True, "startup")

    def _lost_power(self) -> None:
        """The bus side forgets what it had begun."""

    def _note(self, now_ns: int, kind: str, **more: Any) -> None:
        if self._log is not None:
            self._log({"kind": kind, "t_ns": now_ns, **more})
