"""The record of changes, the core's half: what was set to what, of whom, and why. The disk's half is `audit_book`.

The first setting of a day needs no reason; changing what stands does. Each change is also in the gateway's own log.
"""

import json
from typing import Any

from controller.gateway import ports
from controller.gateway.voice import Voice
from controller.vocabulary.facts import Refusal

REASON_LETTERS_MIN = 3
UNEXPLAINED = "A01"
MISDATED = "A02"


class AuditKeeper:
    """`kept` False: there is nowhere to write it down (a run without a disk); the gateway's log still has it."""

    def __init__(self, voice: Voice, kept: bool) -> None:
        self.blocked = ""
        """Why nothing may be armed, in one sentence with what to do; "" while changes are written down."""
        self._voice = voice
        self._kept = kept
        self._stands: dict[tuple[str, str], dict[str, Any]] = {}

    def unexplained(self, now_ns: int, what: str, subject: str, new: dict[str, Any], reason: str) -> bool:
        """A change of what stands, and nobody says why: it is refused, and said so."""
        old = self._stands.get((what, subject))
        said = type(reason) is str and len(reason.strip()) >= REASON_LETTERS_MIN
        if old is None or old == new or said:
            return False
        sentence = f"The {what} of {subject} stands already: a change needs a reason, in a few words."
        self.refuse(now_ns, UNEXPLAINED, what, subject, new, sentence)
        return True

    def refuse(self, now_ns: int, rule: str, what: str, subject: str, new: dict[str, Any], sentence: str) -> None:
        """It stays as it is; screen, engine and log are told why."""
        self._voice.all(Refusal(now_ns, 0, rule, sentence, False))
        told = {"what": what, "subject": subject, "new": new, "refused": rule, "reason": sentence}
        self._voice.log(now_ns, "change_refused", told, sync=True)

    def change(
        self, now_ns: int, what: str, subject: str, new: dict[str, Any], reason: str = "", *, stands: bool = True
    ) -> None:
        """It is so from now on. `stands`: changing it later in this run needs a reason."""
        if stands:
            self._stands[(what, subject)] = new
        if self._kept:
            self._voice.out.append(ports.Audit(now_ns, what, subject, new, reason.strip()[:200]))

    def tell(self, now_ns: int, what: str, subject: str, text: str, reason: str) -> None:
        """What the engine decided; its words are JSON."""
        try:
            new = json.loads(text)
        except (ValueError, RecursionError):
            new = {"text": text}
        self.change(now_ns, what, subject, new if isinstance(new, dict) else {"value": new}, reason, stands=False)

    def head(self, now_ns: int, entry: ports.AuditHead) -> None:
        """How far the record of changes goes: this log vouches for it."""
        self._voice.log(now_ns, "audit_head", {"seq": entry.seq, "hash": entry.hash}, sync=True)

    def failed(self, now_ns: int, cause: str) -> None:
        """It cannot be written any more. What runs goes on; nothing new is armed."""
        self.blocked = f"Changes cannot be written down ({cause}). Make room or mend the disk, then start again."
        self._voice.log(now_ns, "audit_failed", {"cause": cause}, sync=True)
