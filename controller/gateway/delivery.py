"""Delivery: the engine's orders through the guard to the driver, and the lease that they live by."""

from enum import Enum
from typing import Any

from controller.drivers.stimulators.base import StimulatorDriver
from controller.drivers.stimulators.events import PairCheckFailed
from controller.gateway.fitness import misfit
from controller.gateway.voice import Voice
from controller.gateway.witness import WitnessedGuard
from controller.vocabulary import notices, requests
from controller.vocabulary.facts import BurstEnded, BurstStarted, Refusal
from safety.interlocks import Conditions
from safety.joint import JointDeviceLimits
from safety.limits import DeviceLimits
from safety.orders import ArmScope, Deliver, Refused, Renew


class Verdict(Enum):
    """What became of an order."""

    CARRIED = "carried"
    STARTED = "started"  # the first current of a burst is on the wire
    ENDED = "ended"  # the burst is over, as ordered or after a refusal that does not latch
    UNSAFE = "unsafe"  # the gateway must latch: `cause` and `todo` say why


class Delivery:
    """Holds the guard, the lease and whether a burst is on. It never latches by itself: it says `UNSAFE`."""

    def __init__(self, device: DeviceLimits, voice: Voice, joint: JointDeviceLimits | None = None) -> None:
        self.guard = WitnessedGuard(device, joint)
        self.misfit = ""
        """Why the protocol does not fit this unit; "" when it does."""
        self._device = device
        self._wishes: dict[int, notices.Constrain] = {}
        self.on = False
        self.lease_until_ns = 0
        self.refused = 0
        """Orders that the guard refused."""
        self.dropped = 0
        """Orders that came while nothing was armed: no fault, only late, and put to nobody."""
        self.cause = ""
        self.todo = ""
        self._voice = voice

    def order(self, now_ns: int, order: Deliver | Renew, driver: StimulatorDriver, conditions: Conditions) -> Verdict:
        """Put one order to the guard and, where it is admitted, on the wire."""
        answer = self.guard.admit(order, now_ns, conditions)
        if isinstance(answer, Refused):
            return self._refuse(now_ns, order.seq, answer, driver)
        if isinstance(order, Renew):
            self.lease_until_ns = answer.expires_ns
            return Verdict.CARRIED
        try:
            self._voice.unit(driver.deliver(answer, now_ns))
        except PairCheckFailed as error:
            self.cause, self.todo = f"The encoded frame did not match the order: {error}.", "Report this defect."
            return Verdict.UNSAFE
        self.lease_until_ns = answer.expires_ns
        if self.guard.delivering:
            return Verdict.CARRIED if self.on else self._start(now_ns, order)
        return self.end(now_ns, "the order asked for no current") if self.on else Verdict.CARRIED

    def release(self, now_ns: int, driver: StimulatorDriver, why: str) -> Verdict:
        """The ordinary end of a burst."""
        self._voice.unit(driver.release(now_ns))
        self.guard.off_stimulation(now_ns)
        return self.end(now_ns, why)

    def end(self, now_ns: int, why: str, sync: bool = False) -> Verdict:
        """Output is at zero."""
        self.on = False
        self.lease_until_ns = 0
        rest_until_ns = self.guard.rest_until_ns
        self._voice.engine(BurstEnded(now_ns, why, rest_until_ns))
        self._voice.log(now_ns, "burst_ended", {"why": why, "rest_until_ns": rest_until_ns}, sync)
        return Verdict.ENDED

    @property
    def fitted(self) -> bool:
        """Some channel has a ceiling of today, so that a session can deliver something."""
        channels = range(1, self._device.channels + 1)
        limits = [self.guard.limit(channel, ArmScope.SESSION) for channel in channels]
        return any(limit is not None and limit.ceiling_ua > 0 for limit in limits)

    @property
    def unfit(self) -> str:
        """Why a session can deliver nothing today, in one sentence with what to do; "" when it can."""
        if not self.fitted:
            return "No channel has a ceiling of today. Fit the electrodes first, then arm for the session."
        if self.unidentified:
            names = " and ".join([str(channel) for channel in self.unidentified])
            return f"Nobody has confirmed yet which muscle channel {names} moves. Identify it in fitting, then arm."
        wrong = self.guard.position_fault
        return f"{wrong} Look at the patient and confirm the position (F2, then p), then arm." if wrong else ""

    @property
    def unidentified(self) -> list[int]:
        """Channels with a ceiling of today whose muscle nobody has confirmed."""
        channels = range(1, self._device.channels + 1)
        limits = [self.guard.limit(channel, ArmScope.SESSION) for channel in channels]
        found = [limit.channel for limit in limits if limit is not None and limit.ceiling_ua > 0]
        return [channel for channel in found if channel not in self.guard.identified]

    def expired(self, now_ns: int) -> bool:
        """A burst is on and its lease is over."""
        return self.on and now_ns > self.lease_until_ns

    def leased(self, now_ns: int) -> bool:
        """A burst is on and its lease is live."""
        return self.on and now_ns <= self.lease_until_ns

    def constrain(self, now_ns: int, wish: notices.Constrain) -> bool:
        """The protocol's own limits: they can only narrow; True when the guard took them."""
        self._wishes[wish.channel] = wish
        self.misfit = misfit(self._device, self._wishes.values())
        refusal = self.guard.constrain(**_fields(wish))
        self._note(now_ns, "constrained", wish, refusal)
        return refusal is None

    def prescribe(self, now_ns: int, wish: requests.Prescribe, armed: bool) -> bool:
        """What a person found today for one channel; True when the guard took it."""
        told = _fields(wish)
        del told["reason"]
        refusal = self.guard.prescribe(**told, armed=armed)
        self._note(now_ns, "prescribed", wish, refusal)
        return refusal is None

    def identify(self, now_ns: int, wish: requests.Identified) -> None:
        """A person saw the right muscle move."""
        self._note(now_ns, "channel_identified", wish, self.guard.identify(wish.channel, wish.patient, wish.date))

    def place(self, now_ns: int, wish: requests.Place, armed: bool) -> None:
        """A person looked how the patient is placed."""
        self._note(now_ns, "position_confirmed", wish, self.guard.place(**_fields(wish), armed=armed))

    def need_position(self, now_ns: int, wish: notices.NeedPosition) -> None:
        """The position that the protocol is made for."""
        self._note(now_ns, "position_needed", wish, self.guard.need(wish.position))

    def _start(self, now_ns: int, order: Deliver) -> Verdict:
        self.on = True
        first_ua = max((train.amplitude_ua for train in order.trains), default=0)
        self._voice.engine(BurstStarted(order.seq, now_ns, now_ns, now_ns))
        self._voice.log(
            now_ns, "burst_started", {"seq": order.seq, "purpose": order.purpose.name.lower(), "first_ua": first_ua}
        )
        return Verdict.STARTED

    def _refuse(self, now_ns: int, seq: int, answer: Refused, driver: StimulatorDriver) -> Verdict:
        self.refused += 1
        self._voice.all(Refusal(now_ns, seq, answer.rule, answer.reason, answer.latches))
        self._voice.log(now_ns, "refused", {"seq": seq, "rule": answer.rule, "reason": answer.reason}, sync=True)
        if answer.latches:
            self.cause = f"Rule {answer.rule} refused an order. {answer.reason}"
            self.todo = "Keep this session's record: a refusal is a defect. Acknowledge, then arm again."
            return Verdict.UNSAFE
        return self.release(now_ns, driver, f"refused by {answer.rule}") if self.on else Verdict.CARRIED

    def _note(self, now_ns: int, kind: str, wish: "_Told", refusal: Refused | None) -> None:
        data = _fields(wish)
        if refusal is not None:
            data |= {"refused": refusal.rule, "reason": refusal.reason}
            self._voice.all(Refusal(now_ns, 0, refusal.rule, refusal.reason, False))
        self._voice.log(now_ns, kind, data, sync=True)


_Told = notices.Constrain | notices.NeedPosition | requests.Prescribe | requests.Identified | requests.Place


def _fields(wish: _Told) -> dict[str, Any]:
    return {name: getattr(wish, name) for name in wish.__slots__}
