"""What of a dose still counts for the rests (G22, G31, G32, J15, J22): carried over to a program that starts anew.

No clock outlives a program, so it is taken as having ended at the instant at which it is read: the next burst may then
wait longer than it would have had to, and never shorter.
"""

from typing import NamedTuple


class Lately(NamedTuple):
    """Of one patient: current of the last 10 min (ns), bursts of the last minute, the rest that is due (ns); movements
    of the last 10 min and of the last minute, and the joint's rest that is due (ns). What is on counts at its longest.
    """

    on_ns: int = 0
    bursts: int = 0
    rest_ns: int = 0
    crowd: int = 0
    movements: int = 0
    motion_rest_ns: int = 0


def whose(patient: str, date: str) -> tuple[str, str]:
    """Whose day it is: `P1` and `p1` are one patient."""
    return (patient.casefold(), date)
