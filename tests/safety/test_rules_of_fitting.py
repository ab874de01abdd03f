"""Rules G26 and G27 at their bounds, for every body region."""

import pytest

pytestmark = pytest.mark.hazard("H32")

MS = 1_000_000


def test_g26_press(bed):
    rig = bed.fitting()
    assert rig.verdict(bed.pulse(500)) == "G26"  # nobody pressed a key
    rig.press()
    assert rig.verdict(bed.pulse(500), press=rig.number + 1) == "G26"  # not that key
    assert rig.verdict(bed.pulse(500)) == ""
    rig.wait(20)
    assert rig.verdict(bed.pulse(500)) == ""  # the same train goes on
    assert bed.rule_of(rig.renew()) == ""
    assert rig.verdict(bed.pulse(500, channel=2)) == "G26"  # another channel needs another press
    rig.wait(5000)
    assert rig.verdict(bed.pulse(500)) == "G26"  # used
    rig.guard.press(rig.number, rig.now_ns)
    assert rig.verdict(bed.pulse(500)) == "G26"  # an old number pressed again
    rig.guard.press(True, rig.now_ns)
    rig.press()
    rig.wait(1000)
    assert rig.verdict(bed.pulse(500)) == ""
    rig.guard.off(rig.now_ns)
    rig.wait(5000)
    rig.press()
    rig.wait(1001)
    assert rig.verdict(bed.pulse(500)) == "G26"  # pressed too long ago
    rig = bed.fitting()
    rig.press()
    assert rig.verdict(bed.pulse(500), bed.pulse(500, channel=2)) == "G26"


def test_g27_step(bed):
    rig = bed.fitting(motor_ua=2000)
    rig.press()
    assert rig.verdict(bed.pulse(1000)) == "G27"
    level_ua = 0
    rig = bed.fitting(motor_ua=2000)
    for _ in range(6):
        rig.press()
        step_ua = 1000 if level_ua >= 2000 else 500
        level_ua += step_ua
        assert rig.verdict(bed.pulse(level_ua)) == ""
        rig.wait(20)
        assert rig.verdict(bed.pulse(level_ua)) == ""
        assert rig.keep_on(280) == ""
    rig.press()
    assert rig.verdict(bed.pulse(level_ua - 500)) == ""  # down, by a person's wish
    rig.wait(20)
    over = rig.deliver(bed.pulse(level_ua))
    assert over.rule == "G27"  # the same press does not bring it back up
    assert over.latches


def test_g27_step_in_two_halves(bed):
    rig = bed.fitting(motor_ua=500)
    rig.press()
    assert rig.verdict(bed.pulse(500)) == ""
    assert rig.keep_on(300) == ""
    rig.press()
    for ua, rule in ((1000, ""), (1500, ""), (2000, "G27")):  # one step of 1 mA, in two halves
        assert rig.verdict(bed.pulse(ua)) == rule
        rig.wait(20)


def test_g27_step_spacing(bed):
    for gap_ms, rule in ((299, "G27"), (300, "")):
        rig = bed.fitting()
        rig.press()
        assert rig.verdict(bed.pulse(500)) == ""
        for _ in range(2):
            rig.wait(100)
            assert bed.rule_of(rig.renew()) == ""
        rig.wait(gap_ms - 200)
        rig.press()
        assert rig.verdict(bed.pulse(1000)) == rule


def test_g27_step_ramp_back_to_the_level(bed):
    rig = bed.fitting()
    for level_ua in range(500, 3500, 500):
        rig.press()
        assert rig.verdict(bed.pulse(level_ua)) == ""
        for _ in range(3):
            rig.wait(100)
            assert bed.rule_of(rig.renew()) == ""
    rig.guard.off(rig.now_ns)
    rig.wait(3000)
    rig.press()
    for ua, rule in ((2000, ""), (3000, ""), (3500, ""), (4000, "G27")):
        assert rig.verdict(bed.pulse(ua)) == rule  # the ramp up to the level, one step, and no more
        rig.wait(20)


def test_fitting_train_ends_after_3_s_and_knows_no_ceiling(bed):
    rig = bed.fitting()
    rig.press()
    assert rig.verdict(bed.pulse(500)) == ""
    assert rig.keep_on(3000) == ""
    rig.wait(1)
    assert bed.rule_of(rig.renew()) == "G20"


def test_g27_step_a_press_that_changes_nothing_yet(bed):
    rig = bed.fitting()
    rig.press()
    assert rig.verdict(bed.pulse(500)) == ""
    assert rig.keep_on(200) == ""
    rig.press()
    assert rig.verdict(bed.pulse(500)) == ""  # staying is no increase: no wait, and none begun
    assert rig.keep_on(100) == ""
    assert rig.verdict(bed.pulse(1000)) == ""  # 300 ms after the increase before, by the same press


def test_g26_press_sent_twice_is_not_made_fresh_again(bed):
    rig = bed.fitting()
    rig.press()
    rig.wait(1001)
    rig.guard.press(rig.number, rig.now_ns)
    assert rig.verdict(bed.pulse(500)) == "G26"
