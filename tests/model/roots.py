"""Where the exhaustive check begins: each state of the session with each state of the gateway that goes with it.

The production cores are brought there by the scripted therapist on a simulated computer; from then on nobody does
anything but what the alphabet says.
"""

from collections.abc import Callable
from dataclasses import dataclass

from controller.assembly.swarm_plan import Act, Plan
from controller.assembly.swarm_world import SwarmWorld
from controller.assembly.therapist import Script
from controller.clock import MS, SECOND
from controller.vocabulary import intents
from controller.vocabulary.facts import GatewayState as G
from controller.vocabulary.snapshot import SessionState as S

LONGEST_NS = 120 * SECOND
FINE_NS = 10 * MS
TOLERANCE_UA = 12_000


@dataclass(frozen=True, slots=True)
class Root:
    """A place to begin from. `then` is one more thing that a person does once `session` and `gateway` are reached."""

    name: str
    session: S
    gateway: G
    orthosis: bool = False
    flows: bool = False
    then: Callable[[SwarmWorld], None] | None = None


def _pause(world: SwarmWorld) -> None:
    world.person.hands.intend(intents.Pause())


def _stop(world: SwarmWorld) -> None:
    world.acts.press_stop(world.house.now_ns, Act("stop", value="F12"))


def _stop_and_acknowledge(world: SwarmWorld) -> None:
    _stop(world)
    world.house.run(world.house.now_ns + 300 * MS)
    world.person.hands.intend(intents.Acknowledge("looked at"))


def _end(world: SwarmWorld) -> None:
    world.person.hands.intend(intents.EndSession())


ROOTS = (
    Root("screening, disarmed", S.SCREENING, G.DISARMED),
    Root("fitting, disarmed", S.FITTING, G.DISARMED),
    Root("fitting, armed", S.FITTING, G.ARMED),
    Root("fitting, current", S.FITTING, G.DELIVERING, flows=True),
    Root("calibrating, disarmed", S.CALIBRATING, G.DISARMED),
    Root("ready, disarmed", S.READY, G.DISARMED),
    Root("ready, armed", S.READY, G.ARMED),
    Root("running, armed", S.RUNNING, G.ARMED),
    Root("running, current", S.RUNNING, G.DELIVERING, flows=True),
    Root("running, resting", S.RUNNING, G.RESTING),
    Root("paused, resting", S.RUNNING, G.RESTING, then=_pause),
    Root("tripped, latched", S.RUNNING, G.DELIVERING, flows=True, then=_stop),
    Root("ready, latched", S.RUNNING, G.DELIVERING, flows=True, then=_stop_and_acknowledge),
    Root("review, disarmed", S.RUNNING, G.ARMED, then=_end),
    Root("running, current and torque", S.RUNNING, G.DELIVERING, orthosis=True, flows=True),
)


def plan_of(root: Root) -> Plan:
    """A world in which nothing goes wrong by itself."""
    protocol, orthosis = ("bench_together", "dynamixel") if root.orthosis else ("wrist_extension_self_paced", "")
    script = Script(1_000, 2_000, TOLERANCE_UA, calibrate_attempts=False)
    return Plan(1, 30, "p24", "ximu3", orthosis, protocol, "moderate", script)


def reached(world: SwarmWorld, root: Root) -> bool:
    """The session and the gateway are where the root wants them, as the screen sees it, and the skin as well."""
    house = world.house
    unit = house.world.stimulator
    flows = unit is not None and any(amplitude_ua > TOLERANCE_UA // 2 for _, amplitude_ua, _, _ in unit.twin.drive())
    return house.engine.state is root.session and house.gateway.state is root.gateway and (flows or not root.flows)


def bring(root: Root) -> SwarmWorld:
    """A world at that root, with nobody at the keys any more. Raises RuntimeError when it is not reached."""
    world = SwarmWorld(plan_of(root))
    house = world.house
    end_ns = house.now_ns + LONGEST_NS
    while not reached(world, root):
        house.run(house.now_ns + FINE_NS)
        if house.now_ns > end_ns:
            raise RuntimeError(f"{root.name} was not reached: {house.engine.state}, {house.gateway.state}")
    world.person.look = lambda _now_ns: None
    if root.then is not None:
        root.then(world)
        house.run(house.now_ns + 300 * MS)
    return world
