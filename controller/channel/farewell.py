"""What is left of a process that met something nobody foresaw: the details in a file, one sentence for the person."""

import contextlib
import os
import traceback
from pathlib import Path

LETTERS_MAX = 8_000
SENTENCE_LETTERS_MAX = 300


def details(error: BaseException) -> str:
    """Where it happened, for whoever mends it: the newest end of a long story."""
    return "".join(traceback.format_exception(error))[-LETTERS_MAX:]


def farewell(process: str, error: BaseException, done: str) -> str:
    """Keep the details in the user's cache; gives what a person is told. `done` says what that meant. Never raises."""
    where = "the details could not be written"
    with contextlib.suppress(OSError, RuntimeError, ValueError):  # no home, no room: the sentence is said all the same
        path = Path.home() / ".cache" / "stimloop" / f"crash-{process}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8", errors="backslashreplace") as file:
            file.write(details(error))
        where = f"details are in {path}"
    what = " ".join(f"{type(error).__name__}: {error}".split())[:SENTENCE_LETTERS_MAX]
    return f"stimloop {process}: something went wrong that was not foreseen ({what}). {done} Please report it: {where}."
