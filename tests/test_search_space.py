from dataclasses import replace
from pathlib import Path

import pytest

from tfrs_pipeline.config import Config, FeatureConfig, TrainingConfig, load_config, to_toml
from tfrs_pipeline.search_space import Setting, config_of, sampled, search_space

NAMES = {
    *("training.temperature", "training.learning_rate", "training.own_dropout", "training.batch_blocks"),
    *("training.negatives", "training.averaging", "model.dropout", "model.read_dropout", "model.width"),
    *("features.window", "features.decay_rates"),
}


def spaces(config: Config, videos: int = 10_000) -> dict[str, Setting]:
    return {setting.name: setting for setting in search_space(config, videos)}


@pytest.mark.parametrize(
    "config",
    [
        Config(),
        Config(
            FeatureConfig(window=7, decay_rates=(0.5, 0.4)),
            training=TrainingConfig(temperature=1.0, learning_rate=1e-9, negatives=0, averaging=0.0),
        ),
        Config(FeatureConfig(decay_rates=(3.0,))),
    ],
)
def test_the_settings_that_it_starts_from_lie_within(config: Config) -> None:
    space = spaces(config)
    assert set(space) == NAMES
    for name, setting in space.items():
        value = sampled(config, name)
        assert value in setting.choices or setting.low <= value <= setting.high, name
    assert config_of(config, {name: sampled(config, name) for name in space}) == config


def test_the_first_decay_rate_stays_the_slowest() -> None:
    config = Config(FeatureConfig(decay_rates=(0.01, 0.1, 1.5)))
    assert spaces(config)["features.decay_rates"].high == 0.1
    found = config_of(config, {"features.decay_rates": 0.0123456789})
    assert found.features.decay_rates == (0.0123, 0.1, 1.5)


def test_more_negatives_than_videos_are_not_tried() -> None:
    assert spaces(Config(), 3000)["training.negatives"].choices == (512, 1024, 2048)
    assert "training.negatives" not in spaces(Config(), 60)


def test_settings_written_as_toml_are_read_as_they_were(tmp_path: Path) -> None:
    config = replace(
        Config(FeatureConfig(text_encoder='a "quoted" \\ 🎬 文', decay_rates=(1e-5, 2.0))),
        training=TrainingConfig(learning_rate=1e-7, seed=12),
    )
    (tmp_path / "config.toml").write_text(to_toml(config), encoding="utf-8")
    assert load_config(tmp_path / "config.toml") == config
