"""Indexes of candidate videos: given users' vectors, the k videos with the highest dot products.

One contract, two ways: `ExactIndex` looks at every video; `ScannIndex` (Guo et al., ICML 2020; SOAR: Sun et al.,
NeurIPS 2023) at a part of them. scann is imported here alone, and only when an index is built, for it has no wheel for
some machines: `scann_missing` says whether that is so.
"""

import os
import tempfile
from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tfrs_pipeline.errors import InputError
from tfrs_pipeline.evaluation.top_k import top_k

_SCORES_PER_BLOCK = 32 * 1024 * 1024
_QUERIES_PER_BLOCK = 256


class CandidateIndex(ABC):
    """Finds the videos whose vectors have the highest dot products with a query.

    Args:
        vectors: [videos, dimensions], float32 and finite, of unit length where the dot product is to be the cosine.

    Raises:
        InputError: there are no vectors, or they are not finite.
    """

    kind: str
    """`exact` or `scann`, as the metrics name it."""

    def __init__(self, vectors: NDArray[np.float32]) -> None:
        if vectors.ndim != 2 or len(vectors) == 0:
            raise InputError(f"An index needs vectors of shape [videos, dimensions], not {vectors.shape}.")
        if not np.isfinite(vectors).all():
            raise InputError("A video's vector holds a number that is not finite, so it cannot be indexed.")
        self.vectors = np.ascontiguousarray(vectors, np.float32)

    def search(self, queries: NDArray[np.float32], k: int) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        """The `k` best videos for each query that the index finds, the best first.

        Args:
            queries: [queries, dimensions].
            k: length of a list.

        Returns:
            Numbers of videos int32 [queries, k] and dot products float32 [queries, k], which an index that is not exact
            may give to three digits only. Where fewer videos are found, the list is filled up with -1 and -inf.

        Raises:
            InputError: the queries have other dimensions than the videos.
        """
        if queries.ndim != 2 or queries.shape[1] != self.vectors.shape[1]:
            raise InputError(
                f"Queries of shape {queries.shape} do not fit videos of {self.vectors.shape[1]} dimensions. "
                f"They have to be [queries, {self.vectors.shape[1]}]."
            )
        ids = np.full((len(queries), k), -1, np.int32)
        scores = np.full((len(queries), k), -np.inf, np.float32)
        found = min(k, len(self.vectors))
        if len(queries) and found:
            ids[:, :found], scores[:, :found] = self._search(np.ascontiguousarray(queries, np.float32), found)
        return ids, scores

    @abstractmethod
    def _search(self, queries: NDArray[np.float32], k: int) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        """As `search`, for at least one query and at most as many videos as there are."""

    @abstractmethod
    def size_bytes(self) -> int:
        """What the index takes, the vectors that it needs included."""


