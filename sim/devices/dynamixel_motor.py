"""Motor and gear of a simulated Dynamixel servo: what current its mode asks for, and what that does to the joint.

A control step is 5 ms. Torque is current times a constant, less what the speed takes away, linear down to nothing at
the no-load speed. A gear that jams or drags lasts while torque is on: a stiff spring to where the gear stands, which
does not move (jammed) or creeps along with what the motor pushes (slow).
"""

import math
from collections.abc import Callable
from typing import Any

from controller.wire.dynamixel.registers import TURN, ZERO_POSITION, Model
from sim.devices.dynamixel_table import CURRENT, CURRENT_POSITION, PWM, VELOCITY, ControlTable

Log = Callable[[dict[str, Any]], None]

STEP_NS = 5_000_000
STEP_S = STEP_NS * 1e-9
NO_LOAD_DPS = 420.0  # e-manual: XM430-W210 70 rpm, XC330-T288 65 rpm, both at 11.1 V
COUNTS_PER_DEG = TURN / 360.0
DPS_PER_UNIT = 1.374
POSITION_NM_DEG, POSITION_NM_DPS = 0.05, 0.002  # of the servo's own position control: modest, stable at 5 ms
VELOCITY_NM_DPS, VELOCITY_NM_DEG = 0.0025, 0.03
GEAR_NM_DEG, GEAR_NM_DPS, GEAR_NM_MAX = 0.35, 0.007, 5.0
SLOW_DPS_PER_NM = 4.0


class Motor:
    """The output of one servo. Angles in deg (register position 2048 is 0), + = extension."""

    def __init__(self, model: Model, table: ControlTable, log: Log | None) -> None:
        self.angle_deg = 0.0
        self.speed_dps = 0.0
        self.units = 0
        """Current through the motor, in the model's units; its sign is that of the torque."""
        self.jammed = False
        self.slow = False
        self._model = model
        self._table = table
        self._log = log
        self._nm_per_unit = model.torque_unm * 1e-6
        self._goal_deg = 0.0
        self._sum_deg = 0.0
        self._gear_deg = 0.0
        self._torque_nm = 0.0
        self._run: tuple[int, int] | None = None  # since when the motor pushes without a break, and from which cdeg
        self._peak_mnm = 0

    def torque_nm(self) -> float:
        """What the joint gets now."""
        return self._torque_nm

    def reported_deg(self) -> float:
        """Where the servo's own sensor says that its output is."""
        return self._gear_deg if self.jammed else self.angle_deg

    def reported_dps(self) -> float:
        """How fast its sensor says that it turns."""
        return 0.0 if self.jammed else self.speed_dps

    def begin(self) -> None:
        """Torque comes on, or the mode's goals are new: begin where the joint is."""
        self._goal_deg = self.reported_deg()
        self._sum_deg = 0.0
        if not self.jammed:
            self._gear_deg = self.angle_deg

    def hold(self) -> None:
        """Stop where the joint is, as far as the mode controls that."""
        self.begin()
        self._table.set("goal_position", self.counts())
        self._table.set("goal_velocity", 0)
        mode = self._table.get("operating_mode")
        if mode == CURRENT:
            self._table.set("goal_current", 0)
        elif mode == PWM:
            self._table.set("goal_pwm", 0)

    def counts(self) -> int:
        """The register of the position."""
        return ZERO_POSITION + self._table.get("homing_offset") + round(self.reported_deg() * COUNTS_PER_DEG)

    def jam(self, on: bool) -> None:
        """The gear jams where it stands, or comes loose."""
        self._gear_deg = self.angle_deg
        self.jammed = on

    def drag(self, on: bool) -> None:
        """The gear moves at about a tenth of what it should, or is well again."""
        self._gear_deg = self.angle_deg
        self.slow = on

    def step(self, now_ns: int, elapsed_s: float) -> None:
        """Control once, `elapsed_s` after the last time. With torque off nothing pushes."""
        table = self._table
        if not table.get("torque_enable"):
            self.units, self._torque_nm = 0, 0.0
        else:
            self.units = self._wanted(elapsed_s)
            self._torque_nm = self._gear(self._pushed(), elapsed_s)
        self._note_run(now_ns)

    def close(self, now_ns: int) -> None:
        """Write down the run that still goes on."""
        self._end_run(now_ns)

    def _wanted(self, elapsed_s: float) -> int:
        """Current in units, by the operating mode."""
        table = self._table
        mode, limit = table.get("operating_mode"), table.get("current_limit")
        if mode == CURRENT:
            wanted = float(table.get("goal_current"))
        elif mode == PWM:
            wanted = limit * table.get("goal_pwm") / 885.0
        elif mode == VELOCITY:
            error = table.get("goal_velocity") * DPS_PER_UNIT - self.reported_dps()
            self._sum_deg = _within(self._sum_deg + error * elapsed_s, 90.0)
            wanted = (VELOCITY_NM_DPS * error + VELOCITY_NM_DEG * self._sum_deg) / self._nm_per_unit
        else:
            if mode == CURRENT_POSITION:
                limit = min(limit, abs(table.get("goal_current")))
            wanted = self._to_position(elapsed_s) / self._nm_per_unit
        return math.trunc(_within(wanted, float(limit)))

    def _to_position(self, elapsed_s: float) -> float:
        """Torque (N m) towards the goal position, along the profile (a profile velocity of 0 knows no limit)."""
        table = self._table
        goal = (table.get("goal_position") - ZERO_POSITION - table.get("homing_offset")) / COUNTS_PER_DEG
        profile = table.get("profile_velocity")
        reach = profile * DPS_PER_UNIT * elapsed_s
        self._goal_deg = goal if not profile else self._goal_deg + _within(goal - self._goal_deg, reach)
        return POSITION_NM_DEG * (self._goal_deg - self.reported_deg()) - POSITION_NM_DPS * self.reported_dps()

    def _pushed(self) -> float:
        """Torque (N m) of the motor: what its current gives, less what its speed takes."""
        torque = self.units * self._nm_per_unit
        along = self.speed_dps if torque > 0 else -self.speed_dps
        if along <= 0:
            return torque
        most = self._model.current_limit * self._nm_per_unit * max(0.0, 1.0 - along / NO_LOAD_DPS)
        return _within(torque, most)

    def _gear(self, torque_nm: float, elapsed_s: float) -> float:
        """What comes out of the gear."""
        if not (self.jammed or self.slow):
            return torque_nm
        if self.slow and not self.jammed:
            self._gear_deg += torque_nm * SLOW_DPS_PER_NM * elapsed_s
        held = GEAR_NM_DEG * (self._gear_deg - self.angle_deg) - GEAR_NM_DPS * self.speed_dps
        return _within(held, GEAR_NM_MAX)

    def _note_run(self, now_ns: int) -> None:
        if not self.units:
            self._end_run(now_ns)
            return
        if self._run is None:
            self._run, self._peak_mnm = (now_ns, round(self.angle_deg * 100)), 0
        self._peak_mnm = max(self._peak_mnm, abs(self.units) * self._model.torque_unm // 1000)

    def _end_run(self, now_ns: int) -> None:
        if self._run is None:
            return
        start_ns, from_cdeg = self._run
        self._run = None
        if self._log is not None:
            self._log(
                {
                    "kind": "torque",
                    "t_start_ns": start_ns,
                    "t_end_ns": now_ns,
                    "peak_mnm": self._peak_mnm,
                    "from_cdeg": from_cdeg,
                    "to_cdeg": round(self.angle_deg * 100),
                }
            )


def _within(value: float, most: float) -> float:
    return max(-most, min(most, value))
