"""A powered orthosis on the screen: what was measured, what the bar says, and which limit binds."""

from dataclasses import replace

import pytest

from controller.tui import samples
from controller.tui.joint_found import JointFound
from controller.tui.joint_words import does, joint_line, joint_parts
from controller.tui.samples import NOW_NS, SampleFront
from controller.tui.screens.check import items
from controller.tui.screens.form_dialog import Wrong
from controller.tui.screens.joint_dialog import measured
from controller.tui.view import View
from controller.tui.widgets.alert_line import alert_parts
from controller.tui.widgets.status_bar import bar_model, bar_parts
from controller.vocabulary.facts import ChannelOutput, GatewayState, Refusal
from controller.vocabulary.intents import FittingDone
from controller.vocabulary.requests import PrescribeJoint
from controller.vocabulary.snapshot import SessionState
from controller.vocabulary.stages import Stage

RUNNING, FITTING = SessionState.RUNNING, SessionState.FITTING
PRESCRIBED = PrescribeJoint("SIM01", "2026-11-22", "wrist", "right", -5_000, 4_500, 800, "measured at the joint")


def text(parts):
    return "".join(part if isinstance(part, str) else part[0] for part in parts)


def view(report, status=None, state=RUNNING):
    shown = samples.with_joint(samples.snapshot(state), status or samples.status(GatewayState.ARMED), report)
    return View.of(SampleFront(*shown), NOW_NS)


# -- what was typed ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        (("-50", "45", "0.8"), (-5_000, 4_500, 800)),
        (("−50", " 45 ", "+0.8"), (-5_000, 4_500, 800)),
        (("-49.999", "44.999", "0.7999"), (-4_999, 4_499, 799)),  # always to the gentler side
        (("-180", "180", "100"), (-18_000, 18_000, 100_000)),
        (("-0", "6.01", "0.001"), (0, 601, 1)),
    ],
)
def test_what_is_measured_is_taken_in_whole_units_to_the_gentler_side(typed, found):
    assert measured(*typed) == found


@pytest.mark.parametrize("nothing", ["nan", "NaN", "-nan", "snan", "inf", "-Infinity", "1e999", "181", "-181"])
@pytest.mark.parametrize("at", [0, 1, 2])
def test_what_is_no_finite_number_is_refused_in_every_field(nothing, at):
    typed = ["-50", "45", "0.8"]
    typed[at] = nothing.replace("181", "10181")
    wrong = measured(*typed)
    assert isinstance(wrong, Wrong)
    assert wrong.field == ("lowest", "highest", "torque")[at]
    assert "cannot be" in wrong.sentence


@pytest.mark.parametrize(
    ("typed", "field", "said"),
    [
        (("", "45", "0.8"), "lowest", "is missing"),
        (("-50", "fourty", "0.8"), "highest", "is no number."),
        (("-50", "45", "0,8"), "torque", "Use a point, not a comma."),
        (("1,000", "45", "0.8"), "lowest", "Use a point, not a comma."),
        (("- 50", "45", "0.8"), "lowest", "is no number."),
        (("45", "-50", "0.8"), "lowest", "below the highest"),
        (("45", "45", "0.8"), "lowest", "below the highest"),
        (("0", "6", "0.8"), "highest", "leaves nothing"),
        (("-50", "45", "0"), "torque", "above 0"),
        (("-50", "45", "-0.8"), "torque", "above 0"),
        (("-50", "45", "0.0009"), "torque", "above 0"),
    ],
)
def test_what_cannot_be_measured_says_which_field_and_why(typed, field, said):
    wrong = measured(*typed)
    assert isinstance(wrong, Wrong)
    assert wrong.field == field
    assert said in wrong.sentence


# -- the dialog -------------------------------------------------------------------------------------------------------


def fitting(measured_already=False):
    return samples.with_joint(samples.fitting(marked=True), samples.status(), samples.joint(measured=measured_already))


async def typed(pilot, app, *texts):
    for one in texts:
        await pilot.press(*one)
        await pilot.press("enter")
        await app.tick()
        await pilot.pause()


