"""The linear baseline: vectors by rule, without training; the day-one model, and the yardstick of the learned one.

A video is the linear combination of three parts of fixed length: its tokens under a random projection, its text under
another, and its popularity. A user is the recency-weighted sum of the liked videos, with a fixed share of popularity.
"""

import numpy as np
from numpy.typing import NDArray

from tfrs_pipeline.features.spec import FeatureSpec
from tfrs_pipeline.features.text import mix
from tfrs_pipeline.features.users import UserState
from tfrs_pipeline.features.videos import VideoInputs

_TEXT = 255
"""Places that the text takes; the last place is popularity, the ones before belong to the tokens."""
_NONZEROS = 8
# The weights of the parts and fields were chosen on the validation likes of MovieLens with TMDB's metadata.
_PARTS = {"tokens": 1.0, "text": 0.6, "popularity": 1.0}
_FIELDS = {"genre": 1.0, "maker": 0.5, "performer": 1.0, "tag": 1.0}
_SCALES = {"popularity": 0.0, "price": 0.1, "duration": 0.2, "published": 2.0}
_USER_POPULARITY = 1.5


class LinearModel:
    """User and video vectors from the feature spec alone."""

    def __init__(self, spec: FeatureSpec) -> None:
        self.spec = spec
        self._token_places = spec.dimension - _TEXT - 1
        self._tokens = _projection(spec.tokens, self._token_places, 1) * _token_weights(spec)[:, None]
        self._text = _projection(spec.text_size, _TEXT, 2)

    def video_vectors(self, videos: VideoInputs) -> NDArray[np.float32]:
        """Unit vectors [N, dimension]."""
        vectors = np.zeros((len(videos), self.spec.dimension), np.float32)
        for column in range(videos.tokens.shape[1]):
            weights = videos.weights[:, column, None]
            vectors[:, : self._token_places] += weights * self._tokens[videos.tokens[:, column]]
        tokens, text = vectors[:, : self._token_places], videos.text @ self._text
        vectors[:, : self._token_places] = _PARTS["tokens"] * unit(tokens)
        vectors[:, self._token_places : -1] = _PARTS["text"] * unit(text)
        vectors[:, -1] = _PARTS["popularity"] * self._popularity(videos)
        # A video of which nothing is known: it still needs a direction, and this one is next to nobody's.
        vectors[~vectors.any(axis=1), 0] = 1
        return unit(vectors)

    def user_vectors(
        self, states: list[UserState], videos: VideoInputs, vectors: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        """Unit vectors [users, dimension] for what each user liked; `vectors` are those of `videos`."""
        users = np.zeros((len(states), self.spec.dimension), np.float32)
        for row, state in enumerate(states):
            weights = np.exp(-self.spec.decay_rates[0] * np.arange(len(state.videos))[::-1], dtype=np.float32)
            users[row, :-1] = weights @ vectors[state.videos, :-1]
        users = unit(users)
        users[:, -1] = _USER_POPULARITY
        return unit(users)

    def _popularity(self, videos: VideoInputs) -> NDArray[np.float32]:
        """From 0 to 1: the logarithm of the likes, against that of the most liked video of the training data."""
        scale = self.spec.scales["popularity"]
        knots = np.array([0.0, *scale.knots], np.float32)
        # Popularity takes the first two places of a row of tokens (see `videos`).
        places = np.clip(videos.tokens[:, :2] - scale.offset, 0, len(knots) - 1)
        return (videos.weights[:, :2] * knots[places]).sum(axis=1) / max(float(knots[-1]), 1e-6)


def _token_weights(spec: FeatureSpec) -> NDArray[np.float32]:
    """What each token counts: by field, and nothing where a field is unknown or missing."""
    weights = np.zeros(spec.tokens, np.float32)
    for field, vocabulary in spec.vocabularies.items():
        weights[vocabulary.offset + 2 : vocabulary.offset + vocabulary.size] = _FIELDS[field]
    for field, scale in spec.scales.items():
        weights[scale.offset + 1 : scale.offset + scale.size] = _SCALES[field]
    return weights


def _projection(rows: int, columns: int, seed: int) -> NDArray[np.float32]:
    """A fixed sparse random projection [rows, columns] whose rows are of length about 1."""
    numbers = np.arange(rows * _NONZEROS, dtype=np.uint32).reshape(rows, _NONZEROS)
    hashes = mix(mix(numbers + np.uint32(1)) + np.uint32(seed))
    matrix = np.zeros((rows, columns), np.float32)
    signs = np.where(hashes & np.uint32(1), 1.0, -1.0) / np.sqrt(_NONZEROS)
    np.add.at(matrix, (np.arange(rows)[:, None], (hashes >> np.uint32(1)) % np.uint32(columns)), signs)
    return matrix


def unit(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Rows of length 1; a row of zeros stays one."""
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.divide(vectors, length, out=np.zeros_like(vectors), where=length > 0)
