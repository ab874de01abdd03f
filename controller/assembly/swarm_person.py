"""The scripted therapist at a simulated computer: what the screen asks for, mistakes on purpose, and a diary of it.

The diary holds what the checkers may know of arming: the second key as this person pressed it, with the number that
the screen showed. It holds nothing that the gateway believes.
"""

from dataclasses import dataclass, field, replace

from controller.assembly.swarm_house import SimulatedHouse
from controller.assembly.therapist import Script, ScriptedTherapist
from controller.channel.front import FrontLine
from controller.clock import MS
from controller.vocabulary import intents, requests
from controller.vocabulary.facts import ArmNumber, ArmScope, GatewayStatus
from controller.vocabulary.snapshot import Snapshot
from sim.checker_course import Armed

BEGIN_ANEW_AFTER_NS = 1_000 * MS
ENDS_WITHIN_NS = 2_000 * MS
POWER_AGAIN_NS = 5_000 * MS
OTHER_UNIT_NS = 16_000 * MS
"""Another unit on the port is waited out so long; then the program is started with what is there."""
LOOKS = 2
"""This person acts at every second look of the screen."""


@dataclass
class Hands:
    """The screen as the therapist uses it, with the diary. `front` changes when the program is started anew."""

    house: SimulatedHouse
    armed: list[Armed] = field(default_factory=list)
    ceilings_ua: dict[int, int] = field(default_factory=dict)
    pads_mm2: dict[int, int] = field(default_factory=dict)
    regions: dict[int, str] = field(default_factory=dict)

    @property
    def front(self) -> FrontLine:
        """The screen's lines of now."""
        return self.house.front

    @property
    def snapshot(self) -> Snapshot | None:
        """What the engine shows."""
        return self.front.snapshot

    @property
    def status(self) -> GatewayStatus | None:
        """What the gateway shows."""
        return self.front.status

    @property
    def arm_number(self) -> ArmNumber | None:
        """The number to confirm."""
        return self.front.arm_number

    def intend(self, intent: intents.Intent) -> None:
        """To the engine."""
        self.front.intend(intent)

    def request(self, request: requests.Request) -> None:
        """To the gateway, and what of it the checkers need into the diary."""
        if isinstance(request, requests.ConfirmArm):
            shown = self.front.arm_number
            if shown is not None and shown.number == request.number:
                self.armed.append(Armed(self.house.now_ns, str(shown.scope)))
        elif isinstance(request, requests.Prescribe):
            self.ceilings_ua[request.channel] = max(self.ceilings_ua.get(request.channel, 0), request.ceiling_ua)
            self.pads_mm2[request.channel] = request.pad_area_mm2
            self.regions[request.channel] = request.region
        self.front.request(request)

    def stop(self, source: str) -> None:
        """STOP."""
        self.front.stop(source)


class Person:
    """Looks after the patient: `look(now)` is the screen's call. Begins anew where the screen says so."""

    def __init__(self, script: Script, house: SimulatedHouse) -> None:
        self.house = house
        self.hands = Hands(house)
        self.begun_anew_ns: list[int] = []
        self._script = replace(script, go_on_after_trip=True)
        self._looks = 0
        self._cycled_ns = self._other_since_ns = 0
        self._therapist = self._new()

    def _new(self) -> ScriptedTherapist:
        return ScriptedTherapist(self._script, on_cue=self.house.world.cue)

    def look(self, now_ns: int) -> None:
        """Look at the screen and do at most one thing."""
        self._looks += 1
        if self._looks % LOOKS:
            return
        status = self.hands.status
        other = status is not None and "start stimloop with" in status.blocked
        self._other_since_ns = (self._other_since_ns or now_ns) if other else 0
        lasting = bool(self._other_since_ns) and now_ns - self._other_since_ns > OTHER_UNIT_NS
        if lasting or self.house.front.engine_lost or self._therapist.done or self._told_to_begin_anew():
            self.begin_anew(now_ns)
        elif self._told("off and on") and now_ns - self._cycled_ns > POWER_AGAIN_NS:
            self._cycled_ns = now_ns
            self._switch_orthosis_off_and_on(now_ns)
        else:
            self._therapist.step(now_ns, self.hands)

    def begin_anew(self, now_ns: int) -> None:
        """Close the program and start it again, set-up and all."""
        house = self.house
        self.begun_anew_ns.append(now_ns)
        house.hang_up("closed")
        house.at(now_ns + BEGIN_ANEW_AFTER_NS + ENDS_WITHIN_NS, self._start)

    def _start(self, now_ns: int) -> None:
        if now_ns < self.house.asleep_until_ns:
            self.house.at(self.house.asleep_until_ns, self._start)
            return
        self.house.kill_gateway("did not leave")
        self.house.kill_engine("did not leave")
        self._therapist = self._new()
        self.house.start(now_ns)

    def _told_to_begin_anew(self) -> bool:
        return self._told("start again") or self._told("start stimloop again")

    def _told(self, words: str) -> bool:
        """What the screen says is to be done holds these words."""
        snapshot, status = self.hands.snapshot, self.hands.status
        return (snapshot is not None and words in snapshot.todo) or (status is not None and words in status.todo)

    def _switch_orthosis_off_and_on(self, now_ns: int) -> None:
        world = self.house.world
        if world.orthosis is not None:
            world.suffer(world.orthosis, "reset", "", now_ns)

    # -- mistakes on purpose -----------------------------------------------------------------------------------------

    def err(self, now_ns: int, what: str) -> None:
        """One mistake, or one wish: what a hand on the keys may do at any time."""
        del now_ns
        hands, status = self.hands, self.hands.status
        if what == "disarm":
            hands.front.request(requests.Disarm("for a moment"))
        elif what == "wrong-number":
            hands.front.request(requests.ConfirmArm(999_999))
        elif what == "arm-only" and status is not None:
            hands.front.request(requests.Arm(ArmScope.SESSION, "by mistake"))
        elif what == "pause":
            hands.intend(intents.Pause())
        elif what == "held-key":
            self._therapist.press_by_mistake(hands)
        elif what == "more":
            for channel, pad_mm2 in hands.pads_mm2.items():
                region = hands.regions[channel]
                hands.front.request(requests.Prescribe("SIM01", "2000-01-01", channel, region, pad_mm2, 44_000, 10_000))