async def test_three_numbers_go_to_the_gateway_and_only_then_fitting_can_finish(show, rows):
    app, front = show(*fitting())
    app.devices_checked = True
    async with app.run_test(size=(80, 24)) as pilot:
        await app.tick()
        await pilot.press("f")
        assert front.said == []
        await pilot.press("j")
        await pilot.pause()
        await typed(pilot, app, "-50", "45", "0.8")
        assert front.said == [PRESCRIBED]
        assert type(app.screen).__name__ == "FittingScreen"
        await pilot.press("f")
        await app.tick()
        assert front.said == [PRESCRIBED]  # the gateway has not taken it yet
        _, front.status = fitting(measured_already=True)
        await app.tick()
        await pilot.pause()
        page = "\n".join(rows(app))
        assert "✓ -50 to 45, moved to -47 to 30 deg, 0.80 Nm (patient ceiling)" in page
        await pilot.press("f")
        assert front.said[-2:] == [PRESCRIBED, FittingDone()]


async def test_a_wrong_number_stays_in_its_field_and_escape_leaves_all_as_it_was(show, rows):
    app, front = show(*fitting())
    app.devices_checked = True
    async with app.run_test(size=(80, 24)) as pilot:
        await app.tick()
        await pilot.press("j")
        await pilot.pause()
        await typed(pilot, app, "nan", "45", "0.8")
        assert "The lowest angle of nan cannot be." in rows(app)[1]
        assert app.focused.id == "lowest"
        await pilot.press("escape")
        await app.tick()
        assert front.said == []
        assert type(app.screen).__name__ == "FittingScreen"


async def test_figures_that_stand_already_are_changed_only_with_a_reason(show, rows):
    app, front = show(*fitting(measured_already=True))
    app.devices_checked = True
    async with app.run_test(size=(80, 24)) as pilot:
        await app.tick()
        for torque in ("0.8", "0.8", "0.5"):  # the first time, the same again, and another figure
            await pilot.press("j")
            await pilot.pause()
            await typed(pilot, app, "-50", "45", torque)
        await pilot.pause()
        assert front.said == [PRESCRIBED, PRESCRIBED]
        assert "The figures of the wrist are changed. Why?" in "\n".join(rows(app))
        await typed(pilot, app, "no")
        assert len(front.said) == 2
        await typed(pilot, app, " still tired")
        assert front.said[2:] == [replace(PRESCRIBED, torque_mnm=500, reason="no still tired")]
        assert app.joint_found.found == (-5_000, 4_500, 500)


async def test_what_the_gateway_refuses_counts_as_not_measured_and_is_not_told_any_longer_than_it_is_true(show, rows):
    app, front = show(*fitting(measured_already=True))
    app.devices_checked = True
    async with app.run_test(size=(80, 24)) as pilot:
        await app.tick()
        await pilot.press("j")
        await pilot.pause()
        await typed(pilot, app, "-50", "45", "9")
        front.refusals = (Refusal(NOW_NS, 0, "P14", "A torque of 9000 mNm is too much.", False),)
        await app.tick()
        await pilot.pause()
        assert "P14" in "\n".join(rows(app)[1:3])
        assert app.joint_found.found is None
        assert "Press j" in "\n".join(rows(app))
        app.clock = lambda: NOW_NS + 1
        await pilot.press("j")
        await pilot.pause()
        await typed(pilot, app, "-50", "45", "0.8")
        await app.tick()
        await pilot.pause()
        assert app.joint_found.found == (-5_000, 4_500, 800)
        assert "P14" not in "\n".join(rows(app)[1:3])


async def test_while_armed_the_joint_is_not_measured(show, rows):
    armed = replace(samples.status(GatewayState.ARMED), scope="fitting")
    app, _ = show(*samples.with_joint(samples.fitting(marked=True), armed, samples.joint(measured=False)))
    app.devices_checked = True
    async with app.run_test(size=(80, 24)) as pilot:
        await app.tick()
        await pilot.press("j")
        await pilot.pause()
        assert len(app.screen_stack) == 2
        assert "Disarm first (d)" in rows(app)[1]


