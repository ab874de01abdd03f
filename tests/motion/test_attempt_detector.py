from math import inf, nan

import pytest

from controller.motion.detector import TRANSITIONS, AttemptDetector, Turn
from controller.motion.gate import AttemptGate
from controller.motion.settings import AttemptSettings
from controller.vocabulary.events import AttemptFaded, AttemptOutsideWindow, AttemptStarted, PuckFresh, PuckStale, Veto
from controller.vocabulary.feature import AttemptState, Feature

MS = 1_000_000
REST, MOVE = 0.5, 20.0


class Against(AttemptGate):
    """Every movement goes the wrong way."""

    def __init__(self):
        super().__init__(AttemptSettings())

    def judge(self, t_ns, lasted_ns):
        return Veto.DIRECTION


@pytest.fixture
def make(speeds):
    def build(armed=True, window=None, period_ns=10 * MS, gate=None, **changed):
        detector = AttemptDetector(AttemptSettings(**changed), 10.0, "hand", gate)
        stream = speeds(detector.step, period_ns)
        if armed:
            detector.arm(0, window)
        return detector, stream

    return build


@pytest.fixture
def at_rest(make):
    def build(**options):
        detector, stream = make(**options)
        assert stream.run(REST, 1700) == []
        return detector, stream

    return build


