"""Approved pictures of the screens that matter most. `pytest --snapshot-update` after a wanted change."""

import pytest

from controller.tui.look import SCENES, look
from controller.tui.look import sample_app as app_on


@pytest.mark.parametrize("name", ["running", "fitting", "tripped", "orthosis_running", "real_running"])
def test_picture(name, size, snap_compare):
    make_front, keys = SCENES[name]
    app = app_on(make_front())

    async def settle(pilot) -> None:
        await app.tick()
        await pilot.press(*keys)
        await app.tick()
        await pilot.pause()

    assert snap_compare(app, terminal_size=size, run_before=settle)


def test_look_writes_a_picture_of_a_scene_at_both_sizes(tmp_path, monkeypatch):
    monkeypatch.setattr("controller.tui.look.SCENES", {"running": SCENES["running"]})
    paths = look(tmp_path / "pictures")
    assert sorted(path.name for path in paths) == ["running_160x50.svg", "running_80x24.svg"]
    for path in paths:
        assert "attempt" in path.read_text(encoding="utf-8")