def test_a_refused_measurement_leaves_the_one_before():
    found = JointFound()
    found.ask((0, 4_000, 500), 10)
    found.hear([Refusal(9, 0, "P14", "an older one", False), Refusal(11, 0, "G07", "of another kind", False)])
    assert found.found == (0, 4_000, 500)
    found.ask((0, 4_000, 900), 20)
    found.hear([Refusal(21, 0, "P14", "may only fall", False)])
    found.hear([Refusal(21, 0, "P14", "may only fall", False)])
    assert found.found == (0, 4_000, 500)
    assert found.range == (0, 4_000)
    found.forget()
    assert found.found is found.range is None


# -- the bar ----------------------------------------------------------------------------------------------------------

NO_CURRENT = (ChannelOutput(1, 0, 0),)


@pytest.mark.parametrize(
    ("state", "commanded_ua", "torque_mnm", "word"),
    [
        (GatewayState.DISARMED, 0, 0, "□ SAFE 0 mA, torque off"),
        (GatewayState.ARMED, 0, 0, "▶ ARMED for session, 0 mA"),
        (GatewayState.ARMED, 0, 420, "■ ORTHOSIS ON 0.42 Nm, extends"),
        (GatewayState.ARMED, 0, -420, "■ ORTHOSIS ON 0.42 Nm, flexes"),
        (GatewayState.DISARMED, 0, 420, "■ ORTHOSIS ON 0.42 Nm, extends"),
        (GatewayState.DELIVERING, 12_500, 420, "■ STIM ON ch1 12.5 mA + ORTHOSIS 0.42 Nm"),
        (GatewayState.DELIVERING, 12_500, 0, "■ STIM ON ch1 12.5 mA"),
        (GatewayState.LATCHED, 0, 420, "▲ STOPPED, ORTHOSIS STILL ON 0.42 Nm: STOP was pressed (F12)."),
        (GatewayState.LATCHED, 0, 0, "▲ STOPPED: STOP was pressed (F12)."),
    ],
)
def test_the_bar_says_whether_it_pushes_how_much_and_which_way(state, commanded_ua, torque_mnm, word):
    status = samples.latched() if state is GatewayState.LATCHED else samples.status(state, commanded_ua)
    status = status if commanded_ua else replace(status, outputs=NO_CURRENT)
    assert bar_model(view(samples.joint(torque_mnm), status)).word == word


def test_letting_go_is_not_safe_yet_and_nothing_is_claimed_of_a_silent_orthosis():
    going = replace(samples.joint(200), moving=False)
    assert bar_model(view(going, samples.status())).word == "■ ORTHOSIS ON 0.20 Nm, lets go"
    silent = replace(samples.joint(), t_ns=0, ready=False)
    assert bar_model(view(silent, samples.status())).word == "□ SAFE 0 mA"
    broken = replace(samples.joint(), fault="Its cable is off.")
    assert bar_model(view(broken, samples.status())).word == "□ SAFE 0 mA"


@pytest.mark.parametrize("width", [80, 100, 160])
@pytest.mark.parametrize("amplitude_ua", [500, 12_500, 120_000])
@pytest.mark.parametrize("stale", [False, True])
def test_stop_stands_whole_and_the_push_is_never_cut(width, amplitude_ua, stale):
    shown = view(samples.joint(1_420), samples.status(GatewayState.DELIVERING, amplitude_ua))
    if stale:
        shown = replace(shown, snapshot_age_ms=400)
    row = text(bar_parts(bar_model(shown), width))
    assert len(row) == width
    assert row.endswith(" F12 STOP ")
    assert f"{amplitude_ua / 1000:.1f} mA + ORTHOSIS 1.42 Nm" in row