def test_an_attempt_goes_through_every_state_in_order(make):
    detector, stream = make()
    seen, events = [detector.state], []
    for speed, ms in ((REST, 1700), (MOVE, 300), (REST, 1500)):
        for _ in range(ms // 10):
            events += stream.one(speed)
            if detector.state is not seen[-1]:
                seen.append(detector.state)
    assert [s.value for s in seen] == ["disarmed", "quiet_wait", "armed", "candidate", "fired", "quiet_wait", "armed"]
    assert events == [AttemptStarted(1760 * MS, 1710 * MS, MOVE, 10.0)]


def test_nothing_is_armed_before_a_second_of_data_and_half_a_second_of_stillness(make):
    detector, stream = make()
    stream.run(REST, 1000)
    assert detector.state is AttemptState.DISARMED
    assert detector.obstacle == "the motion puck is warming up"
    stream.run(REST, 30)
    assert detector.state is AttemptState.ARMED  # stillness from before the arming counts

    detector, stream = make()
    stream.run(MOVE, 1200)
    assert detector.state is AttemptState.QUIET_WAIT
    assert detector.obstacle == "the limb is not still"
    stream.run(REST, 500)
    assert detector.state is AttemptState.QUIET_WAIT
    stream.run(REST, 20)
    assert detector.state is AttemptState.ARMED
    assert detector.obstacle == ""


def test_a_limb_that_moves_when_it_is_armed_makes_no_attempt(make):
    detector, stream = make(armed=False)
    stream.run(REST, 1100)
    stream.run(MOVE, 200)
    detector.arm(stream.t_ns)
    assert stream.run(MOVE, 3000) == []


def test_unarmed_and_disarmed_see_nothing(at_rest):
    detector, stream = at_rest(armed=False)
    assert stream.run(MOVE, 1000) == []
    assert detector.state is AttemptState.DISARMED
    detector, stream = at_rest()
    stream.run(MOVE, 30)
    assert detector.state is AttemptState.CANDIDATE
    detector.disarm(stream.t_ns)
    assert stream.run(MOVE, 1000) == []
    assert detector.obstacle == "no attempt is asked for"


def test_a_candidate_survives_above_half_the_threshold_and_fades_below(at_rest):
    detector, stream = at_rest()
    stream.run(12.0, 20)
    stream.run(5.1, 20)
    assert detector.state is AttemptState.CANDIDATE
    assert [type(e) for e in stream.run(5.1, 20)] == [AttemptStarted]

    detector, stream = at_rest()
    stream.run(12.0, 20)
    assert stream.run(4.9, 20) == [AttemptFaded(1730 * MS, 12.0)]
    assert detector.state is AttemptState.ARMED  # a hesitant start may try again at once
    assert len(stream.run(MOVE, 60)) == 1


def test_exactly_the_threshold_is_no_crossing(at_rest):
    detector, stream = at_rest()
    assert stream.run(10.0, 500) == []
    assert detector.state is AttemptState.ARMED


@pytest.mark.parametrize("on_for_ms", [0, 10, 3000])
def test_blanking_lasts_a_second_after_the_last_pulse_and_then_half_a_second_of_stillness(at_rest, on_for_ms):
    detector, stream = at_rest()
    stream.run(MOVE, 60)
    assert detector.state is AttemptState.FIRED
    detector.stimulation(stream.t_ns, True)
    assert detector.state is AttemptState.BLANK
    assert stream.run(600.0, on_for_ms) == []
    detector.stimulation(stream.t_ns, False)
    off_ns = stream.t_ns
    assert stream.run(REST, 990) == []
    assert detector.state is AttemptState.BLANK
    detector.stimulation(stream.t_ns, False)  # said again: the blanking does not start anew
    stream.run(REST, 5000, until=lambda: detector.state is AttemptState.ARMED)
    assert stream.t_ns - off_ns == 1500 * MS


def test_disarming_does_not_end_the_blanking(at_rest):
    detector, stream = at_rest()
    detector.stimulation(stream.t_ns, True)
    detector.disarm(stream.t_ns)
    assert detector.state is AttemptState.DISARMED
    detector.arm(stream.t_ns)
    assert detector.state is AttemptState.BLANK
    detector.disarm(stream.t_ns)
    detector.stimulation(stream.t_ns, False)
    stream.run(REST, 500)
    detector.arm(stream.t_ns)
    assert detector.state is AttemptState.BLANK
    assert stream.run(MOVE, 400) == []


@pytest.mark.parametrize("state", [AttemptState.QUIET_WAIT, AttemptState.ARMED, AttemptState.CANDIDATE])
def test_what_an_actuator_moves_starts_nothing_and_extends_nothing(make, state):
    detector, stream = make()
    stream.run(MOVE if state is AttemptState.QUIET_WAIT else REST, 1700)
    stream.run(MOVE, 30 if state is AttemptState.CANDIDATE else 0)
    assert detector.state is state
    detector.actuation(stream.t_ns, True)
    assert detector.state is AttemptState.BLANK
    assert detector.obstacle == "stimulation or orthosis is at work, or was just now"
    for _ in range(30):  # said at each report: only changes matter
        detector.actuation(stream.t_ns, True)
        assert stream.run(MOVE, 100) == []
    assert detector.state is AttemptState.BLANK


def test_stillness_counts_from_the_end_of_the_actuation_and_not_from_before(at_rest):
    detector, stream = at_rest()
    detector.actuation(stream.t_ns, True)
    assert stream.run(REST, 3000) == []  # a limb that is held still is no limb at rest
    detector.actuation(stream.t_ns, False)
    end_ns = stream.t_ns
    stream.run(REST, 2000, until=lambda: detector.state is AttemptState.ARMED)
    assert stream.t_ns - end_ns == 500 * MS
    detector.actuation(stream.t_ns, False)  # said again: nothing begins anew
    assert [type(e) for e in stream.run(MOVE, 60)] == [AttemptStarted]


def test_a_limb_that_sinks_when_the_actuator_has_let_go_is_no_attempt(at_rest):
    detector, stream = at_rest()
    detector.actuation(stream.t_ns, True)
    stream.run(MOVE, 500)
    detector.actuation(stream.t_ns, False)
    assert stream.run(MOVE, 3000) == []
    assert detector.state is AttemptState.QUIET_WAIT
    stream.run(REST, 2000, until=lambda: detector.state is AttemptState.ARMED)
    assert detector.state is AttemptState.ARMED


@pytest.mark.parametrize("first", ["current", "actuation"])
def test_of_current_and_actuation_the_later_end_counts(at_rest, first):
    detector, stream = at_rest()
    detector.stimulation(stream.t_ns, True)
    detector.actuation(stream.t_ns, True)
    stream.run(MOVE, 300)
    if first == "current":
        detector.stimulation(stream.t_ns, False)
        stream.run(REST, 2000)
        assert detector.state is AttemptState.BLANK  # the second after the last pulse is over, the movement is not
        detector.actuation(stream.t_ns, False)
        wait_ms = 500
    else:
        detector.actuation(stream.t_ns, False)
        stream.run(REST, 2000)
        assert detector.state is AttemptState.BLANK
        detector.stimulation(stream.t_ns, False)
        wait_ms = 1500
    end_ns = stream.t_ns
    stream.run(REST, 5000, until=lambda: detector.state is AttemptState.ARMED)
    assert stream.t_ns - end_ns == wait_ms * MS


def test_disarming_and_silence_do_not_end_the_masking(at_rest):
    detector, stream = at_rest()
    detector.disarm(stream.t_ns)
    detector.actuation(stream.t_ns, True)
    assert detector.state is AttemptState.DISARMED
    detector.arm(stream.t_ns)
    assert detector.state is AttemptState.BLANK
    stream.t_ns += 200 * MS  # the puck falls silent, and comes back
    assert [type(e) for e in stream.run(MOVE, 1500)] == [PuckStale, PuckFresh]
    assert detector.state is AttemptState.BLANK
    detector.disarm(stream.t_ns)
    detector.actuation(stream.t_ns, False)
    detector.arm(stream.t_ns)
    stream.run(REST, 490)
    assert detector.state is AttemptState.QUIET_WAIT
    stream.run(REST, 20)
    assert detector.state is AttemptState.ARMED


def test_disarming_does_not_shorten_the_refractory_time(at_rest):
    detector, stream = at_rest(quiet_before_ns=0)
    assert len(stream.run(MOVE, 60)) == 1
    fired_ns = stream.t_ns
    detector.disarm(stream.t_ns)
    detector.arm(stream.t_ns)
    stream.run(REST, 2000, until=lambda: detector.state is AttemptState.ARMED)
    assert stream.t_ns - fired_ns >= 500 * MS


def test_the_least_interval_holds_between_two_attempts(at_rest):
    detector, stream = at_rest(min_interval_ns=4000 * MS)
    stream.run(MOVE, 60)
    fired_ns = stream.t_ns
    stream.run(REST, 9000, until=lambda: detector.state is AttemptState.ARMED)
    assert stream.t_ns - fired_ns == 4000 * MS


@pytest.mark.parametrize(
    ("window_ms", "inside"),
    [((1710, 1710), True), ((0, 1709), False), ((1711, 9000), False), ((1711, 1760), False), ((0, 9000), True)],
)
def test_the_cue_window_is_judged_by_when_the_movement_began(at_rest, window_ms, inside):
    window = (window_ms[0] * MS, window_ms[1] * MS)
    detector, stream = at_rest(window=window)
    events = stream.run(MOVE, 100)
    if inside:
        assert [type(e) for e in events] == [AttemptStarted]
    else:
        assert events == [AttemptOutsideWindow(1760 * MS, MOVE)]
        assert detector.state is AttemptState.QUIET_WAIT


def test_arming_again_only_changes_the_window(at_rest):
    detector, stream = at_rest(window=(0, 1))
    detector.arm(stream.t_ns, (stream.t_ns, stream.t_ns + 1000 * MS))
    assert detector.state is AttemptState.ARMED
    assert len(stream.run(MOVE, 60)) == 1
    with pytest.raises(ValueError, match="window"):
        detector.arm(stream.t_ns, (2, 1))


def test_an_excursion_that_is_asked_for_must_be_reached_too(at_rest):
    detector, stream = at_rest(excursion_deg=3.0)
    assert stream.run(MOVE, 500) == []
    assert detector.state is AttemptState.CANDIDATE
    stream.angle = -2.9
    assert stream.run(MOVE, 10) == []
    stream.angle = -3.0
    assert len(stream.run(MOVE, 10)) == 1


@pytest.mark.parametrize("silent_by", ["tick", "gap"])
def test_silence_over_100_ms_disarms_and_a_second_of_whole_data_looks_again(at_rest, silent_by):
    detector, stream = at_rest()
    assert detector.tick(stream.t_ns + 100 * MS) == []
    if silent_by == "tick":
        assert detector.tick(stream.t_ns + 101 * MS) == [PuckStale(1801 * MS, "hand", 101 * MS)]
        assert detector.tick(stream.t_ns + 150 * MS) == []  # said once
        stream.t_ns += 150 * MS
    else:
        stream.t_ns += 91 * MS
        assert stream.one(REST) == [PuckStale(stream.t_ns, "hand", 101 * MS)]
    assert detector.state is AttemptState.DISARMED
    assert detector.obstacle == "the motion puck sends no data"
    assert stream.run(MOVE, 900) == []
    events = stream.run(MOVE, 200)
    assert [type(e) for e in events] == [PuckFresh]
    assert detector.state is AttemptState.QUIET_WAIT


def test_after_a_stale_spell_nothing_is_looked_for_if_nobody_wants_it(at_rest):
    detector, stream = at_rest()
    stream.t_ns += 200 * MS
    stream.run(REST, 100)
    detector.disarm(stream.t_ns)
    assert [type(e) for e in stream.run(REST, 2000)] == [PuckFresh]
    assert detector.state is AttemptState.DISARMED


def test_stale_during_blanking_comes_back_blanked(at_rest):
    detector, stream = at_rest()
    detector.stimulation(stream.t_ns, True)
    stream.t_ns += 200 * MS
    stream.run(REST, 1500)
    assert detector.state is AttemptState.BLANK


@pytest.mark.parametrize("value", [nan, inf, -inf, -1.0, 1e9])
@pytest.mark.parametrize("moving", [False, True])
def test_a_speed_that_is_no_speed_is_a_stale_puck_and_never_an_attempt(at_rest, value, moving):
    detector, stream = at_rest()
    if moving:
        stream.run(MOVE, 40)
    events = stream.run(value, 2000)
    assert [type(e) for e in events] == [PuckStale]
    assert detector.state is AttemptState.DISARMED


def test_an_angle_that_is_not_a_number_starts_nothing_where_an_excursion_is_asked_for(at_rest):
    _, stream = at_rest(excursion_deg=1.0)
    stream.angle = nan
    assert stream.run(MOVE, 500) == []


def test_below_fifty_samples_a_second_nothing_is_armed(make):
    detector, stream = make(period_ns=22 * MS)
    assert stream.run(REST, 4000) == []
    assert detector.state is AttemptState.QUIET_WAIT
    assert detector.obstacle == "the motion puck is too slow (45 samples a second)"
    stream.period_ns = 20 * MS
    stream.run(REST, 3000)
    assert detector.state is AttemptState.ARMED
    stream.period_ns = 25 * MS
    stream.run(REST, 3000)
    assert detector.state is AttemptState.QUIET_WAIT
    assert stream.run(MOVE, 500) == []


def test_no_puck_at_all_is_told_by_the_ticks(make):
    detector, _ = make()
    assert detector.tick(5_000 * MS) == []
    assert detector.tick(5_101 * MS) == [PuckStale(5_101 * MS, "hand", 101 * MS)]


def test_the_threshold_is_held_within_floor_and_ceiling_and_not_changed_under_a_candidate(at_rest):
    detector, stream = at_rest()
    for value in (4.9, 60.1, nan):
        with pytest.raises(ValueError, match="threshold"):
            detector.threshold_dps = value
        with pytest.raises(ValueError, match="threshold"):
            AttemptDetector(AttemptSettings(), value)
    detector.threshold_dps = 30.0
    assert stream.run(MOVE, 500) == []
    stream.run(40.0, 20)
    with pytest.raises(ValueError, match="middle of a movement"):
        detector.threshold_dps = 20.0
    assert detector.threshold_dps == 30.0


def test_the_table_lets_every_state_be_stopped_and_current_blank_every_state_that_looks():
    for state in AttemptState:
        assert TRANSITIONS[state, Turn.DISARM] is AttemptState.DISARMED
        assert TRANSITIONS[state, Turn.STALE] is AttemptState.DISARMED
        if state is not AttemptState.DISARMED:
            assert TRANSITIONS[state, Turn.STIMULATED] is AttemptState.BLANK
    assert [key for key, to in TRANSITIONS.items() if to is AttemptState.FIRED] == [
        (AttemptState.CANDIDATE, Turn.DWELT)
    ]
    assert [key for key, to in TRANSITIONS.items() if to is AttemptState.CANDIDATE] == [
        (AttemptState.ARMED, Turn.CROSSED)
    ]


def test_every_turn_of_the_table_is_one_that_the_machine_can_make(make, monkeypatch):
    taken = set()
    turn_of = AttemptDetector._turn

    def watch(self, turn):
        taken.add((self.state, turn))
        turn_of(self, turn)

    monkeypatch.setattr(AttemptDetector, "_turn", watch)
    for prepare in ("disarmed", "quiet_wait", "armed", "candidate", "fired", "blank"):
        for act in ("disarm", "stale", "stimulate", "fade", "outside", "slow", "on", "veto"):
            options = {"window": (0, 0) if act == "outside" else None, "gate": Against() if act == "veto" else None}
            detector, stream = make(armed=prepare != "disarmed", **options)
            stream.run(MOVE if prepare == "quiet_wait" else REST, 1700)
            stream.run(MOVE, {"candidate": 30, "fired": 60}.get(prepare, 0))
            detector.stimulation(stream.t_ns, prepare == "blank")
            if act == "disarm":
                detector.disarm(stream.t_ns)
            elif act == "stale":
                stream.one(nan)
            elif act == "stimulate":
                detector.stimulation(stream.t_ns, True)
            elif act == "slow":
                stream.period_ns = 30 * MS
            stream.run(MOVE if act in ("outside", "veto") else REST, 100)
            detector.stimulation(stream.t_ns, False)
            stream.run(REST, 4000)
    assert taken == set(TRANSITIONS)


def test_features_out_of_order_are_a_broken_puck(at_rest):
    detector, stream = at_rest()
    events = detector.step(Feature(stream.t_ns - 1, MOVE, 0.0, 0))
    assert [type(e) for e in events] == [PuckStale]
    assert detector.state is AttemptState.DISARMED
