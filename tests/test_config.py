import json
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from tfrs_pipeline.config import Config, config_from_dict, load_config
from tfrs_pipeline.errors import InputError
from tfrs_pipeline.features.spec import DIMENSION

EXAMPLE = """
[features]
window = 20
decay_rates = [0.1, 1]

[training]
learning_rate = 1
mixed_precision = "off"
"""


def refusal(sections: Any) -> str:
    with pytest.raises(InputError) as caught:
        config_from_dict(sections, "settings.toml")
    message = str(caught.value)
    assert message.startswith("settings.toml ")
    assert message.endswith(".")
    assert "\n" not in message
    return message


def test_without_anything_the_defaults_hold() -> None:
    assert load_config() == config_from_dict({}, "nowhere") == Config()


def test_a_file_overrides_defaults_and_flags_override_the_file(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    path.write_text(EXAMPLE)
    config = load_config(path, {"features": {"window": 30}, "training": {"seed": 7}})
    assert config.features.window == 30
    assert config.features.decay_rates == (0.1, 1.0)
    assert config.training.learning_rate == 1.0
    assert config.training.seed == 7
    assert config.training.epochs == Config().training.epochs
    assert config.model == Config().model


def test_settings_come_back_from_json_as_they_were() -> None:
    config = load_config(None, {"features": {"ngram_sizes": [3]}, "evaluation": {"split": "by-time"}})
    assert config_from_dict(json.loads(json.dumps(config.to_dict())), "config.json") == config


def test_every_setting_can_be_set_to_its_default() -> None:
    assert config_from_dict(Config().to_dict(), "nowhere") == Config()


@pytest.mark.parametrize("section", [section.name for section in fields(Config)])
def test_every_setting_of_a_section_is_checked(section: str) -> None:
    for name in Config().to_dict()[section]:
        for wrong in (None, {}, "nonsense", [], [[1]], True, float("nan"), float("inf"), -1, 2**63):
            if (name, wrong) != ("text_encoder", "nonsense"):  # Which names there are is known when it is fitted.
                assert f"{section}.{name}" in refusal({section: {name: wrong}})


@pytest.mark.parametrize(
    ("sections", "said"),
    [
        ({"trainig": {"epochs": 3}}, "has a section 'trainig'; the sections are features, model, training, evaluation"),
        ({"training": 3}, "has a section 'training'"),
        ({"training": {"epoch": 3}}, "sets training.epoch, which does not exist; there are epochs, "),
        ({"training": {"epochs": "many"}}, "sets training.epochs to 'many'; it takes a whole number"),
        ({"training": {"epochs": 2.5}}, "it takes a whole number"),
        ({"training": {"epochs": True}}, "it takes a whole number"),
        ({"training": {"epochs": 0}}, "it takes a number above 0"),
        ({"training": {"learning_rate": 0}}, "it takes a number above 0"),
        ({"training": {"learning_rate": float("nan")}}, "it takes a number up to"),
        ({"training": {"seed": 2**40}}, "it takes a number up to"),
        ({"training": {"mixed_precision": "maybe"}}, "it takes one of auto, on, off"),
        ({"training": {"averaging": 1.0}}, "it takes a number from 0 up to, not including, 1"),
        ({"model": {"dropout": -0.1}}, "it takes a number from 0 up to, not including, 1"),
        ({"features": {"decay_rates": 0.5}}, "it takes a list of numbers"),
        ({"features": {"decay_rates": []}}, "it takes a list of numbers"),
        ({"features": {"decay_rates": [0.1, 0]}}, "sets features.decay_rates to 0; it takes a number above 0"),
        ({"features": {"ngram_sizes": [2.5]}}, "it takes a whole number"),
        ({"features": {"max_tokens": 12}}, "it takes 13 or more"),
        ({"model": {"width": DIMENSION + 1}}, f"sets model.width to 769; it takes {DIMENSION} or less"),
        ({"evaluation": {"candidates": "some"}}, "it takes one of all, liked"),
        ([], "does not hold sections of settings"),
        (None, "does not hold sections of settings"),
    ],
)
def test_a_wrong_setting_is_one_sentence_that_says_what_would_be_right(sections: Any, said: str) -> None:
    assert said in refusal(sections)


@pytest.mark.parametrize("section", ["training", "model", "features"])
@pytest.mark.parametrize("name", ["seed", "heads", "patience", "negatives", "profile_tokens"])
def test_what_may_be_0_may_be_0(section: str, name: str) -> None:
    if name in Config().to_dict()[section]:
        config = config_from_dict({section: {name: 0}}, "nowhere")
        assert config.to_dict()[section][name] == 0


@pytest.mark.parametrize(
    "content",
    [
        b"[training\nepochs = 3",
        b"epochs: 3",
        b"[training]\nepochs = 3\nepochs = 4",
        "[training] # größer".encode("latin-1"),
        "[training]\nepochs = 3".encode("utf-16"),
        b"\0",
    ],
    ids=["open bracket", "yaml", "twice", "latin-1", "utf-16", "NUL"],
)
def test_what_is_no_toml_is_one_sentence_that_names_the_file(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "settings.toml"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"The config file .*settings\.toml cannot be read as TOML: "):
        load_config(path)


def test_a_file_that_is_missing_or_a_folder_is_one_sentence(tmp_path: Path) -> None:
    for path in (tmp_path / "nothing.toml", tmp_path):
        with pytest.raises(InputError, match="cannot be read as TOML"):
            load_config(path)


def test_a_wrong_setting_names_where_it_was_made(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    path.write_text("[training]\nepochs = 0")
    with pytest.raises(InputError, match=r"settings\.toml sets training\.epochs to 0"):
        load_config(path)
    with pytest.raises(InputError, match=r"^the command line sets training\.epochs to -3"):
        load_config(None, {"training": {"epochs": -3}})
