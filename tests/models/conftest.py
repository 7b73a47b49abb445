import numpy as np
import pytest

from tfrs_pipeline.config import Config
from tfrs_pipeline.data.snapshot import Snapshot
from tfrs_pipeline.features.spec import FeatureSpec
from tfrs_pipeline.features.users import UserState, states_of


@pytest.fixture(scope="session")
def model(spec: FeatureSpec, small: Config):  # type: ignore[no-untyped-def]
    """Towers that learned nothing, every weight drawn at random so that none goes without effect."""
    from tfrs_pipeline.models.two_tower import TwoTower

    model = TwoTower(spec, small.model, small.training.temperature)
    generator = np.random.default_rng(1)
    for variable in model.tower_weights:
        variable.assign(generator.normal(0, 0.3, variable.shape).astype(np.float32))
    return model


@pytest.fixture(scope="session")
def states(service: Snapshot, spec: FeatureSpec) -> list[UserState]:
    """What the users of `service` liked."""
    return states_of(service.likes, np.arange(len(service.users), dtype=np.int32), spec.window)
