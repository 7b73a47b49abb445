import dataclasses
import importlib
import json
import xml.etree.ElementTree
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bench_quality import main
from click.testing import CliRunner
from quality.comparison import compare, tables
from quality.entry import Entry
from quality.peer import Fitted, Peer, Training, Watch
from quality.plot import plot
from quality.registry import PEERS
from quality.rounds import Round, final_round, validation_round
from quality.space import LogUniform, OneOf, Settings, Space, settings_to_try
from quality.tuning import PeerFailure, best_trial, run_peer, tune

from tfrs_pipeline.config import Config, EvaluationConfig
from tfrs_pipeline.data.snapshot import Likes, Snapshot, save_snapshot
from tfrs_pipeline.data.split import TEST, last_like
from tfrs_pipeline.evaluation.ranking import PopularityScorer
from tfrs_pipeline.measuring import prepare
from tfrs_pipeline.progress import Progress

CONFIG = Config(evaluation=EvaluationConfig(candidates="all"))
QUIET = Progress(quiet=True)
SMALL: dict[str, dict[str, Any]] = {
    "ials": {"factors": 4, "iterations": 3},
    "bpr": {"factors": 4, "iterations": 5},
    "lightfm-warp": {"no_components": 4, "epochs": 3},
    "tfrs-quickstart": {"dimension": 8, "batch": 64, "epochs": 3},
    "tfrs-deep-retrieval": {"dimension": 8, "layers": [8], "batch": 64, "epochs": 3},
    "sasrec": {"width": 8, "length": 6, "epochs": 3},
}


def small(peer: Peer) -> Peer:
    """The same with settings that take a moment, or a skip where its packages are absent."""
    for package in peer.packages:
        pytest.importorskip(package)
    usual = dict(peer.space.usual) | SMALL.get(peer.name, {})
    choices = {key: choice for key, choice in peer.space.choices.items() if key not in SMALL.get(peer.name, {})}
    return dataclasses.replace(peer, space=Space(usual, choices))


def peer_of(name: str) -> Peer:
    return small(next(peer for peer in PEERS if peer.name == name))


@pytest.fixture(scope="module")
def validation(service: Snapshot) -> Round:
    return validation_round(service, last_like(service.likes), CONFIG)


@pytest.fixture(scope="module")
def final(service: Snapshot) -> Round:
    return final_round(service, last_like(service.likes), CONFIG)


@pytest.mark.parametrize("peer", PEERS, ids=lambda peer: peer.name)
def test_every_peer_learns_and_gives_every_video_a_finite_score_for_every_user(peer: Peer, validation: Round) -> None:
    peer = small(peer)
    fitted = peer.fit(validation.training, dict(peer.space.usual), 0, None)
    scorer = fitted.scorer(validation.asked)
    scores = scorer.scores(slice(0, len(validation.problem)))
    assert scores.shape == (len(validation.problem), validation.training.videos.num_rows)
    assert scores.dtype == np.float32
    assert np.isfinite(scores).all()
    np.testing.assert_allclose(scorer.scores(slice(3, 5)), scores[3:5], rtol=1e-4, atol=1e-6)
    assert fitted.size_bytes > 0
    assert fitted.settings == peer.space.usual


@pytest.mark.parametrize("name", ["ials", "bpr"])
def test_a_seed_gives_the_same_twice(name: str, validation: Round) -> None:
    peer = peer_of(name)
    first, second = (
        peer.fit(validation.training, dict(peer.space.usual), 1, None).scorer(validation.asked).scores(slice(0, 9))
        for _ in range(2)
    )
    np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize("name", ["lightfm-warp", "tfrs-quickstart", "tfrs-deep-retrieval", "sasrec"])
def test_the_watch_chooses_the_epoch_and_its_weights_are_kept(name: str, validation: Round) -> None:
    peer = peer_of(name)
    scores = []

    def watch(fitted: Fitted) -> float:
        scores.append(fitted.scorer(validation.asked).scores(slice(0, 9)))
        return -abs(len(scores) - 2.0)

    fitted = peer.fit(validation.training, dict(peer.space.usual), 0, watch)
    assert fitted.settings["epochs"] == 2
    np.testing.assert_array_equal(fitted.scorer(validation.asked).scores(slice(0, 9)), scores[1])
    # And as many epochs without a watch come to the same.
    again = peer.fit(validation.training, fitted.settings, 0, None)
    np.testing.assert_array_equal(again.scorer(validation.asked).scores(slice(0, 9)), scores[1])


