import resource
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from tfrs_pipeline.config import Config
from tfrs_pipeline.errors import InputError
from tfrs_pipeline.features.spec import FeatureSpec

if TYPE_CHECKING:
    from tfrs_pipeline.training.checkpoints import Checkpoints

HISTORY = [{"epoch": 1, "loss": 0.1 + 0.2, "ndcg@100": 1 / 3}]

New = Callable[..., "tuple[Any, Checkpoints]"]


@pytest.fixture
def new(spec: FeatureSpec, small: Config, tmp_path: Path) -> New:
    """Makes a model and its checkpoints in the same folder, as each start of a training does."""
    import tf_keras

    from tfrs_pipeline.models.two_tower import TwoTower
    from tfrs_pipeline.training.checkpoints import Checkpoints

    def make(seed: int = 0, config: Config = small) -> "tuple[Any, Checkpoints]":
        tf_keras.utils.set_random_seed(seed)
        model = TwoTower(spec, config.model, 0.1)
        optimizer = tf_keras.optimizers.AdamW(1e-3, use_ema=True)
        optimizer.build(model.tower_weights)
        return model, Checkpoints(tmp_path, model, optimizer)

    return make


def data_file(folder: Path) -> Path:
    (path,) = folder.glob("checkpoints/*.data-*")
    return path


def test_nothing_saved_is_an_empty_history(new: New) -> None:
    assert new()[1].restore() == []


def test_weights_random_numbers_and_history_come_back_to_the_bit(new: New) -> None:
    model, checkpoints = new(seed=1)
    for generator in model.user_tower.random_generators:
        generator.normal((7,))
    checkpoints.save(HISTORY)
    expected = [generator.normal((5,)).numpy().tolist() for generator in model.user_tower.random_generators]
    other, again = new(seed=2)
    assert again.restore() == HISTORY
    for saved, restored in zip(model.tower_weights, other.tower_weights, strict=True):
        np.testing.assert_array_equal(saved, restored)
    drawn = [generator.normal((5,)).numpy().tolist() for generator in other.user_tower.random_generators]
    assert drawn == expected


def test_only_the_newest_is_kept(new: New, tmp_path: Path) -> None:
    _, checkpoints = new()
    for epoch in range(3):
        checkpoints.save(HISTORY * epoch)
    data_file(tmp_path)
    assert new()[1].restore() == HISTORY * 2


def test_what_was_being_written_when_the_power_went_is_removed(new: New, tmp_path: Path) -> None:
    new()[1].save(HISTORY)
    partial = tmp_path / "checkpoints" / "ckpt-2_temp"
    partial.mkdir()
    (partial / "part").write_bytes(b"\0" * 100)
    assert new()[1].restore() == HISTORY
    assert not partial.exists()


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: path.write_bytes(path.read_bytes()[:1000]),
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(path.read_bytes()[:5000] + b"flip" + path.read_bytes()[5004:]),
        lambda path: path.unlink(),
        lambda path: path.with_name("ckpt-1.index").write_bytes(b"nonsense"),
        lambda path: path.with_name("ckpt-1.index").unlink(),
    ],
    ids=["truncated", "empty", "flipped", "gone", "index damaged", "index gone"],
)
def test_a_damaged_checkpoint_is_one_sentence(new: New, tmp_path: Path, damage: Callable[[Path], Any]) -> None:
    new()[1].save(HISTORY)
    damage(data_file(tmp_path))
    with pytest.raises(InputError, match=r"The checkpoint in .* cannot be read. Remove .* and run again"):
        new()[1].restore()


def test_a_checkpoint_of_another_model_is_one_sentence(new: New, small: Config) -> None:
    from dataclasses import replace

    new()[1].save(HISTORY)
    for other in (replace(small.model, heads=2), replace(small.model, width=8)):
        with pytest.raises(InputError, match="cannot be read"):
            new(config=replace(small, model=other))[1].restore()


def test_a_full_disk_is_one_sentence_and_the_checkpoint_before_stays(new: New, tmp_path: Path) -> None:
    _, checkpoints = new()
    checkpoints.save(HISTORY)
    files = sorted(path.name for path in (tmp_path / "checkpoints").iterdir())
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, limits[1]))  # A file that may not grow.
    try:
        with pytest.raises(InputError, match=r"The disk is full: .*checkpoints could not be written"):
            checkpoints.save(HISTORY * 2)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert sorted(path.name for path in (tmp_path / "checkpoints").iterdir()) == files
    assert new()[1].restore() == HISTORY
