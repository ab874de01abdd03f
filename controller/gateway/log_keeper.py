"""The gateway's own log, the core's half: nothing is armed without it. The disk's half is `blackbox`."""

BEHIND = "The gateway's log is more than 1 s behind."
CATCH_UP = "The disk is too slow or hangs: look at it, then acknowledge and arm, or start again."
UNOPENED = "The gateway's log is not on disk yet. Choose the patient, or wait a moment."


class LogKeeper:
    """`wanted` False: there is nowhere to keep a log (a run without a disk)."""

    def __init__(self, wanted: bool) -> None:
        self._wanted = wanted
        self._folder = ""
        self._kept = False
        self._behind = False

    @property
    def blocked(self) -> str:
        """Why nothing may be armed, in one sentence with what to do; "" while the log is on disk."""
        if not self._wanted:
            return ""
        if self._behind:
            return f"{BEHIND} {CATCH_UP}"
        return "" if self._kept else UNOPENED

    def opening(self, folder: str) -> None:
        """It goes into this folder from now on; until its first record is on disk there, there is none."""
        if folder != self._folder:
            self._folder, self._kept, self._behind = folder, False, False

    def kept(self, folder: str) -> None:
        """A record is on disk in this folder."""
        self._kept = self._kept or folder == self._folder

    def behind(self, behind: bool) -> None:
        """Its writer is more than 1 s behind, or has caught up."""
        self._behind = behind
