"""Titles and descriptions as vectors, without any download: hashed character n-grams, good for Japanese and English."""

import re
import unicodedata
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tfrs_pipeline.config import FeatureConfig
from tfrs_pipeline.errors import InputError
from tfrs_pipeline.features.spec import TextSpec

BUCKETS = 8192
"""Hash buckets; a power of two, so that a bucket is the low bits of a hash."""
NONZEROS = 4
"""Places that a bucket has in the projection (Achlioptas 2003, sparse random projection)."""
_BLANKS = str.maketrans(dict.fromkeys("\t\n\v\f\r\u00a0\u3000", " "))
# Runs of the scripts that Unicode no longer adds letters or marks to. Only they are normalized, so that two versions of
# Unicode's tables, Python's and JavaScript's, fold a text alike: Latin, Greek, Cyrillic, Hebrew, Arabic, Hangul, kana,
# Han, their compatibility forms, and symbols. Other scripts are read as they are written.
_STABLE = re.compile(
    "[^\u0700-\u10ff\u1200-\u1dff\u2c00-\u2e7f\ua000-\uabff\ud7a4-\uf8ff"
    "\U00010000-\U0001d3ff\U0001d800-\U0001f0ff\U0001f300-\U0010ffff]+"
)
_ROWS_AT_ONCE = 512


class HashedNgrams:
    """Tf-idf over hashed character n-grams, projected at random to few dimensions.

    Raises:
        InputError: the specification is not fitted.
    """

    def __init__(self, spec: TextSpec) -> None:
        if len(spec.idf) != BUCKETS:
            raise InputError(f"The text encoder has {len(spec.idf)} hash buckets instead of {BUCKETS}. Train again.")
        self.spec = spec
        self._idf = np.array(spec.idf)
        self._places, self._signs = projection(spec.dimension)

    @classmethod
    def fit(cls, texts: Sequence[str], dimension: int, config: FeatureConfig) -> "HashedNgrams":
        """Learn from the texts how rare each bucket is."""
        documents = np.zeros(BUCKETS)
        for start in range(0, len(texts), _ROWS_AT_ONCE):
            counts = _counts(texts[start : start + _ROWS_AT_ONCE], config.ngram_sizes, config.max_characters)
            documents += (counts > 0).sum(axis=0)
        # Rounded because it is written to JSON: what is fitted and what is read back are the same numbers.
        idf = np.round(np.log((1 + len(texts)) / (1 + documents)), 4)
        sizes = list(config.ngram_sizes)
        return cls(TextSpec("hashed-ngrams", dimension, sizes, config.max_characters, idf.tolist()))

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Texts → [number of texts, dimension]."""
        vectors = np.zeros((len(texts), self.spec.dimension), np.float32)
        for start in range(0, len(texts), _ROWS_AT_ONCE):
            rows = slice(start, start + _ROWS_AT_ONCE)
            counts = _counts(texts[rows], self.spec.ngram_sizes, self.spec.max_characters)
            row, bucket = np.nonzero(counts)
            weights = np.log1p(counts[row, bucket]) * self._idf[bucket]
            places = row[:, None] * self.spec.dimension + self._places[bucket]
            projected = (
                np.bincount(
                    places.ravel(), (weights[:, None] * self._signs[bucket]).ravel(), len(counts) * self.spec.dimension
                )
                .astype(np.float64)
                .reshape(len(counts), -1)
            )
            length = np.linalg.norm(projected, axis=1, keepdims=True)
            vectors[rows] = np.divide(projected, length, out=np.zeros(projected.shape), where=length > 0)
        return vectors


def normalize(text: str, max_characters: int) -> NDArray[np.uint32]:
    """Code points of the text, compatibility forms and case folded, blanks collapsed, one blank at each end.

    Lone surrogates, which UTF-8 cannot carry, become U+FFFD.
    """
    text = text[:max_characters].encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    words = [word for word in _STABLE.sub(_fold, text).translate(_BLANKS).split(" ") if word]
    if not words:
        return np.zeros(0, np.uint32)
    return np.frombuffer(f" {' '.join(words)} ".encode("utf-32-le"), np.uint32)


def _fold(run: re.Match[str]) -> str:
    # Every sigma is the same sigma: whether one ends a word is a question on which Unicode's versions may differ.
    return unicodedata.normalize("NFKC", run[0]).replace("Σ", "σ").lower()


def hash_ngrams(points: NDArray[np.uint32], size: int) -> NDArray[np.uint32]:
    """A 32-bit hash of each n-gram: FNV-1a over code points, then MurmurHash3's finalizer so that low bits are even."""
    if len(points) < size:
        return np.zeros(0, np.uint32)
    hashes = np.full(len(points) - size + 1, 0x811C9DC5, np.uint32)
    for place in range(size):
        hashes = (hashes ^ points[place : place + len(hashes)]) * np.uint32(0x01000193)
    return mix(hashes)


def mix(hashes: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """MurmurHash3's 32-bit finalizer (Appleby, public domain)."""
    hashes = (hashes ^ (hashes >> np.uint32(16))) * np.uint32(0x85EBCA6B)
    hashes = (hashes ^ (hashes >> np.uint32(13))) * np.uint32(0xC2B2AE35)
    return hashes ^ (hashes >> np.uint32(16))


def projection(dimension: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """A fixed sparse random projection: where each bucket adds, and by how much, both [BUCKETS, NONZEROS]."""
    numbers = np.arange(BUCKETS * NONZEROS, dtype=np.uint32).reshape(BUCKETS, NONZEROS)
    hashes = mix(numbers + np.uint32(1))
    signs = np.where(hashes & np.uint32(1), 1.0, -1.0) / np.sqrt(NONZEROS)
    return ((hashes >> np.uint32(1)) % np.uint32(dimension)).astype(np.int64), signs


def _counts(texts: Sequence[str], ngram_sizes: Sequence[int], max_characters: int) -> NDArray[np.int64]:
    """How often each bucket occurs in each text, [number of texts, BUCKETS]."""
    places = []
    for row, text in enumerate(texts):
        points = normalize(text, max_characters)
        for size in ngram_sizes:
            places.append(row * BUCKETS + (hash_ngrams(points, size) % np.uint32(BUCKETS)).astype(np.int64))
    flat = np.concatenate(places) if places else np.zeros(0, np.int64)
    return np.bincount(flat, minlength=len(texts) * BUCKETS).reshape(len(texts), BUCKETS)
