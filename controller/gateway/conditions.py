"""The state of everything around the guard, as the gateway knows it now."""

from typing import TYPE_CHECKING

from controller.vocabulary.facts import GatewayState
from safety.interlocks import Conditions

if TYPE_CHECKING:
    from controller.gateway.core import GatewayCore


def conditions_of(core: "GatewayCore", now_ns: int, for_arming: bool = False, starts: str = "") -> Conditions:
    """For an order at `now_ns`; or for arming, where devices only need to be known and the latch is what is left.

    `starts` names what the order would begin ("current" or "movement"; "" when that is on already): see `permit`.
    """
    unit, watch, joint = core.unit, core.watch, core.joint
    return Conditions(
        unit.ready or (for_arming and bool(unit.identity)),
        watch.engine_alive(now_ns),
        watch.front_alive(now_ns),
        core.stop_tested and core.pedals.ready,
        core.permits.why_not(core, now_ns, starts),
        core.state is GatewayState.LATCHED and not for_arming,
        True,
        joint.ok(now_ns) or (for_arming and joint.identified),
    )
