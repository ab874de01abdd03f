"""A still front with sample data, and the app on it."""

from collections.abc import Callable

import pytest

from controller.tui import samples
from controller.tui.app import StimloopApp
from controller.tui.look import sample_app
from controller.tui.samples import SampleFront
from controller.vocabulary.facts import GatewayStatus
from controller.vocabulary.snapshot import Snapshot

SIZES = {"80x24": (80, 24), "160x50": (160, 50)}


@pytest.fixture(params=list(SIZES.values()), ids=list(SIZES))
def size(request: pytest.FixtureRequest) -> tuple[int, int]:
    """The two terminals that must look right."""
    return request.param


@pytest.fixture
def front() -> SampleFront:
    """A running session while current flows."""
    return SampleFront(samples.snapshot(), samples.status())


@pytest.fixture
def make_app() -> Callable[[SampleFront], StimloopApp]:
    """The app on a front, with a clock that stands."""
    return sample_app


@pytest.fixture
def show(make_app) -> Callable[[Snapshot, GatewayStatus], tuple[StimloopApp, SampleFront]]:
    """An app and its front from a snapshot and a status."""

    def build(snapshot: Snapshot, status: GatewayStatus) -> tuple[StimloopApp, SampleFront]:
        shown = SampleFront(snapshot, status)
        return make_app(shown), shown

    return build


@pytest.fixture
def rows() -> Callable[[StimloopApp], list[str]]:
    """The text of the screen, row by row."""

    def read(app: StimloopApp) -> list[str]:
        return [strip.text for strip in app.screen._compositor.render_strips()]

    return read
