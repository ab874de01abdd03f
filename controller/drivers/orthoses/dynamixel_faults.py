"""What can be wrong with a Dynamixel joint, in sentences for the therapist."""

from controller.drivers.orthoses.events import UnitFault
from controller.wire.dynamixel.messages import Error
from controller.wire.dynamixel.registers import ENCODER, MODELS, OVERHEAT, OVERLOAD, SHOCK, VOLTAGE_ERROR

_POWER = (
    "Switch the orthosis' power off and on, check that the joint moves freely by hand, then acknowledge and arm again."
)
_CABLE = "Check the orthosis' cable and power. Then acknowledge and arm again."
_REPORT = "Nothing more is sent. Report this defect."
_SETUP = "Have it set with the maker's tool, DYNAMIXEL Wizard, by whoever built the orthosis."
_LOOK = "Torque is being switched off. Look after the patient's limb, then acknowledge and arm again."

SILENT = UnitFault("The orthosis no longer answers.", "SWITCH THE ORTHOSIS' POWER OFF, then check its cable and power.")
DEAF_TO_STOP = UnitFault(
    "The orthosis does not confirm that its torque is off.",
    "SWITCH THE ORTHOSIS' POWER OFF. It stops pushing by itself within 0.1 s.",
)
STALE = UnitFault("The angle of the joint was not reported for 60 ms while the orthosis moved it.", _CABLE)
STALLED = UnitFault(
    "The joint does not follow, although the orthosis pushes with all the torque that was admitted.",
    "The orthosis lets go. Look for what blocks the joint, or for spasm; then acknowledge and arm again.",
)
AGAINST = UnitFault("The joint moves against what was ordered.", _LOOK)
THROWN = UnitFault("The joint moves much faster than was ordered.", _LOOK)
HARDER = UnitFault("The orthosis pushes harder than was ordered.", "SWITCH THE ORTHOSIS' POWER OFF. " + _REPORT)
TRIPPED = UnitFault("The orthosis has heard nothing for 100 ms and its bus watchdog has stopped it.", _CABLE)
NO_WATCHDOG = UnitFault(
    "The orthosis does not keep its bus watchdog, so it would go on pushing if this computer failed.", _POWER
)
STILL_ON = UnitFault("The orthosis says that its torque is on although nothing was ordered.", _LOOK)
FELL_OFF = UnitFault("The orthosis has switched its torque off by itself: it has probably restarted.", _CABLE)
DEFECT = UnitFault("A movement's next step did not pass the program's own check.", _REPORT)
ALERTED = UnitFault("The orthosis reports a hardware error.", _POWER)

_BITS = (
    (OVERLOAD, "an overload", _POWER),
    (OVERHEAT, "that it is too hot", "Let the orthosis cool down. " + _POWER),
    (VOLTAGE_ERROR, "that its supply voltage is out of range", "Check its battery or power supply. " + _POWER),
    (SHOCK, "an electrical fault", _POWER),
    (ENCODER, "that its angle sensor fails", _POWER),
)


def hardware_fault(bits: int) -> UnitFault:
    """The fault behind a hardware error that is not 0: the gravest bit that has a name."""
    for bit, words, todo in _BITS:
        if bits & bit:
            return UnitFault(f"The orthosis reports {words}.", todo)
    return UnitFault(f"The orthosis reports hardware error {bits}.", _POWER)


def refusal(what: str, error: int) -> UnitFault:
    """The servo answered an instruction with an error number."""
    words = Error(error).name.lower() if error in set(Error) else "unknown"
    return UnitFault(f"The orthosis refused {what}: error {error} ({words}).", _POWER)


def model_fault(number: int) -> UnitFault:
    """A servo that is not on the list."""
    names = " or ".join(model.name for model in MODELS.values())
    return UnitFault(f"The servo is of model {number}, which is not supported.", f"Use an orthosis with {names}.")


def firmware_fault(firmware: int, least: int) -> UnitFault:
    """A firmware that has no bus watchdog."""
    return UnitFault(f"The servo's firmware is {firmware}; it takes {least} or newer.", _SETUP)


def setting_fault(what: str, is_: int, wanted: str) -> UnitFault:
    """A setting of the servo that does not allow safe use."""
    return UnitFault(f"The servo's {what} is {is_}; it must be {wanted}.", _SETUP)


def voltage_fault(decivolts: int) -> UnitFault:
    """The supply is outside the servo's own limits."""
    volts = f"{decivolts // 10}.{decivolts % 10} V"
    return UnitFault(f"The orthosis' supply voltage is {volts}, out of range.", "Check its battery or power supply.")


def heat_fault(celsius: int) -> UnitFault:
    """Nearly too hot."""
    return UnitFault(f"The orthosis' servo is {celsius} C hot.", "Let it cool down, then acknowledge and arm again.")
