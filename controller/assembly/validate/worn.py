"""How the puck of a scenario is worn: turned, clipped, loaded, with a second one on the forearm."""

from typing import Any

from controller.assembly.simulated import twin_of
from controller.assembly.validate.model import Scenario
from controller.assembly.validate.model import World as Table
from controller.drivers.pucks.base import PuckDriver
from controller.drivers.pucks.fitmi_scales import Scales
from sim.devices.fitmi import TwinScales
from sim.disturbed import DisturbedWrist, WornPuck
from sim.world import World

FITMI = "fitmi"


def dress(world: World, scenario: Scenario, person: DisturbedWrist) -> None:
    """Put the scenario's pucks on the person."""
    table = scenario.world
    for puck in world.pucks:
        worn: Any = WornPuck(puck.twin, person)
        worn.turned_deg, worn.full_scale_dps = table.turned, table.full_scale
        if puck.name == FITMI:
            worn.second = 1
            worn.load = _load(world, person, table.load_while_stimulated)
        puck.twin = worn


def _load(world: World, person: DisturbedWrist, stimulated_n: float) -> Any:
    def load_n(now_ns: int) -> float:
        unit = world.stimulator
        flows = unit is not None and any(pulses[1] for pulses in unit.twin.drive())
        return person.pressed_n(now_ns) + (stimulated_n if flows else 0.0)

    return load_n


def chosen_driver(worn: Any, table: Table) -> PuckDriver:
    """The driver of the puck, as somebody who has calibrated it would have it."""
    driver: Any = worn.kind.driver()
    if table.full_scale and hasattr(driver, "full_scale_dps"):
        driver.full_scale_dps = table.full_scale
    if twin_of(table.puck) == FITMI and table.load_while_stimulated:
        twin = TwinScales()
        scales = Scales(twin.acc_g, twin.gyro_dps, twin.load_n, twin.load_zero)
        driver = type(driver)(calibration=(scales, scales))
    known: PuckDriver = driver
    return known
