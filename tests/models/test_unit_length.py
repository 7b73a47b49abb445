import numpy as np
import pytest


@pytest.mark.parametrize("scale", [1e-2, 1.0, 1e4])
def test_a_vector_keeps_its_direction_and_gets_length_1(scale: float) -> None:
    from tf_keras import Model, layers

    from tfrs_pipeline.models.unit_length import unit_length

    vector = layers.Input((768,))
    model = Model(vector, unit_length(vector, 768, "it"))
    values = np.random.default_rng(0).normal(size=(20, 768))
    values *= scale / np.linalg.norm(values, axis=1, keepdims=True)
    unit = model.predict_on_batch(values.astype(np.float32))
    np.testing.assert_allclose(unit, values / scale, atol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(unit, axis=1), 1, atol=1e-5)
    assert not model.trainable_variables, "its scale is fixed"
    assert np.isfinite(model.predict_on_batch(np.zeros((1, 768), np.float32))).all()
