"""What can happen at any instant: every key, every order at its bounds, every silence, every fault. One letter each.

Each letter does one thing to a world and tells the checkers what of it has to end the output. Orders are those of an
engine gone mad: they are put on its line as they are, whatever the session's state.
"""

from collections.abc import Callable
from functools import partial

from controller.assembly.swarm_plan import Act
from controller.assembly.swarm_world import SwarmWorld
from controller.clock import MS
from controller.gateway import ports
from controller.vocabulary import intents, requests
from safety.joint import Assist, Hold
from safety.orders import ArmScope, Deliver, Purpose, Renew, Stop, StopReason
from safety.stimulus import Point, Train
from sim.faults import parse
from tests.model.roots import TOLERANCE_UA

Letter = Callable[[SwarmWorld], None]
LEASE_NS = 100 * MS
WIDTH_US, PERIOD_US, PERIOD_TOGETHER_US = 250, 29_000, 20_000
"""As the protocols of the roots have them: a pulse of another waveform is refused while current flows."""
MAD_NS = 45 * MS
FAR_AHEAD = 1_000_000
"""Numbers of the mad engine begin so far above those of the real one."""


# -- a person ----------------------------------------------------------------------------------------------------------


def _ask(request: requests.Request, world: SwarmWorld) -> None:
    world.person.hands.request(request)


def _wish(intent: intents.Intent, world: SwarmWorld) -> None:
    world.person.hands.intend(intent)


def _confirm(world: SwarmWorld) -> None:
    shown = world.person.hands.arm_number
    number = 0 if shown is None else shown.number
    world.person.hands.request(requests.ConfirmArm(number))


def _act(act: Act, world: SwarmWorld) -> None:
    world.acts.do(world.house.now_ns, act)


PERSON: dict[str, Letter] = {
    "STOP": partial(_act, Act("stop", value="F12")),
    "stop command": partial(_act, Act("signal", value="stimloop stop")),
    "arm session": partial(_ask, requests.Arm(ArmScope.SESSION, "")),
    "arm session, reason": partial(_ask, requests.Arm(ArmScope.SESSION, "all is well")),
    "arm fitting, reason": partial(_ask, requests.Arm(ArmScope.FITTING, "all is well")),
    "confirm": _confirm,
    "confirm wrongly": partial(_act, Act("wrong-number")),
    "disarm": partial(_act, Act("disarm")),
    "press": partial(_ask, requests.Press(FAR_AHEAD)),
    "begin": partial(_wish, intents.Begin()),
    "pause": partial(_wish, intents.Pause()),
    "resume": partial(_wish, intents.Resume()),
    "acknowledge": partial(_wish, intents.Acknowledge("all is well")),
    "end": partial(_wish, intents.EndSession()),
}


# -- an engine gone mad ------------------------------------------------------------------------------------------------


def _say(world: SwarmWorld, message: object) -> None:
    """The engine says this and, for a pulse's time, nothing else."""
    house = world.house
    if house.engine_process.up:
        house.freeze(house.engine_process, house.now_ns + MAD_NS)
        house.engine_to_gateway.push(house.now_ns, ports.FromEngine(message))


def _number(world: SwarmWorld) -> int:
    world.model_orders = getattr(world, "model_orders", FAR_AHEAD) + 1
    return world.model_orders


def _deliver(
    world: SwarmWorld,
    *,
    rise_ua: int = 0,
    amplitude_ua: int = 0,
    width_us: int = WIDTH_US,
    channel: int = 1,
    period_us: int = 0,
    lease_ns: int = LEASE_NS,
    stale_ns: int = 0,
    again: bool = False,
    purpose: Purpose = Purpose.ASSIST,
    sensor_age_ns: int = 0,
    lopsided_ua: int = 0,
    press: int = 0,
) -> None:
    """An order for one channel: `rise_ua` above what flows now, or `amplitude_ua`."""
    house = world.house
    unit = house.world.stimulator
    flows = {} if unit is None else {number: ua for number, ua, _, _ in unit.twin.drive()}
    wanted_ua = amplitude_ua or flows.get(channel, 0) + rise_ua
    stamp_ns = house.clock.read(house.now_ns) - stale_ns
    points = (Point(width_us, wanted_ua), Point(width_us, -wanted_ua + lopsided_ua))
    period_us = period_us or (PERIOD_TOGETHER_US if house.world.orthosis else PERIOD_US)
    seq = getattr(world, "model_orders", 0) if again else _number(world)
    train = Train(channel, points, period_us)
    _say(world, Deliver(seq, stamp_ns, stamp_ns + lease_ns, purpose, (train,), press, stamp_ns - sensor_age_ns))


def _renew(world: SwarmWorld, lease_ns: int = LEASE_NS, stale_ns: int = 0) -> None:
    stamp_ns = world.house.clock.read(world.house.now_ns) - stale_ns
    _say(world, Renew(_number(world), stamp_ns, stamp_ns + lease_ns, stamp_ns))


def _stop_order(world: SwarmWorld, reason: StopReason) -> None:
    _say(world, Stop(_number(world), world.house.clock.read(world.house.now_ns), reason))


