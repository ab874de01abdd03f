"""Looks before a session is started whether the devices that are named can serve its protocol."""

from controller.drivers.inputs import is_simulated_port
from controller.drivers.pucks.base import extras_of
from controller.drivers.pucks.kind import chosen_puck
from controller.session.loader import Loaded
from controller.session.sources import Given, check_devices


def check_start(loaded: Loaded, puck: str, button_pedal: str = "") -> None:
    """`puck` as in `--puck` (for a demonstration its kind alone). Raises ProtocolRefused with every condition that the
    devices cannot make true, and `registry.UnknownDevice`."""
    kind, which, port = chosen_puck(puck)
    driver = kind.driver_at(port)
    senses = extras_of(driver).senses(which or driver.pucks[0])
    check_devices(loaded, Given(senses.touch, senses.load, bool(button_pedal)), kind.capabilities.device)


def mispedalled(pedal: str, button_pedal: str) -> str:
    """What is wrong with the pedals that were named, in one sentence; "" when nothing is."""
    if pedal and pedal == button_pedal:
        return f"--button-pedal {button_pedal}: this pedal stops; the button needs a pedal of its own"
    for option, named in (("--pedal", pedal), ("--button-pedal", button_pedal)):
        if "/" in named and not is_simulated_port(named):
            return f"{option} {named}: name the pedal by its serial number; `stimloop devices` lists them"
        if named != named.strip():
            return f"{option} {named!r}: a serial number has no blanks at its ends"
    return ""