def test_the_sequence_model_is_better_than_chance_and_reads_the_order(validation: Round) -> None:
    peer = peer_of("sasrec")
    settings = dict(peer.space.usual) | {"epochs": 15, "width": 16, "learning_rate": 5e-3}
    fitted = peer.fit(validation.training, settings, 0, None)
    popularity = peer_of("popularity").fit(validation.training, {}, 0, None)
    assert validation.figure(fitted.scorer(validation.asked)) > validation.figure(popularity.scorer(validation.asked))
    seen = validation.asked.seen
    backwards = np.concatenate([seen.of(row)[::-1] for row in range(len(validation.problem))])
    turned = dataclasses.replace(validation.asked, seen=dataclasses.replace(seen, video=backwards))
    rows = slice(0, 9)
    assert not np.allclose(fitted.scorer(turned).scores(rows), fitted.scorer(validation.asked).scores(rows))


@pytest.fixture
def toy() -> np.ndarray:
    return (np.random.default_rng(0).random((12, 7)) < 0.4).astype(np.float32)


def test_item_knn_is_the_cosine_of_columns(toy: np.ndarray) -> None:
    pytest.importorskip("scipy")
    from quality.neighbours import cosines
    from scipy.sparse import csr_matrix

    expected = toy.T @ toy / (np.sqrt(np.outer(toy.sum(0), toy.sum(0))) + 2.0)
    np.fill_diagonal(expected, 0)
    np.testing.assert_allclose(cosines(csr_matrix(toy), 7, 2.0).toarray(), expected, rtol=1e-5)
    kept = cosines(csr_matrix(toy), 3, 2.0).toarray()
    for row, of_all in zip(kept, expected, strict=True):
        assert (row > 0).sum() == min(3, (of_all > 0).sum())
        np.testing.assert_allclose(np.sort(row)[-3:], np.sort(of_all)[-3:], rtol=1e-5)


def test_ease_is_the_closed_form(toy: np.ndarray) -> None:
    pytest.importorskip("scipy")
    from quality.ease import solve

    inverse = np.linalg.inv(toy.T.astype(np.float64) @ toy + 5.0 * np.eye(7))
    expected = -inverse / np.diag(inverse)
    np.fill_diagonal(expected, 0)
    np.testing.assert_allclose(solve(toy.T @ toy, 5.0), expected, atol=1e-5)


def test_scores_from_history_are_sums_over_what_was_liked(service: Snapshot, validation: Round) -> None:
    peer = peer_of("ease")
    fitted = peer.fit(validation.training, {"regularization": 5.0}, 0, None)
    likes = np.zeros((validation.training.users, service.videos.num_rows))
    likes[validation.training.likes.user, validation.training.likes.video] = 1
    inverse = np.linalg.inv(likes.T @ likes + 5.0 * np.eye(likes.shape[1]))
    weights = -inverse / np.diag(inverse)
    np.fill_diagonal(weights, 0)
    expected = likes[validation.asked.users] @ weights
    np.testing.assert_allclose(fitted.scorer(validation.asked).scores(slice(None)), expected, atol=1e-4)


def test_metadata_of_lightfm_holds_each_video_and_its_shared_values(service: Snapshot) -> None:
    pytest.importorskip("scipy")
    from quality.warp import features_of

    features = features_of(service.videos, normalize=True)
    np.testing.assert_allclose(features.sum(axis=1), 1, rtol=1e-5)
    plain = features_of(service.videos, normalize=False)
    videos = service.videos.num_rows
    np.testing.assert_array_equal(plain[:, :videos].toarray(), np.eye(videos))
    assert plain.shape[1] == videos + 4 + 6 + 2  # Four genres, six makers, two performers.


def test_the_search_starts_with_the_usual_settings_and_repeats_none() -> None:
    space = Space({"a": 1, "b": 0.5, "c": 3}, {"a": OneOf((1, 2)), "b": LogUniform(0.1, 10)})
    tried = settings_to_try(space, "peer", 6, seed=3)
    assert tried[0] == {"a": 1, "b": 0.5, "c": 3}
    assert len({json.dumps(settings) for settings in tried}) == len(tried) == 6
    assert all(0.1 <= settings["b"] <= 10 and settings["c"] == 3 for settings in tried)
    assert settings_to_try(space, "peer", 3, seed=3) == tried[:3]
    assert settings_to_try(space, "peer", 6, seed=4) != tried
    assert len(settings_to_try(Space({}, {}), "peer", 8, seed=0)) == 1
    assert len(settings_to_try(Space({"a": 1}, {"a": OneOf((1, 2))}), "peer", 8, seed=0)) == 2


