"""What one step of the gateway has to say, collected in the order in which it is to be performed."""

from typing import Any

from controller.gateway.ports import Log, Output, ToEngine, ToFront, ToJoint, ToUnit
from controller.vocabulary.facts import Fact


class Voice:
    """Gathers the outputs of a step."""

    def __init__(self) -> None:
        self.out: list[Output] = []

    def begin(self) -> list[Output]:
        """A new step begins; gives the list that it will fill."""
        self.out = []
        return self.out

    def unit(self, data: bytes) -> None:
        """Bytes for the unit."""
        if data:
            self.out.append(ToUnit(data))

    def joint(self, data: bytes) -> None:
        """Bytes for the powered orthosis."""
        if data:
            self.out.append(ToJoint(data))

    def engine(self, fact: Fact) -> None:
        """A fact for the engine alone."""
        self.out.append(ToEngine(fact))

    def all(self, fact: Fact) -> None:
        """A fact for the screen and the engine."""
        self.out.append(ToFront(fact))
        self.out.append(ToEngine(fact))

    def log(self, now_ns: int, kind: str, data: dict[str, Any], sync: bool = False) -> None:
        """A record."""
        self.out.append(Log(now_ns, kind, data, sync))
