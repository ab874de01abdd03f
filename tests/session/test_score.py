"""Points and cheers are the same for the same course of events."""

from controller.session.score import Score


def test_counts_and_points_of_a_short_session():
    score = Score()
    for _ in range(3):
        score.attempted()
        score.helped()
        score.complete()
    score.miss()
    score.attempted()
    score.complete()
    assert (score.attempts, score.assisted, score.completed, score.missed) == (4, 3, 4, 1)
    assert score.points == 10 + 11 + 12 + 10
    assert (score.streak, score.best_streak) == (1, 3)


def test_the_bonus_of_a_streak_is_bounded():
    score = Score()
    for _ in range(30):
        score.complete()
    assert score.points == sum(10 + min(n, 10) for n in range(30))


def test_a_cheer_each_fifth_and_once_for_a_best_streak():
    score = Score()
    cheers = []
    for _ in range(12):
        score.complete()
        cheers.append(score.cheer)
    assert cheers[4] == "Woo hoo! Best streak: 5"
    assert [n for n, cheer in enumerate(cheers, start=1) if cheer] == [5, 10]
    score.miss()
    assert (score.cheer, score.streak, score.best_streak) == ("", 0, 12)
    later = []
    for _ in range(13):
        score.complete()
        later.append(score.cheer)
    assert later[12] == "Woo hoo! Best streak: 13"
    assert sum("Woo hoo" in cheer for cheer in later) == 1
    assert later[2] == "Strong work!"
