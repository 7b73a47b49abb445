"""Batches of blocks with their candidates, the same for the same seed and epoch wherever a run is taken up again."""

from collections.abc import Iterator

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from tfrs_pipeline.config import TrainingConfig
from tfrs_pipeline.data.snapshot import Likes
from tfrs_pipeline.features.spec import FeatureSpec
from tfrs_pipeline.features.users import Views, profiles
from tfrs_pipeline.features.videos import VideoInputs
from tfrs_pipeline.models.item_tower import sparse_tokens
from tfrs_pipeline.models.two_tower import Batch
from tfrs_pipeline.models.user_tower import PLACES
from tfrs_pipeline.training.blocks import check_examples, cut_blocks

_BATCHES_AHEAD = 2


class Batches:
    """All examples in the likes, in batches.

    The likes are divided into eras of equally many. A batch is drawn from one era, and videos are as popular in it as
    they were when the era began: a like sees no popularity that came later.

    Args:
        videos: every video of the catalogue, encoded.
        likes: what may be learned from.

    Raises:
        InputError: no user has two likes, so no like follows upon another.
    """

    def __init__(self, spec: FeatureSpec, videos: VideoInputs, likes: Likes, config: TrainingConfig) -> None:
        self.spec = spec
        self.config = config
        self._likes = likes
        self._blocks = cut_blocks(likes, spec.window, PLACES)
        check_examples(likes)
        counts = likes.counts(len(videos))
        self._share = counts / max(1, len(likes))
        # Between evenly and by likes: videos that nobody likes are easy to tell from the next like.
        self._draw = np.sqrt(counts + 1) / np.sqrt(counts + 1).sum()
        era_starts = np.quantile(likes.at, np.arange(config.popularity_eras) / config.popularity_eras, method="lower")
        first_target = likes.at[self._blocks.first + 1]
        self._era = np.searchsorted(era_starts, first_target, side="right") - 1
        self._videos = [
            videos.at_popularity(spec, likes.where(likes.at < start).counts(len(videos))) for start in era_starts
        ]

    @property
    def examples(self) -> int:
        """Examples in an epoch."""
        return int(self._blocks.examples.sum())

    @property
    def steps(self) -> int:
        """Batches in an epoch."""
        return int(np.ceil(np.bincount(self._era) / self.config.batch_blocks).sum())

    def epoch(self, epoch: int) -> tf.data.Dataset:
        """The batches of one epoch, shuffled, made ahead of their use."""
        return tf.data.Dataset.from_generator(lambda: self._generate(epoch), output_signature=self.signature).prefetch(
            _BATCHES_AHEAD
        )

    def _generate(self, epoch: int) -> Iterator[Batch]:
        generator = np.random.default_rng([self.config.seed, epoch])
        order = generator.permutation(len(self._blocks))
        groups = []
        for era in range(len(self._videos)):
            members = order[self._era[order] == era]
            groups += [
                (era, members[start : start + self.config.batch_blocks])
                for start in range(0, len(members), self.config.batch_blocks)
            ]
        for group in generator.permutation(len(groups)):
            era, blocks = groups[group]
            yield self._batch(self._videos[era], blocks, generator)

    def _batch(self, catalogue: VideoInputs, blocks: NDArray[np.int64], generator: np.random.Generator) -> Batch:
        window, length = self.spec.window, self.spec.window + PLACES - 1
        start, first, examples = self._blocks.start[blocks], self._blocks.first[blocks], self._blocks.examples[blocks]
        last = first + examples - 1
        # Rows are of one length; places behind the last like repeat it, and nothing sees them.
        like = np.minimum(start[:, None] + np.arange(length), last[:, None])
        place = np.minimum(first[:, None] + np.arange(PLACES), last[:, None])
        likes, at, target = self._likes.video[like], self._likes.at[like], self._likes.video[place + 1]
        views = Views.at(place - start[:, None], length, window)
        held = int((last - start + 2).sum())
        candidates, probability = self._candidates(np.union1d(likes, target), held, generator)
        videos = catalogue[candidates]
        own = np.where(generator.random(len(videos)) < self.config.own_dropout, 0, videos.video)
        return Batch(
            video=own.astype(np.int32),
            tokens=sparse_tokens(self.spec, videos),
            text=videos.text,
            sampling_probability=probability,
            likes=np.searchsorted(candidates, likes).astype(np.int32),
            target=np.searchsorted(candidates, target).astype(np.int32),
            is_example=np.arange(PLACES) < examples[:, None],
            weights=views.weights(self.spec.decay_rates, window),
            ages=views.ages,
            mask=views.mask(window),
            profile=profiles(self.spec, catalogue[likes.ravel()], at, views),
        )

    def _candidates(
        self, needed: NDArray[np.int32], likes: int, generator: np.random.Generator
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """The videos of the batch and some drawn at random, sorted, and the probability of each to be among them.

        A video comes in by one of the batch's likes, or by the draw (mixed negatives: Yang et al. 2020, "Mixed Negative
        Sampling for Learning Two-tower Neural Networks in Recommendations").
        """
        catalogue = len(self._share)
        if catalogue <= self.config.negatives:
            return np.arange(catalogue), np.ones(catalogue, np.float32)
        drawn = generator.choice(catalogue, self.config.negatives, p=self._draw)
        candidates = np.union1d(needed, drawn)
        not_liked = np.exp(-likes * self._share[candidates])
        not_drawn = (1 - self._draw[candidates]) ** self.config.negatives
        return candidates, (1 - not_liked * not_drawn).astype(np.float32)

    @property
    def signature(self) -> Batch:
        """Shapes and types of a batch."""
        spec = self.spec
        length, rates = spec.window + PLACES - 1, len(spec.decay_rates)
        return Batch(
            video=tf.TensorSpec((None,), tf.int32),
            tokens=tf.SparseTensorSpec((None, spec.tokens), tf.float32),
            text=tf.TensorSpec((None, spec.text_size), tf.float32),
            sampling_probability=tf.TensorSpec((None,), tf.float32),
            likes=tf.TensorSpec((None, length), tf.int32),
            target=tf.TensorSpec((None, PLACES), tf.int32),
            is_example=tf.TensorSpec((None, PLACES), tf.bool),
            weights=tf.TensorSpec((None, PLACES, rates, length), tf.float32),
            ages=tf.TensorSpec((None, PLACES, length), tf.int32),
            mask=tf.TensorSpec((None, PLACES, length), tf.float32),
            profile=tf.TensorSpec((None, PLACES, spec.profile_size), tf.float32),
        )