def test_both_rounds_are_those_that_our_towers_are_asked(service: Snapshot, final: Round) -> None:
    task = prepare(service, last_like(service.likes), TEST, CONFIG)
    np.testing.assert_array_equal(final.problem.users, task.problem.users)
    np.testing.assert_array_equal(final.problem.targets, task.problem.targets)
    np.testing.assert_array_equal(final.problem.seen.video, task.problem.seen.video)
    np.testing.assert_array_equal(final.problem.candidates, task.problem.candidates)


def test_no_peer_is_shown_what_it_is_asked_for(validation: Round, final: Round) -> None:
    for asked in (validation, final):
        known = set(zip(asked.training.likes.user.tolist(), asked.training.likes.video.tolist(), strict=True))
        targets = zip(asked.problem.users.tolist(), asked.problem.targets.tolist(), strict=True)
        assert not known & set(targets)


def test_test_likes_change_nothing_in_what_is_chosen(service: Snapshot, tmp_path: Path) -> None:
    peer = peer_of("item-knn")
    split = last_like(service.likes)
    chosen = []
    for shift in (0, 7):
        video = service.likes.video.copy()
        video[split.part == TEST] = (video[split.part == TEST] + shift) % service.videos.num_rows
        likes = Likes(service.likes.user, video, service.likes.at)
        changed = dataclasses.replace(service, likes=likes)
        asked = validation_round(changed, last_like(likes), CONFIG)
        trials = tune(peer, asked, 5, 0, "", tmp_path / f"{shift}.json", QUIET)
        chosen.append([(trial.settings, trial.figure, trial.chosen) for trial in trials])
    assert chosen[0] == chosen[1]
    assert len(chosen[0]) == 5


def counting(outcomes: list[Any], fitted: list[Settings]) -> Peer:
    """A peer that notes what it is fitted with; the setting `x` names a video, which it puts first."""

    def fit(training: Training, settings: Settings, seed: int, watch: Watch | None) -> Fitted:
        fitted.append(settings)
        if settings["x"] in outcomes:
            raise ValueError(f"{settings['x']} is no good")
        counts = np.zeros(training.videos.num_rows, np.int64)
        counts[settings["x"]] = 1
        return Fitted(lambda asked: PopularityScorer(counts, len(asked.users)), 8, settings)

    return Peer("counting", "Counting", (), Space({"x": 0}, {"x": OneOf(tuple(range(60)))}), fit)


def test_what_was_done_is_not_done_again(validation: Round, final: Round, tmp_path: Path) -> None:
    fitted: list[Settings] = []
    peer = counting([], fitted)
    first = run_peer(peer, validation, final, 3, 0, "question", tmp_path, QUIET)
    assert len(fitted) == 4
    assert run_peer(peer, validation, final, 3, 0, "question", tmp_path, QUIET) == first
    assert len(fitted) == 4
    (tmp_path / "counting.json").unlink()  # As if it had been cut off after the trials.
    again = run_peer(peer, validation, final, 3, 0, "question", tmp_path, QUIET)
    assert dataclasses.replace(again, seconds=first.seconds) == first
    assert len(fitted) == 5
    run_peer(peer, validation, final, 3, 0, "another question", tmp_path, QUIET)
    assert len(fitted) == 9


def test_the_best_on_validation_is_fitted_to_all_but_test(validation: Round, final: Round, tmp_path: Path) -> None:
    fitted: list[Settings] = []
    entry = run_peer(counting([0], fitted), validation, final, 4, 0, "", tmp_path, QUIET)
    assert entry.trials[0].figure is None
    assert "ValueError: 0 is no good" in (entry.trials[0].fault or "")
    best = best_trial(entry.trials)
    assert best is not None
    assert best.figure == max(trial.figure for trial in entry.trials if trial.figure is not None)
    assert fitted[-1] == best.settings == entry.settings


def test_a_peer_that_always_fails_or_is_not_installed_says_why(validation: Round, final: Round, tmp_path: Path) -> None:
    with pytest.raises(PeerFailure, match="0 is no good"):
        run_peer(counting(list(range(60)), []), validation, final, 3, 0, "", tmp_path, QUIET)
    peer = dataclasses.replace(counting([], []), packages=("no_such_package",))
    with pytest.raises(PeerFailure, match="needs the package no_such_package"):
        run_peer(peer, validation, final, 3, 0, "", tmp_path, QUIET)


@pytest.fixture(scope="module")
def entries(validation: Round, final: Round, tmp_path_factory: pytest.TempPathFactory) -> list[Entry]:
    folder = tmp_path_factory.mktemp("entries")
    names = ["popularity", "item-knn", "ease"]
    return [run_peer(peer_of(name), validation, final, 2, 0, "", folder, QUIET) for name in names]