ORDERS: dict[str, Letter] = {
    "rise 2.0 mA": partial(_deliver, rise_ua=2_000),
    "rise 2.5 mA": partial(_deliver, rise_ua=2_500),
    "at the ceiling": partial(_deliver, amplitude_ua=TOLERANCE_UA),
    "over the ceiling": partial(_deliver, amplitude_ua=TOLERANCE_UA + 2_000),
    "over the cap": partial(_deliver, amplitude_ua=45_500),
    "too wide": partial(_deliver, rise_ua=1_000, width_us=360),
    "wider": partial(_deliver, rise_ua=1_000, width_us=300),
    "more often": partial(_deliver, rise_ua=1_000, period_us=24_000),
    "a channel nobody fitted": partial(_deliver, rise_ua=1_000, channel=8),
    "too fast": partial(_deliver, rise_ua=1_000, period_us=19_500),
    "charge stays": partial(_deliver, rise_ua=1_000, lopsided_ua=500),
    "lease too long": partial(_deliver, rise_ua=1_000, lease_ns=121 * MS),
    "an old order": partial(_deliver, rise_ua=1_000, stale_ns=121 * MS),
    "the same number": partial(_deliver, rise_ua=1_000, again=True),
    "on an old sample": partial(_deliver, rise_ua=1_000, sensor_age_ns=101 * MS),
    "titrate": partial(_deliver, rise_ua=500, purpose=Purpose.TITRATE, press=FAR_AHEAD),
    "cyclic": partial(_deliver, rise_ua=1_000, purpose=Purpose.CYCLIC),
    "renew": _renew,
    "renew too long": partial(_renew, lease_ns=121 * MS),
    "renew too late": partial(_renew, stale_ns=121 * MS),
    "end of burst": partial(_stop_order, reason=StopReason.RELEASE),
    "engine's fault": partial(_stop_order, reason=StopReason.FAULT),
}


def _motion(world: SwarmWorld, kind: type[Assist] | type[Hold], torque_mnm: int, angle_cdeg: int) -> None:
    stamp_ns = world.house.clock.read(world.house.now_ns)
    common = (_number(world), stamp_ns, stamp_ns + LEASE_NS)
    if kind is Assist:
        _say(world, Assist(*common, angle_cdeg, 3_000, torque_mnm, stamp_ns))
    else:
        _say(world, Hold(*common, angle_cdeg, torque_mnm))


MOTION: dict[str, Letter] = {
    "assist": partial(_motion, kind=Assist, torque_mnm=100, angle_cdeg=3_000),
    "assist beyond the range": partial(_motion, kind=Assist, torque_mnm=100, angle_cdeg=5_500),
    "assist too strongly": partial(_motion, kind=Assist, torque_mnm=1_600, angle_cdeg=3_000),
    "hold far away": partial(_motion, kind=Hold, torque_mnm=100, angle_cdeg=-4_000),
}


# -- silence, time, faults ---------------------------------------------------------------------------------------------


def _wait(world: SwarmWorld, ms: int) -> None:
    world.house.run(world.house.now_ns + ms * MS)


def _still(world: SwarmWorld, where: str, ms: int) -> None:
    _act(Act("freeze", where, 0, ms), world)
    _wait(world, ms)


def _fault(world: SwarmWorld, text: str) -> None:
    world.acts.add_faults((parse(text),), world.house.now_ns)


TIME: dict[str, Letter] = {
    "wait 10 ms": partial(_wait, ms=10),
    "wait 200 ms": partial(_wait, ms=200),
    "wait 2.5 s": partial(_wait, ms=2_500),
    "engine still 110 ms": partial(_still, where="engine", ms=110),
    "engine still 260 ms": partial(_still, where="engine", ms=260),
    "screen still 400 ms": partial(_still, where="screen", ms=400),
    "screen still 900 ms": partial(_still, where="screen", ms=900),
    "gateway still 250 ms": partial(_still, where="gateway", ms=250),
    "clock jumps 400 ms": partial(_act, Act("clock-step", value="400ms")),
    "clock jumps 700 ms": partial(_act, Act("clock-step", value="700ms")),
    "sleep 1 s": partial(_act, Act("suspend", length_ms=1_000)),
}
FAULTS: dict[str, Letter] = {
    "engine killed": partial(_act, Act("kill", "engine")),
    "gateway killed": partial(_act, Act("kill", "gateway")),
    "unit out 300 ms": partial(_act, Act("pull", "p24", 0, 300)),
    "puck out 300 ms": partial(_act, Act("pull", "ximu3", 0, 300)),
    "pad off": partial(_fault, text="electrode-off:1@p24~300ms"),
    "unit restarts": partial(_fault, text="reset@p24"),
    "unit mute 300 ms": partial(_fault, text="drop:1@p24~300ms"),
}


def letters(orthosis: bool) -> dict[str, Letter]:
    """Everything that can happen in a world, by name."""
    return {**PERSON, **ORDERS, **(MOTION if orthosis else {}), **TIME, **FAULTS}