def test_what_is_wrong_with_a_link_stays_when_room_is_short():
    status = replace(samples.latched(), cause="The orthosis was lost (unplugged). " * 4)
    row = text(bar_parts(bar_model(view(replace(samples.joint(), ready=False, identity=""), status)), 80))
    assert "orthosis ○" in row
    assert "unit ●" not in row
    assert len(row) == 80


def test_the_link_is_whole_while_a_stopped_orthosis_still_says_where_it_is():
    stopped = replace(samples.joint(), ready=False)
    assert "orthosis ●" in text(bar_model(view(stopped)).links)
    assert "orthosis ○" in text(bar_model(view(replace(stopped, t_ns=NOW_NS - 900_000_000))).links)


# -- the pane ---------------------------------------------------------------------------------------------------------


def test_the_pane_says_what_it_does_what_was_asked_what_binds_and_where_it_stands():
    lines = text(joint_parts(view(samples.joint(420)), 35, (-5_500, 5_000))).splitlines()
    assert lines == [
        "wrist extends   0.60 Nm   0.42 Nm",
        "limit 0.80 Nm: patient ceiling",
        " -55 ──════●═════─── 50    -12 deg",
    ]
    assert max(map(len, lines)) <= 35


@pytest.mark.parametrize("region", ["finger", "wrist", "elbow", "ankle"])
@pytest.mark.parametrize("torque_mnm", [-420, -9, 9, 420])
def test_every_joint_has_its_own_words_and_they_fit(region, torque_mnm):
    report = samples.joint(torque_mnm)
    word = does(report, region)
    ways = {"finger": ("opens", "closes"), "ankle": ("lifts", "lowers")}.get(region, ("extends", "flexes"))
    assert word == ("holds" if abs(torque_mnm) < 10 else ways[torque_mnm < 0])
    shown = view(report)
    joint = replace(shown.snapshot.joint[0], region=region)
    shown = replace(shown, snapshot=replace(shown.snapshot, joint=(joint,)))
    lines = text(joint_parts(shown, 35, None)).splitlines()
    assert lines[0].startswith(f"{region} {word}")
    assert max(map(len, lines)) <= 35


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"bound_by": "device SIMDXL0001 with a long name"}, "limit 0.80 Nm: device SIMDXL0001 w…"),
        ({"torque_limit_mnm": 0}, "not measured today: it cannot move"),
        ({"angle_min_cdeg": 3_000}, "today's range leaves it nowhere to go"),
        ({"rest_until_ns": NOW_NS + 4_000_000_000}, "resting for another 4 s"),
        ({"fault": "The supply voltage is too low. Look at its power."}, "▲ The supply voltage is too low"),
        ({"identity": ""}, "▲ The orthosis has not said who it is yet."),
    ],
)
def test_the_pane_says_what_stands_in_the_way(changes, line):
    assert line in text(joint_parts(view(replace(samples.joint(), **changes)), 35, None))


def test_more_torque_than_was_asked_or_allowed_stands_out():
    shown = view(replace(samples.joint(420), torque_mnm=900))
    assert "0.90 Nm ▲" in text(joint_parts(shown, 35, None))
    assert "▲" not in text(joint_parts(view(samples.joint(420)), 35, None))


@pytest.mark.parametrize(("angle_cdeg", "mark"), [(-9_000, " -55 ◆"), (9_000, "◆ 50 "), (-5_500, " -55 ●")])
def test_a_joint_outside_of_todays_range_stands_out_at_its_end(angle_cdeg, mark):
    shown = view(replace(samples.joint(), angle_cdeg=angle_cdeg))
    assert mark in text(joint_parts(shown, 35, (-5_500, 5_000)))


def test_without_an_orthosis_there_is_no_line():
    shown = View.of(SampleFront(samples.snapshot(), samples.status()), NOW_NS)
    assert joint_parts(shown, 35, None) == joint_line(shown, None) == ()


# -- check list and alerts ---------------------------------------------------------------------------------------------


def orthosis_item(report, status=None, state=FITTING):
    return next(item for item in items(view(report, status, state)) if item.name == "orthosis")


