"""Which screen shows: a function of what the engine and the gateway say, so the screen is never out of step."""

from controller.tui.pedal_words import pedal_tested
from controller.tui.view import View
from controller.vocabulary.snapshot import SessionState

_SCREENS = {
    SessionState.IDLE: "patient",
    SessionState.SCREENING: "screening",
    SessionState.CALIBRATING: "calibration",
    SessionState.READY: "run",
    SessionState.RUNNING: "run",
    SessionState.PAUSED: "run",
    SessionState.REVIEW: "review",
    SessionState.TRIPPED: "tripped",
}


def screen_for(view: View, devices_checked: bool) -> str:
    """The name of the main screen. Before fitting come the device check and the STOP test."""
    if view.state is None:
        return "starting"
    if view.state is not SessionState.FITTING:
        return _SCREENS[view.state]
    if not devices_checked:
        return "check"
    tested = view.status is not None and view.status.stop_tested and pedal_tested(view)
    return "fitting" if tested else "stop_test"
