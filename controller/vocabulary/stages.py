"""The stages of permission: what a unit may be used for, from simulated to closed loop. Each includes those before."""

from enum import StrEnum

TEST_LOAD = "RESISTOR"
"""The pseudonym reserved for a test load (a resistor box) on the leads: no person."""
SIMULATED_PATIENT = "SIM"
"""How the pseudonyms of simulated patients begin."""


class Stage(StrEnum):
    """What the devices of a session may be used for. A simulated unit needs no permission; a real one an entry."""

    NONE = "none"  # no permission: it cannot be armed
    SIMULATED = "simulated"  # nothing real is connected
    RESISTOR_BOX = "resistor box"  # current into a test load alone, never into a person
    BUTTON_TRIGGERED = "button-triggered"  # a person's button begins each burst and each movement
    CLOSED_LOOP = "closed loop"  # the patient's own attempt may begin it


GRANTED = (Stage.RESISTOR_BOX, Stage.BUTTON_TRIGGERED, Stage.CLOSED_LOOP)
"""What an authorisation can grant, in the order in which the stages are unlocked."""

SHOWN = {
    Stage.NONE: "REAL: NOT PERMITTED",
    Stage.SIMULATED: "SIMULATED",
    Stage.RESISTOR_BOX: "RESISTOR BOX ONLY",
    Stage.BUTTON_TRIGGERED: "REAL: BUTTON ONLY",
    Stage.CLOSED_LOOP: "REAL: CLOSED LOOP",
}
"""The stage in the words of the screen."""
