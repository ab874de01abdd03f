"""The record as the engine writes it: one port, so that the core holds no file, no thread and no clock."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from controller.record.tables import Stim, Trial


class Recorder(Protocol):
    """What `controller.record.journal.Journal` gives. Times on the engine's clock; nothing blocks, nothing raises."""

    folder: Path

    @property
    def failed(self) -> str: ...

    @property
    def vouched(self) -> tuple[int, str] | None: ...

    def backlog_ms(self, now_ns: int) -> int: ...

    def event(self, t_ns: int, kind: str, data: Mapping[str, Any], sync: bool = False) -> None: ...

    def motion(self, puck: str, t_ns: int, row: Sequence[float | None]) -> None: ...

    def declare(self, t_ns: int, puck: str, columns: Sequence[tuple[str, str]]) -> None: ...

    def trial(self, t_ns: int, trial: Trial) -> None: ...

    def stim(self, t_ns: int, stim: Stim) -> None: ...

    def device(self, t_ns: int, role: str, identity: str, **details: str) -> None: ...

    def close(self, t_ns: int, ended: str, reason: str = "") -> None: ...
