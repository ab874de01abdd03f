"""The screen's whole world: one `Front`, and the patients there are. The screen holds no engine logic behind it."""

from dataclasses import dataclass
from typing import Protocol

from controller.vocabulary.facts import ArmNumber, GatewayStatus, Refusal
from controller.vocabulary.intents import Intent
from controller.vocabulary.requests import Request
from controller.vocabulary.snapshot import MotionPoint, Snapshot


@dataclass(frozen=True, slots=True)
class PatientEntry:
    """One line of the patient list. Pseudonyms only; `affected_side` is left or right."""

    pseudonym: str
    affected_side: str
    about: str
    simulated: bool


class Front(Protocol):
    """What the screen may know and say. Only `stop` may be called from another thread than the event loop's."""

    @property
    def snapshot(self) -> Snapshot | None:
        """The latest state of the session, None until the engine has spoken."""

    @property
    def status(self) -> GatewayStatus | None:
        """The latest state of the gateway, None until it has spoken."""

    @property
    def arm_number(self) -> ArmNumber | None:
        """The open arming number, None when there is none."""

    @property
    def arm_denied(self) -> str:
        """Why the last wish to arm was denied ("" when it was not)."""

    @property
    def refusals(self) -> tuple[Refusal, ...]:
        """The latest refusals of the guard, oldest first."""

    @property
    def engine_lost(self) -> str:
        """Why the line to the engine is gone ("" while it stands)."""

    @property
    def gateway_lost(self) -> str:
        """Why nothing is known of the gateway: its line has gone and no new one has spoken since ("" otherwise)."""

    def poll(self, now_ns: int) -> None:
        """Read both lines without waiting."""

    def take_motion(self) -> list[MotionPoint]:
        """Chart points that came since the last call."""

    def status_age_ms(self, now_ns: int) -> int:
        """Age of the gateway's status in ms, -1 for none."""

    def snapshot_age_ms(self, now_ns: int) -> int:
        """Age of the snapshot in ms, -1 for none."""

    def intend(self, intent: Intent) -> None:
        """Say to the engine what a person wants."""

    def request(self, request: Request) -> None:
        """Say to the gateway what a person wants."""

    def stop(self, source: str) -> None:
        """STOP, at once; the one call that any thread may make."""

    def heartbeat(self, now_ns: int) -> None:
        """The screen's event loop is alive."""


class HandsFree(Protocol):
    """A scripted therapist: called on every poll, it acts through the front as a person would through the keys."""

    def step(self, now_ns: int, front: Front) -> None:
        """Look at the front and press what is due."""
