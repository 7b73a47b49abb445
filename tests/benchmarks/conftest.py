"""Peers that learn in a moment, and the rounds in which they are asked."""

import dataclasses
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tfrs_pipeline.config import Config, EvaluationConfig
from tfrs_pipeline.data.snapshot import Snapshot
from tfrs_pipeline.data.split import last_like

if TYPE_CHECKING:
    from quality.peer import Peer
    from quality.rounds import Round

# As `python benchmarks/…` has it: the folder of the script comes first.
sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))

SMALL: dict[str, dict[str, Any]] = {
    "ials": {"factors": 4, "iterations": 3},
    "bpr": {"factors": 4, "iterations": 5},
    "lightfm-warp": {"no_components": 4, "epochs": 3},
    "tfrs-quickstart": {"dimension": 8, "batch": 64, "epochs": 3},
    "tfrs-deep-retrieval": {"dimension": 8, "layers": [8], "batch": 64, "epochs": 3},
    "sasrec": {"width": 8, "length": 6, "epochs": 3},
}


@pytest.fixture(scope="session")
def config() -> Config:
    """What both rounds are made with."""
    return Config(evaluation=EvaluationConfig(candidates="all"))


@pytest.fixture(scope="session")
def peer_of() -> "Callable[[str], Peer]":
    """A peer by name, with settings that take a moment; a skip where its packages are absent."""
    from quality.registry import PEERS
    from quality.space import Space

    def small(name: str) -> "Peer":
        peer = next(peer for peer in PEERS if peer.name == name)
        for package in peer.packages:
            pytest.importorskip(package)
        usual = dict(peer.space.usual) | SMALL.get(name, {})
        choices = {key: choice for key, choice in peer.space.choices.items() if key not in SMALL.get(name, {})}
        return dataclasses.replace(peer, space=Space(usual, choices))

    return small


@pytest.fixture(scope="session")
def validation(service: Snapshot, config: Config) -> "Round":
    from quality.rounds import validation_round

    return validation_round(service, last_like(service.likes), config)


@pytest.fixture(scope="session")
def final(service: Snapshot, config: Config) -> "Round":
    from quality.rounds import final_round

    return final_round(service, last_like(service.likes), config)
