"""The last line of the shell: whatever went wrong, each device is told to stop, whatever becomes of the other."""

from collections.abc import Iterable
from typing import Protocol


class Stops(Protocol):
    """What a driver can always be asked for."""

    def stop(self, now_ns: int) -> bytes: ...


class Writes(Protocol):
    """What a device's port can always be given."""

    def write(self, data: bytes) -> None: ...


def off(now_ns: int, devices: Iterable[tuple[str, Stops | None, Writes | None]]) -> dict[str, str]:
    """The stop bytes of each driver to its port, now. Gives what became of each, in words; never raises."""
    told: dict[str, str] = {}
    for name, driver, port in devices:
        if driver is None or port is None:
            told[name] = "not connected"
            continue
        try:
            port.write(driver.stop(now_ns))
            told[name] = "told to stop"
        except Exception as error:  # the other device must still be told
            told[name] = f"could not be told: {type(error).__name__}: {error}"
    return told
