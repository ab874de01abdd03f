"""Waiting, for shells and benches alone: no core ever waits."""

import time

from controller.clock import now_ns


def sleep_until(due_ns: int) -> None:
    """Sleep until the clock of `controller.clock` shows `due_ns` (not at all when it is past)."""
    left_ns = due_ns - now_ns()
    if left_ns > 0:
        time.sleep(left_ns / 1e9)
