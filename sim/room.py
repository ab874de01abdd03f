"""Set up a world: which twins stand at the far end of which cables, and who moves the pucks."""

from collections.abc import Mapping

from controller.wire.link import Link
from sim.devices.fitmi import FitMiTwin
from sim.devices.p24 import P24Twin
from sim.devices.ximu3 import Ximu3Twin
from sim.patient import WristPatient
from sim.playback import Playback, Recorded
from sim.world import Log, Motion, Puck, Stimulator, World

DEVICES = ("p24", "ximu3", "fitmi")
USUAL_RATE_HZ = 100.0


def furnish(
    links: Mapping[str, Link],
    start_ns: int,
    *,
    seed: int = 1,
    recording: Recorded | None = None,
    rate_hz: float | None = None,
    self_paced: bool = False,
    log: Log | None = None,
) -> World:
    """A world from `start_ns` on with one twin for each name in `links` (of `DEVICES`) at that end of a cable.

    The pucks ride on a person made from `seed`, or feel `recording`. `rate_hz` is their frame rate: the recording's,
    or 100, unless given. `log` takes what the twins and the world write down. Raises ValueError for a device that
    nobody knows, or a rate outside 1 to 1000.
    """
    motion: Motion
    if recording is None:
        motion = WristPatient(seed, self_paced, start_ns=start_ns)
    else:
        motion = Playback(recording, seed)
        rate_hz = rate_hz or motion.rate_hz
    stimulator, pucks = None, []
    for name, link in links.items():
        if name == "p24":
            stimulator = Stimulator(name, P24Twin(log=log), link)
        elif name == "ximu3":
            pucks.append(Puck(name, Ximu3Twin(), link, rate_hz or USUAL_RATE_HZ))
        elif name == "fitmi":
            pucks.append(Puck(name, FitMiTwin(seed=seed), link, rate_hz or USUAL_RATE_HZ))
        else:
            raise ValueError(f"there is no simulated device {name!r}; there are {', '.join(DEVICES)}")
    return World(start_ns, motion, stimulator=stimulator, pucks=pucks, log=log)