def test_the_check_list_tells_ready_stopped_starting_and_broken_apart():
    ready = samples.joint()
    assert orthosis_item(ready, samples.status()).good
    stopped = orthosis_item(replace(ready, ready=False), samples.status())
    assert stopped.good
    assert stopped.found.endswith("torque off, stopped")
    starting = orthosis_item(replace(ready, ready=False, t_ns=0), samples.status())
    assert (starting.good, "starting" in starting.found) == (False, True)
    broken = orthosis_item(replace(ready, fault="The motor is too hot."), samples.status())
    assert (broken.good, broken.found) == (False, "The motor is too hot.")


def test_a_real_orthosis_is_called_real_and_the_simulated_unit_is_not():
    status = replace(samples.status(), simulated=False, stage=Stage.NONE, permission="XM430-W210 id 1 has no entry.")
    shown = view(replace(samples.joint(), identity="XM430-W210 id 1"), status)
    (
        unit,
        *_,
    ) = items(shown)
    assert unit.good
    assert "simulated" in unit.found
    orthosis = next(item for item in items(shown) if item.name == "orthosis")
    assert not orthosis.good
    assert "REAL ORTHOSIS" in orthosis.found
    assert orthosis.todo == "XM430-W210 id 1 has no entry."
    permitted = replace(status, stage=Stage.BUTTON_TRIGGERED, permission="")
    shown = view(replace(samples.joint(), identity="XM430-W210 id 1"), permitted)
    assert next(item for item in items(shown) if item.name == "orthosis").good


def test_an_orthosis_that_is_wanted_and_not_named_or_named_and_not_wanted():
    shown = view(samples.joint(), samples.status())
    missing = replace(shown, status=replace(shown.status, joint=()))
    item = next(item for item in items(missing) if item.name == "orthosis")
    assert not item.good
    assert "--orthosis KIND:PORT" in item.todo
    unused = replace(shown, snapshot=replace(shown.snapshot, joint=()))
    item = next(item for item in items(unused) if item.name == "orthosis")
    assert item.good
    assert "not moved by this protocol" in item.found


def test_after_stop_the_messages_speak_of_current_and_movement():
    assert "No current and no movement before" in text(alert_parts(view(samples.joint(), samples.latched()), ""))
    silent = replace(view(samples.joint()), status_age_ms=500)
    assert text(alert_parts(silent, "")).startswith("*** PULL THE LEADS. SUPPORT THE LIMB")


@pytest.mark.parametrize(
    ("report", "said"),
    [
        (samples.joint(), "The orthosis has let go"),
        (samples.joint(300), "SUPPORT THE LIMB: its torque is still on (0.30 Nm)"),
        (replace(samples.joint(), fault="lost"), "cannot say whether it has let go"),
    ],
    ids=["free", "still on", "lost"],
)
async def test_the_tripped_screen_says_whether_the_orthosis_has_let_go(report, said, show, rows, size):
    tripped = replace(samples.snapshot(SessionState.TRIPPED), trip="STOP was pressed (F12).", todo="Look after it.")
    app, _ = show(*samples.with_joint(tripped, samples.latched(), report))
    async with app.run_test(size=size) as pilot:
        await app.tick()
        await pilot.pause()
        assert said in " ".join("\n".join(rows(app)).split())


async def test_two_channels_and_an_orthosis_fit_the_small_run_screen(show, rows):
    two = (samples.EXTENSORS, replace(samples.EXTENSORS, channel=2, name="flexors"))
    snapshot, status = samples.with_joint(
        samples.snapshot(), samples.status(GatewayState.DELIVERING, 12_500), samples.joint(420)
    )
    app, _ = show(replace(snapshot, channels=two), status)
    async with app.run_test(size=(80, 24)) as pilot:
        await app.tick()
        await pilot.pause()
        page = "\n".join(rows(app))
        for line in ("ch2 flexors", "wrist extends", "limit 0.80 Nm", "-12 deg", "the unit's report is fresh"):
            assert line in page