def test_the_tables_have_a_row_for_each_system_and_say_who_is_absent(entries: list[Entry], final: Round) -> None:
    ours = dataclasses.replace(entries[2], name="ours", label="Ours")
    systems = compare(ours, entries, final.problem)
    text = tables(systems, {"Broken": "it broke"})
    for label in ("Ours", "Popularity", "Item kNN (cosine)", "EASE"):
        assert text.count(f"| {label} |") == 1
    assert "Nobody is among them." in text  # Everybody liked eight videos at least.
    assert "- Broken: it broke" in text
    same = systems["ease"]["ours_minus_this"]["all"]
    assert same["recall@100"] == same["recall@100_low"] == same["recall@100_high"] == 0
    assert "ours_minus_this" not in systems["ours"]


def test_users_with_few_likes_have_a_table_of_their_own(service: Snapshot, tmp_path: Path) -> None:
    place = np.arange(len(service.likes)) - np.searchsorted(service.likes.user, service.likes.user)
    likes = service.likes.where(place < 6 + 3 * (service.likes.user % 2))
    short = dataclasses.replace(service, likes=likes)
    asked = final_round(short, last_like(likes), CONFIG)
    earlier = validation_round(short, last_like(likes), CONFIG)
    entry = run_peer(peer_of("popularity"), earlier, asked, 1, 0, "", tmp_path, QUIET)
    text = tables(compare(None, [entry], asked.problem), {})
    assert "### Users with one to five likes (31)" in text
    assert text.count("| Popularity |") == 2


def test_a_difference_is_ours_minus_the_peer(entries: list[Entry], final: Round) -> None:
    perfect = dataclasses.replace(entries[0], name="ours", target_rank=[1] * len(final.problem))
    systems = compare(perfect, entries[:1], final.problem)
    apart = systems["popularity"]["ours_minus_this"]["all"]
    assert apart["ndcg@10"] == pytest.approx(1 - systems["popularity"]["measures"]["all"]["ndcg@10"])


def test_without_ours_there_are_no_differences(entries: list[Entry], final: Round) -> None:
    systems = compare(None, entries, final.problem)
    assert list(systems) == ["popularity", "item-knn", "ease"]
    assert all("ours_minus_this" not in system for system in systems.values())


def test_the_plot_is_an_svg_with_a_dot_for_each_system_and_measure(entries: list[Entry], final: Round) -> None:
    root = xml.etree.ElementTree.fromstring(plot(compare(None, entries, final.problem)))
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert len(root.findall(".//{http://www.w3.org/2000/svg}circle")) == 4 * len(entries)


def test_the_command_writes_a_row_for_each_and_goes_on(service: Snapshot, finished: Path, tmp_path: Path) -> None:
    pytest.importorskip("scipy")
    save_snapshot(service, tmp_path / "snapshot")
    arguments = [str(tmp_path / "snapshot"), "--trials", "2", "--output", str(tmp_path / "out"), "--quiet"]
    arguments += ["--only", "popularity", "--only", "item-knn", "--only", "ours", "--run", str(finished / "latest")]
    result = CliRunner().invoke(main, arguments, catch_exceptions=False)
    assert result.exit_code == 0
    written = json.loads((tmp_path / "out" / "quality.json").read_text())
    assert list(written["systems"]) == ["ours", "popularity", "item-knn"]
    assert written["systems"]["ours"]["label"] == "Ours"  # Its settings are not the default ones.
    run = json.loads((finished / "latest" / "metrics.json").read_text())
    assert written["systems"]["popularity"]["ours_minus_this"]["all"]["users"] == run["split"]["users"]
    assert (tmp_path / "out" / "quality.md").read_text() in result.output
    before = (tmp_path / "out" / "systems" / "item-knn.json").stat().st_mtime_ns
    CliRunner().invoke(main, arguments, catch_exceptions=False)
    assert (tmp_path / "out" / "systems" / "item-knn.json").stat().st_mtime_ns == before
    CliRunner().invoke(main, [*arguments, "--again"], catch_exceptions=False)
    assert (tmp_path / "out" / "systems" / "item-knn.json").stat().st_mtime_ns != before


def test_importing_the_peers_loads_nothing_heavy() -> None:
    import subprocess
    import sys

    code = "import sys, quality.registry; print([m for m in ('tensorflow', 'implicit', 'lightfm') if m in sys.modules])"
    folder = str(Path(importlib.import_module("bench_quality").__file__ or "").parent)
    run = subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"
