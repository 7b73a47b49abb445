"""From systems to numbers by segment, and the row of FACTS that popularity has to give."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from tfrs_pipeline.data.snapshot import Likes
from tfrs_pipeline.data.split import TEST, last_like
from tfrs_pipeline.errors import InputError
from tfrs_pipeline.evaluation.evaluate import difference, evaluate_system, rank
from tfrs_pipeline.evaluation.problem import RankingProblem, ranking_problem
from tfrs_pipeline.evaluation.ranking import PopularityScorer, Seen, VectorScorer

FOLDER = Path(__file__).parents[3] / "shared" / "data" / "movielens-tmdb"


def problem_of(users: int = 40, videos: int = 200, likes_each: int = 7, seed: int = 0) -> RankingProblem:
    random = np.random.default_rng(seed)
    liked = np.array([random.choice(videos, likes_each + 1, replace=False) for _ in range(users)])
    return RankingProblem(
        users=np.arange(users, dtype=np.int32),
        seen=Seen.of_pairs(np.repeat(np.arange(users), likes_each), liked[:, :-1].ravel(), users),
        targets=liked[:, -1].astype(np.int32),
        candidates=np.ones(videos, bool),
        training_counts=np.bincount(liked[:, :-1].ravel(), minlength=videos),
    )


def oracle(problem: RankingProblem) -> VectorScorer:
    """Knows every target."""
    videos = np.eye(len(problem.candidates), dtype=np.float32)
    return VectorScorer(videos[problem.targets], videos)


def test_who_knows_the_targets_has_all_the_accuracy_there_is() -> None:
    problem = problem_of()
    numbers = evaluate_system("oracle", oracle(problem), problem)["all"]
    for name in ("recall@10", "ndcg@10", "mrr@10", "recall@10_low", "recall@100_high"):
        assert numbers[name] == 1
    assert numbers["users"] == 40


def test_every_measure_has_an_interval_around_it_and_json_can_hold_it() -> None:
    problem = problem_of()
    vectors = np.random.default_rng(1).standard_normal((200, 8)).astype(np.float32)
    result = evaluate_system("any", VectorScorer(vectors[:40], vectors), problem, vectors)
    assert json.loads(json.dumps(result)) == result
    for measure in ("recall", "ndcg", "mrr", "diversity", "novelty"):
        for k in (10, 50, 100):
            numbers = result["all"]
            assert numbers[f"{measure}@{k}_low"] <= numbers[f"{measure}@{k}"] <= numbers[f"{measure}@{k}_high"]
    assert 0 < result["all"]["coverage@10"] <= result["all"]["coverage@100"] <= 1


def test_an_empty_segment_has_a_count_and_no_numbers() -> None:
    problem = problem_of(likes_each=7)
    assert evaluate_system("oracle", oracle(problem), problem)["cold_users"] == {"users": 0}


def test_without_common_vectors_diversity_is_absent() -> None:
    problem = problem_of()
    assert not [name for name in evaluate_system("oracle", oracle(problem), problem)["all"] if "diversity" in name]


def test_segments_hold_the_cold_and_only_them() -> None:
    problem = RankingProblem(
        users=np.arange(3, dtype=np.int32),
        seen=Seen.of_pairs(np.repeat([0, 1, 2], [5, 6, 1]), np.arange(12), 3),
        targets=np.array([12, 13, 14], np.int32),
        candidates=np.ones(15, bool),
        training_counts=np.array([9] * 12 + [5, 6, 0]),
    )
    result = evaluate_system("oracle", oracle(problem), problem)
    assert {segment: numbers["users"] for segment, numbers in result.items()} == {
        "all": 3,
        "cold_users": 2,  # 5 and 1 likes
        "cold_videos": 2,  # 5 and 0 likes in training
    }


def test_a_difference_is_that_of_the_same_users() -> None:
    problem = problem_of()
    best = rank("oracle", oracle(problem), problem)
    popular = rank("popularity", PopularityScorer(problem.training_counts, len(problem)), problem)
    numbers = difference(best, popular, problem)["all"]
    recall = evaluate_system("popularity", PopularityScorer(problem.training_counts, 40), problem)["all"]["recall@10"]
    assert numbers["recall@10"] == pytest.approx(1 - recall)
    assert numbers["recall@10_low"] > 0
    assert difference(best, best, problem)["all"]["recall@10_high"] == 0


@pytest.mark.parametrize(("users", "videos"), [(39, 200), (41, 200), (40, 199)])
def test_a_system_for_other_users_or_videos_is_refused(users: int, videos: int) -> None:
    vectors = np.ones((200, 4), np.float32)
    with pytest.raises(InputError, match="The system odd does not score the 40 users and 200 videos"):
        evaluate_system("odd", VectorScorer(vectors[:users], vectors[:videos]), problem_of())


@pytest.mark.skipif(not FOLDER.is_dir(), reason="the data set is not here")
def test_popularity_gives_the_measured_row_of_the_protocol() -> None:
    with (FOLDER / "movies.csv").open(newline="", encoding="utf-8") as file:
        numbers = {
            movie: number for number, movie in enumerate(sorted(int(row["movieId"]) for row in csv.DictReader(file)))
        }
    with (FOLDER / "ratings.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if float(row["rating"]) >= 4]
    likes = Likes.sort(
        np.array([int(row["userId"]) for row in rows]),
        np.array([numbers[int(row["movieId"])] for row in rows]),
        np.array([int(row["timestamp"]) for row in rows]),
    )
    problem = ranking_problem(last_like(likes, min_likes=5), TEST, likes, len(numbers), candidates="liked")
    assert (len(problem), problem.candidates.sum()) == (603, 6298)
    result = evaluate_system("popularity", PopularityScorer(problem.training_counts, len(problem)), problem)["all"]
    shown = [f"{result[name]:.3f}" for name in ("recall@10", "recall@50", "recall@100", "ndcg@10")]
    assert shown == ["0.038", "0.126", "0.209", "0.020"]
