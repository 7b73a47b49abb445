"""`tfrs-pipeline export-tfjs` on a real run folder."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from export.manifest import verify_bundle
from tfrs_pipeline.commands import main
from tfrs_pipeline.config import Config, ModelConfig
from tfrs_pipeline.data.snapshot import Snapshot
from tfrs_pipeline.features.spec import FeatureSpec
from tfrs_pipeline.runs import begin_run, point_latest_at, save_weights, write_json


@pytest.fixture(scope="module")
def runs(snapshot: Snapshot, small_spec: FeatureSpec, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of runs with one that is finished, but for its training."""
    from tfrs_pipeline.models.two_tower import TwoTower

    runs = tmp_path_factory.mktemp("project") / "runs"
    config = Config(model=ModelConfig(width=8, user_width=8, heads=1, head_width=4, value_width=4))
    folder = begin_run(runs, snapshot, config)
    (folder / "features.json").write_text(small_spec.to_json())
    save_weights(TwoTower(small_spec, config.model, config.training.temperature), folder / "weights.npz")
    write_json(folder / "metrics.json", {"systems": {"two_tower": {"all": {"recall@10": 0.5}}}})
    point_latest_at(folder)
    return runs


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> Any:
    monkeypatch.setattr(sys, "argv", ["tfrs-pipeline", "export-tfjs", *arguments])
    return main()


@pytest.mark.usefixtures("bundle")  # Skips where the tools are missing.
def test_the_newest_run_is_exported_and_the_answer_is_one_json_object(
    runs: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.chdir(runs.parent)
    monkeypatch.setenv("TFRS_HOME", str(Path(__file__).parents[2]))  # Where Deno keeps its packages.
    run(monkeypatch, "--json", "--quiet")
    said = capsys.readouterr()
    answer = json.loads(said.out)
    folder = (runs / "latest").resolve()
    assert Path(answer["folder"]) == folder / "bundle"
    assert (answer["version"], answer["precision"]) == (folder.name, "float16")
    assert answer["check"]["users"]["min_cosine"] >= 0.9999
    manifest = verify_bundle(folder / "bundle")
    assert manifest.version == folder.name
    assert manifest.metrics == json.loads((folder / "metrics.json").read_text())
    assert "Warning" not in said.err


@pytest.mark.usefixtures("bundle")
def test_a_person_is_told_the_files_and_what_deno_measured(
    runs: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    run(monkeypatch, "--run", str(runs / "latest"), "--precision", "float32")
    said = capsys.readouterr()
    for words in ("user_tower/model.json", "float32", "smallest cosine to Python's 1.0000000", "ms in Deno"):
        assert words in said.out
    assert "Checking the bundle in Deno" in said.err


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        ("nothing there", "There is no run at"),
        ("weights.npz", "lacks weights.npz"),
        ("features.json", "lacks features.json"),
    ],
)
def test_a_run_that_lacks_a_part_is_told_in_a_sentence(
    runs: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture,
    spoil: str,
    sentence: str,
) -> None:
    folder = tmp_path / "run"
    if spoil != "nothing there":
        folder.mkdir()
        for path in (runs / "latest").resolve().iterdir():
            if path.name not in (spoil, "bundle"):
                (folder / path.name).symlink_to(path)
    with pytest.raises(SystemExit) as stopped:
        run(monkeypatch, "--run", str(folder))
    assert stopped.value.code == 2
    said = capsys.readouterr()
    assert said.err.startswith("Error: ")
    assert sentence in said.err
    assert not (folder / "bundle").exists()


def test_help_shows_an_example(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture) -> None:
    run(monkeypatch, "--help")
    assert "Example: tfrs-pipeline export-tfjs" in capsys.readouterr().out