class ExactIndex(CandidateIndex):
    """Every dot product, by matrix products in batches, and the k best by a bound on them. Equal ones by number."""

    kind = "exact"

    def _search(self, queries: NDArray[np.float32], k: int) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        block = max(1, min(_QUERIES_PER_BLOCK, _SCORES_PER_BLOCK // len(self.vectors)))
        ids, scores = [], []
        for first in range(0, len(queries), block):
            of_all = queries[first : first + block] @ self.vectors.T
            ids.append(top_k(of_all, k))
            scores.append(np.take_along_axis(of_all, ids[-1], axis=1))
        return np.concatenate(ids), np.concatenate(scores)

    def size_bytes(self) -> int:
        """The vectors and nothing else."""
        return self.vectors.nbytes


@dataclass(frozen=True)
class ScannSetting:
    """How a ScaNN index is built and asked.

    Attributes:
        leaves: into how many parts the videos are divided; 0 for none: ScaNN's own exact search.
        leaves_to_search: in how many of them a query looks.
        reorder: how many of the best approximate scores are computed again from the vectors.
        float32: they are computed from float32 vectors rather than from bfloat16 ones, which are half as large and
            faster to read, but tell scores apart to three digits only.
    """

    leaves: int
    leaves_to_search: int
    reorder: int
    float32: bool = False


class ScannIndex(CandidateIndex):
    """Tree, asymmetric hashing of the residuals, and reordering of the best.

    Args:
        vectors: as for every index.
        setting: what to build. `leaves_to_search` and `reorder` can be changed later, see `at`.
        threads: that build and search use, all of the machine's by default.
    """

    kind = "scann"

    def __init__(self, vectors: NDArray[np.float32], setting: ScannSetting, threads: int | None = None) -> None:
        super().__init__(vectors)
        self.setting = setting
        self.threads = threads or available_threads()
        self._searcher = _build(self.vectors, setting, self.threads)

    def at(self, leaves_to_search: int, reorder: int) -> "ScannIndex":
        """The same index, asked in another way; nothing is built anew."""
        other = object.__new__(ScannIndex)
        setting = replace(self.setting, leaves_to_search=leaves_to_search, reorder=reorder)
        other.__dict__ = self.__dict__ | {"setting": setting}
        return other

    def _search(self, queries: NDArray[np.float32], k: int) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        asked: dict[str, Any] = {"final_num_neighbors": k}
        if self.setting.leaves:
            asked |= {
                "leaves_to_search": min(self.setting.leaves_to_search, self.setting.leaves),
                "pre_reorder_num_neighbors": max(self.setting.reorder, k),
            }
        if len(queries) == 1:
            numbers, products = self._searcher.search(queries[0], **asked)
            numbers, products = numbers[None], products[None]
        else:
            numbers, products = self._searcher.search_batched_parallel(queries, **asked)
        # A leaf may hold fewer than k videos. ScaNN then returns fewer for one query, and NaN among several.
        ids = np.full((len(queries), k), -1, np.int32)
        scores = np.full((len(queries), k), -np.inf, np.float32)
        there = ~np.isnan(products)
        ids[:, : products.shape[1]][there] = numbers[there].astype(np.int32)
        scores[:, : products.shape[1]][there] = products[there]
        return ids, scores

    def size_bytes(self) -> int:
        """What the index takes on disk, which is close to what it takes in memory."""
        with tempfile.TemporaryDirectory() as folder:
            self._searcher.serialize(folder)
            return sum(file.stat().st_size for file in Path(folder).rglob("*") if file.is_file())


def scann_missing() -> str | None:
    """Why ScaNN cannot be used here, as a sentence; None where it can."""
    try:
        from scann.scann_ops.py import scann_ops_pybind  # noqa: F401
    except ModuleNotFoundError:
        return "ScaNN is not installed, as it has no wheel for this machine: exact search stands in."
    except Exception as error:  # An unknown symbol in its library comes as one of several types.
        return f"ScaNN cannot be loaded ({type(error).__name__}): exact search stands in."
    return None


def available_threads() -> int:
    """How many threads matrix products use, so that ScaNN can be given as many."""
    for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"):
        if os.environ.get(name, "").isdigit():
            return max(1, int(os.environ[name]))
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


# Chosen on 100,000 clustered vectors of 768 numbers. Residuals of unit vectors are small and alike, so plain
# quantisation with two dimensions to a block reaches more than the anisotropic one and is trained in half the time;
# SOAR's second leaf for every video lets a query search half the leaves; bfloat16 halves what reordering reads.
_DIMENSIONS_PER_BLOCK = 2
_SOAR_LAMBDA = 1.5
_TREE_SAMPLE, _TREE_ITERATIONS = 30_000, 10
_HASH_SAMPLE, _HASH_ITERATIONS = 20_000, 6


def _build(vectors: NDArray[np.float32], setting: ScannSetting, threads: int) -> Any:
    from scann import ReorderType
    from scann.scann_ops.py import scann_ops_pybind

    neighbours = min(setting.reorder or len(vectors), len(vectors))
    builder = scann_ops_pybind.builder(vectors, neighbours, "dot_product").set_n_training_threads(threads)
    if setting.leaves:
        builder = (
            builder.tree(
                num_leaves=setting.leaves,
                num_leaves_to_search=setting.leaves_to_search,
                training_sample_size=min(_TREE_SAMPLE, len(vectors)),
                training_iterations=_TREE_ITERATIONS,
                soar_lambda=_SOAR_LAMBDA,
            )
            .score_ah(
                _DIMENSIONS_PER_BLOCK,
                training_sample_size=min(_HASH_SAMPLE, len(vectors)),
                training_iterations=_HASH_ITERATIONS,
            )
            .reorder(setting.reorder, quantize=ReorderType.FLOAT32 if setting.float32 else ReorderType.BFLOAT16)
        )
    else:
        builder = builder.score_brute_force()
    searcher = builder.build()
    searcher.set_num_threads(threads)
    return searcher
