"""What may be prescribed and constrained for a powered orthosis (`P11` to `P15`, `C11` to `C15`).

None of these latches: they are said while nothing moves, or leave the limits as they are.
"""

from safety.joint import JointDeviceLimits
from safety.joint_limits import (
    JOINT_CAPS,
    ROM_ABS_CDEG_MAX,
    ROM_MARGIN_CDEG,
    SIDES,
    JointPrescription,
    JointProtocolLimit,
    JointRegion,
)
from safety.orders import Refused
from safety.prescribing import REMEMBERED_MAX

JOINT_REGIONS: dict[str, JointRegion] = {region.value: region for region in JointRegion}
OTHER_JOINT = "C14"
"""The rule that says that the protocol means another joint than was prescribed."""


def joint_unknown(rule: str, region: str) -> Refused:
    """The answer to a joint that has no cap."""
    return Refused(rule, f"'{region}' is no joint with a cap: {', '.join(JOINT_REGIONS)}.", latches=False)


def joint_prescription_refused(
    device: JointDeviceLimits | None, wish: JointPrescription, armed: bool, lowest_mnm: int, remembered: int
) -> Refused | None:
    """Judge a prescription. `lowest_mnm` is the least ceiling found before for the same patient, joint, side and day
    (0 when none was); `remembered` how many of those the guard holds already."""
    if armed is not False:
        return Refused("P11", "Prescriptions change only while disarmed.", latches=False)
    if device is None:
        return Refused("P12", "No powered orthosis is fitted to this program.", latches=False)
    if wish.side not in SIDES:
        return Refused("P12", f"'{wish.side}' is no side: left or right.", latches=False)
    wrong = _range_fault(wish)
    if wrong is not None:
        return Refused("P13", wrong, latches=False)
    most_mnm = min(device.torque_mnm_max, JOINT_CAPS[wish.region].torque_mnm)
    if type(wish.torque_mnm) is not int or not 0 <= wish.torque_mnm <= most_mnm:
        return Refused("P14", f"A torque of {wish.torque_mnm} mNm is not within 0 to {most_mnm} mNm.", latches=False)
    if lowest_mnm != 0 and not wish.torque_mnm <= lowest_mnm:
        reason = f"Today's torque was found at {lowest_mnm} mNm and may only fall, not rise to {wish.torque_mnm} mNm."
        return Refused("P14", reason, latches=False)
    if not remembered < REMEMBERED_MAX:
        return Refused("P15", "Too many prescriptions in one run: start the program again.", latches=False)
    return None


def joint_constraint_refused(
    wish: JointProtocolLimit, channels: int, given: JointPrescription | None, before: JointProtocolLimit | None
) -> Refused | None:
    """Judge a protocol's limits of the joint. `before` is what must not be widened (while armed)."""
    for number in (wish.torque_mnm, wish.speed_cdps, wish.on_ms_max):
        if type(number) is not int or not number >= 0:
            return Refused("C12", "A limit of the protocol's orthosis is not a whole number from 0 up.", latches=False)
    if not type(wish.angle_min_cdeg) is type(wish.angle_max_cdeg) is int:
        return Refused("C12", "An angle of the protocol's orthosis is not a whole number.", latches=False)
    if not _signs_fit(wish.channel_signs, channels):
        reason = "Each channel's sign at the joint is (channel, -1, 0 or +1), each channel once."
        return Refused("C13", reason, latches=False)
    if given is not None and given.region is not wish.region:
        reason = f"The protocol's orthosis moves the {wish.region}, but the {given.region} is prescribed."
        return Refused(OTHER_JOINT, reason, latches=False)
    if before is not None and not _within(wish, before):
        return Refused("C15", "While armed, the protocol's limits of the orthosis can only narrow.", latches=False)
    return None


def _range_fault(wish: JointPrescription) -> str | None:
    low, high = wish.rom_min_cdeg, wish.rom_max_cdeg
    if not type(low) is type(high) is int:
        return "The range of motion is not two whole numbers of cdeg."
    if not -ROM_ABS_CDEG_MAX <= low <= high <= ROM_ABS_CDEG_MAX:
        return f"A range of {low} to {high} cdeg is none: least first, within {ROM_ABS_CDEG_MAX} cdeg either way."
    if not low + ROM_MARGIN_CDEG < high - ROM_MARGIN_CDEG:
        return f"A range of {low} to {high} cdeg leaves nothing: {ROM_MARGIN_CDEG} cdeg are kept free at each end."
    return None


def _signs_fit(signs: tuple[tuple[int, int], ...], channels: int) -> bool:
    if type(signs) is not tuple or not len(signs) <= channels:
        return False
    for pair in signs:
        if type(pair) is not tuple or len(pair) != 2 or not type(pair[0]) is type(pair[1]) is int:
            return False
        if not 1 <= pair[0] <= channels or not -1 <= pair[1] <= 1:
            return False
    return len({channel for channel, _ in signs}) == len(signs)


def _within(wish: JointProtocolLimit, before: JointProtocolLimit) -> bool:
    return (
        wish.region is before.region
        and wish.torque_mnm <= before.torque_mnm
        and wish.speed_cdps <= before.speed_cdps
        and wish.angle_min_cdeg >= before.angle_min_cdeg
        and wish.angle_max_cdeg <= before.angle_max_cdeg
        and wish.on_ms_max <= before.on_ms_max
        and wish.channel_signs == before.channel_signs
    )
