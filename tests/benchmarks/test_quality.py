"""The search for a peer's settings, both rounds, and what is made of the results."""

import dataclasses
import importlib
import json
import xml.etree.ElementTree
from collections.abc import Callable
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
from quality.rounds import Round, final_round, validation_round
from quality.space import LogUniform, OneOf, Settings, Space, settings_to_try
from quality.tuning import PeerFailure, best_trial, run_peer, tune

from tfrs_pipeline.config import Config
from tfrs_pipeline.data.snapshot import Likes, Snapshot, save_snapshot
from tfrs_pipeline.data.split import TEST, last_like
from tfrs_pipeline.evaluation.ranking import PopularityScorer
from tfrs_pipeline.measuring import prepare
from tfrs_pipeline.progress import Progress

PeerOf = Callable[[str], Peer]
QUIET = Progress(quiet=True)


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


def test_both_rounds_are_those_that_our_towers_are_asked(service: Snapshot, final: Round, config: Config) -> None:
    task = prepare(service, last_like(service.likes), TEST, config)
    np.testing.assert_array_equal(final.problem.users, task.problem.users)
    np.testing.assert_array_equal(final.problem.targets, task.problem.targets)
    np.testing.assert_array_equal(final.problem.seen.video, task.problem.seen.video)
    np.testing.assert_array_equal(final.problem.candidates, task.problem.candidates)


def test_no_peer_is_shown_what_it_is_asked_for(validation: Round, final: Round) -> None:
    for asked in (validation, final):
        known = set(zip(asked.training.likes.user.tolist(), asked.training.likes.video.tolist(), strict=True))
        targets = zip(asked.problem.users.tolist(), asked.problem.targets.tolist(), strict=True)
        assert not known & set(targets)


def test_test_likes_change_nothing_in_what_is_chosen(
    service: Snapshot, tmp_path: Path, peer_of: PeerOf, config: Config
) -> None:
    peer = peer_of("item-knn")
    split = last_like(service.likes)
    chosen = []
    for shift in (0, 7):
        video = service.likes.video.copy()
        video[split.part == TEST] = (video[split.part == TEST] + shift) % service.videos.num_rows
        likes = Likes(service.likes.user, video, service.likes.at)
        changed = dataclasses.replace(service, likes=likes)
        asked = validation_round(changed, last_like(likes), config)
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
def entries(validation: Round, final: Round, tmp_path_factory: pytest.TempPathFactory, peer_of: PeerOf) -> list[Entry]:
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


def test_users_with_few_likes_have_a_table_of_their_own(
    service: Snapshot, tmp_path: Path, peer_of: PeerOf, config: Config
) -> None:
    place = np.arange(len(service.likes)) - np.searchsorted(service.likes.user, service.likes.user)
    likes = service.likes.where(place < 6 + 3 * (service.likes.user % 2))
    short = dataclasses.replace(service, likes=likes)
    asked = final_round(short, last_like(likes), config)
    earlier = validation_round(short, last_like(likes), config)
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
