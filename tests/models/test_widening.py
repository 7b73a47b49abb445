import numpy as np
import pytest


@pytest.mark.parametrize(("width", "dimension"), [(1, 1), (5, 7), (256, 768), (768, 768)])
def test_lengths_and_cosines_stay_what_they_are(width: int, dimension: int) -> None:
    from tfrs_pipeline.models.widening import cosines, narrow, widen

    matrix = cosines(width, dimension).astype(np.float64)
    np.testing.assert_allclose(matrix @ matrix.T, np.eye(width), atol=1e-5)
    vectors = np.random.default_rng(0).normal(size=(20, width)).astype(np.float32)
    wide = widen(width, dimension)(vectors)
    assert wide.shape == (20, dimension)
    np.testing.assert_allclose(wide.numpy() @ wide.numpy().T, vectors @ vectors.T, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(narrow(width, dimension)(wide), vectors, atol=1e-5)
