"""The detector on real sensors moved by hand, self-paced, as a session would run it. No stroke data: see the README."""

import numpy as np
import pytest

from controller.motion.batch import angular_speed
from controller.motion.calibration import Calibrated, calibrate_rest, rest_level
from controller.motion.detector import AttemptDetector
from controller.motion.features import FeatureFilter
from controller.motion.settings import AttemptSettings
from controller.vocabulary.events import AttemptStarted
from controller.vocabulary.sample import Sample
from sim.recording import Recording, RecordingError

SETTINGS = AttemptSettings()
STIMULATED_S, REST_S = 3.0, 2.0
BEFORE_S, AFTER_S = 0.5, 1.5


@pytest.fixture
def archive(data):
    return data / "broad" / "broad_subset_100hz.npz"


def _features(recording):
    features = FeatureFilter(SETTINGS, recording.rate_hz)
    rows = zip(recording.gyro_dps.tolist(), recording.acc_g.tolist(), strict=True)
    period_ns = round(1e9 / recording.rate_hz)
    return [features.step(Sample("p", n * period_ns, tuple(g), tuple(a))) for n, (g, a) in enumerate(rows)]


def _triggers(recording):
    """Self-paced: rest of the first 10 s gives the threshold; each attempt is stimulated, then rested."""
    features = _features(recording)
    calibrated = calibrate_rest(SETTINGS, rest_level([f.angular_speed_dps for f in features[:1000]]))
    assert isinstance(calibrated, Calibrated)
    detector = AttemptDetector(SETTINGS, calibrated.threshold_dps)
    detector.arm(0)
    triggers, off_ns, again_ns = [], None, None
    for feature in features:
        if off_ns is not None and feature.t_ns >= off_ns:
            detector.stimulation(feature.t_ns, False)
            off_ns, again_ns = None, feature.t_ns + round(REST_S * 1e9)
        if again_ns is not None and feature.t_ns >= again_ns:
            detector.arm(feature.t_ns)
            again_ns = None
        for event in detector.step(feature):
            assert isinstance(event, AttemptStarted), event
            triggers.append(event)
            detector.stimulation(event.t_ns, True)
            detector.disarm(event.t_ns)
            off_ns = event.t_ns + round(STIMULATED_S * 1e9)
    return triggers


def _score(recording, triggers):
    """(edges, edges found, triggers in labelled rest that belong to no edge, delays after the edge in s)."""
    moving = recording.movement
    edges = (np.flatnonzero(np.diff(moving.astype(int)) == 1) + 1) / recording.rate_hz
    found, false, delays = set(), 0, []
    for trigger in triggers:
        t = trigger.t_ns / 1e9
        own = [edge for edge in edges if -BEFORE_S <= t - edge <= AFTER_S]
        if own:
            found.add(own[0])
            delays.append(t - own[0])
        elif not moving[round(t * recording.rate_hz)]:
            false += 1
    return len(edges), len(found), false, delays


@pytest.mark.parametrize("trial", ["04", "05", "14", "18"])
def test_each_start_of_a_movement_is_found_and_rest_stays_silent(archive, trial):
    recording = Recording.load(archive, trial)
    triggers = _triggers(recording)
    edges, found, false, _ = _score(recording, triggers)
    assert (edges, found, false) == (4, 4, 0)
    assert all(trigger.t_ns - trigger.crossed_ns <= 100_000_000 for trigger in triggers)  # no start reset the dwell


@pytest.mark.parametrize("trial", ["24", "26"])
def test_taps_and_a_vibrating_phone_leave_rest_silent(archive, trial):
    recording = Recording.load(archive, trial)
    assert _score(recording, _triggers(recording))[2] == 0


@pytest.mark.parametrize("trial", ["04", "26"])
def test_batch_speed_equals_the_per_sample_speed_on_a_whole_recording(archive, trial):
    recording = Recording.load(archive, trial)
    stream = np.array([feature.angular_speed_dps for feature in _features(recording)])
    np.testing.assert_allclose(stream, angular_speed(recording.gyro_dps, recording.rate_hz), rtol=1e-9, atol=1e-9)


def test_a_recording_has_its_rate_units_and_labels(archive):
    recording = Recording.load(archive, "05")
    assert recording.rate_hz == 100.0
    assert recording.gyro_dps.shape == recording.acc_g.shape == (20724, 3)
    assert recording.movement.shape == (20724,)
    assert np.median(np.linalg.norm(recording.acc_g[:1000], axis=1)) == pytest.approx(1.0, abs=0.03)


def test_a_recording_that_cannot_be_played_is_refused_in_words(archive, tmp_path):
    with pytest.raises(RecordingError, match=r"no trial '99'; it has 04, 05, 14, 18, 24, 26"):
        Recording.load(archive, "99")
    with pytest.raises(RecordingError, match="there is no recording"):
        Recording.load(tmp_path / "none.npz", "05")
    (tmp_path / "text.npz").write_text("not an archive")
    with pytest.raises(RecordingError, match="is not a motion recording"):
        Recording.load(tmp_path / "text.npz", "05")
    pickled = np.array([{"a": 1}], dtype=object)
    np.savez(tmp_path / "pickled.npz", b05_gyr_raw=pickled, b05_acc_raw=pickled)
    with pytest.raises(RecordingError, match="is not a motion recording"):
        Recording.load(tmp_path / "pickled.npz", "05")
    rows = np.zeros((5, 3), dtype=np.int16)
    np.savez(tmp_path / "bare.npz", b05_gyr_raw=rows, b05_acc_raw=rows)
    with pytest.raises(RecordingError, match="lacks"):
        Recording.load(tmp_path / "bare.npz", "05")
    info = np.array('{"fs_hz": 100, "gyr_lsb_deg_s": 1, "acc_lsb_g": 1}')
    np.savez(tmp_path / "short.npz", b05_gyr_raw=rows, b05_acc_raw=rows[:4], info=info)
    with pytest.raises(RecordingError, match="different length"):
        Recording.load(tmp_path / "short.npz", "05")
