"""Set up a world: which twins stand at the far end of which cables, who moves the pucks, and what goes wrong."""

from collections.abc import Mapping, Sequence
from typing import Any

from controller.wire.link import Link
from sim.attached import Log, Motion, Orthosis, Pedal, Puck, Stimulator
from sim.catalogue import TWINS, Role, UnknownTwin, make
from sim.faults import Fault
from sim.patient import WristPatient
from sim.playback import Playback, Recorded
from sim.world import World

DEVICES = tuple(TWINS)
WORLD = ("p24", "ximu3", "fitmi")
"""What stands in a world unless it is said otherwise."""
USUAL_RATE_HZ = 100.0


def furnish(
    links: Mapping[str, Link],
    start_ns: int,
    *,
    seed: int = 1,
    recording: Recorded | None = None,
    person: WristPatient | None = None,
    rate_hz: float | None = None,
    self_paced: bool = False,
    faults: Sequence[Fault] = (),
    log: Log | None = None,
) -> World:
    """A world from `start_ns` on with one twin for each name in `links` (of the catalogue) at that end of a cable.

    The pucks ride on `person` (else one made from `seed`), or feel `recording`. `rate_hz` is their frame rate: the
    recording's, or 100, unless given. `log` takes what the twins and the world write down. Raises ValueError for
    devices that cannot stand together (`unfit` says why), a rate outside 1 to 1000, or a fault that none of them has.
    """
    if reason := unfit(tuple(links), recording is not None):
        raise ValueError(reason)
    motion: Motion
    if recording is None:
        motion = WristPatient(seed, self_paced, start_ns=start_ns) if person is None else person
    else:
        motion = Playback(recording, seed)
        rate_hz = rate_hz or motion.rate_hz
    pucks: list[Puck] = []
    pedals: list[Pedal] = []
    single: dict[Role, Any] = {}
    for name, link in links.items():
        role, twin = TWINS[name].role, make(name, seed=seed, log=log)
        if role is Role.PEDAL:
            pedals.append(Pedal(name, twin, link))
        elif role is Role.PUCK:
            pucks.append(Puck(name, twin, link, rate_hz or USUAL_RATE_HZ))
        else:
            single[role] = (Stimulator if role is Role.STIMULATOR else Orthosis)(name, twin, link)
    stimulator, orthosis = single.get(Role.STIMULATOR), single.get(Role.ORTHOSIS)
    world = World(
        start_ns, motion, stimulator=stimulator, orthosis=orthosis, pucks=pucks, pedals=pedals, log=log, seed=seed
    )
    for fault in faults:
        world.add(fault, start_ns)
    return world


def unfit(devices: Sequence[str], recorded: bool = False) -> str:
    """Why these devices cannot stand in one world, in a sentence; "" when they can."""
    try:
        roles = {name: TWINS[name].role for name in devices}
    except UnknownTwin as unknown:
        return str(unknown)
    if len(set(devices)) < len(devices):
        return f"a world has one of each device, not {', '.join(devices)}"
    for role in (Role.STIMULATOR, Role.ORTHOSIS):
        named = [name for name in devices if roles[name] is role]
        if len(named) > 1:
            return f"a world has one {role}, not {len(named)} ({', '.join(named)})"
        if named and recorded and role is Role.ORTHOSIS:
            return f"a recorded limb cannot be held by {named[0]}: leave the recording or the orthosis out"
    return ""
