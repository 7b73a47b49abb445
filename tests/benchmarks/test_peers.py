"""What each peer computes."""

import dataclasses
from collections.abc import Callable

import numpy as np
import pytest
from quality.peer import Fitted, Peer
from quality.registry import PEERS
from quality.rounds import Round

from tfrs_pipeline.data.snapshot import Snapshot

PeerOf = Callable[[str], Peer]


@pytest.mark.parametrize("name", [peer.name for peer in PEERS])
def test_every_peer_learns_and_gives_every_video_a_finite_score_for_every_user(
    name: str, peer_of: PeerOf, validation: Round
) -> None:
    peer = peer_of(name)
    fitted = peer.fit(validation.training, dict(peer.space.usual), 0, None)
    scorer = fitted.scorer(validation.asked)
    scores = scorer.scores(slice(0, len(validation.problem)))
    assert scores.shape == (len(validation.problem), validation.training.videos.num_rows)
    assert scores.dtype == np.float32
    assert np.isfinite(scores).all()
    np.testing.assert_allclose(scorer.scores(slice(3, 5)), scores[3:5], rtol=1e-4, atol=1e-6)
    assert fitted.size_bytes > 0
    assert fitted.settings == peer.space.usual


@pytest.mark.parametrize("name", ["ials", "bpr"])
def test_a_seed_gives_the_same_twice(name: str, validation: Round, peer_of: PeerOf) -> None:
    peer = peer_of(name)
    first, second = (
        peer.fit(validation.training, dict(peer.space.usual), 1, None).scorer(validation.asked).scores(slice(0, 9))
        for _ in range(2)
    )
    np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize("name", ["lightfm-warp", "tfrs-quickstart", "tfrs-deep-retrieval", "sasrec"])
def test_the_watch_chooses_the_epoch_and_its_weights_are_kept(name: str, validation: Round, peer_of: PeerOf) -> None:
    peer = peer_of(name)
    scores = []

    def watch(fitted: Fitted) -> float:
        scores.append(fitted.scorer(validation.asked).scores(slice(0, 9)))
        return -abs(len(scores) - 2.0)

    fitted = peer.fit(validation.training, dict(peer.space.usual), 0, watch)
    assert fitted.settings["epochs"] == 2
    np.testing.assert_array_equal(fitted.scorer(validation.asked).scores(slice(0, 9)), scores[1])
    # And as many epochs without a watch come to the same.
    again = peer.fit(validation.training, fitted.settings, 0, None)
    np.testing.assert_array_equal(again.scorer(validation.asked).scores(slice(0, 9)), scores[1])


def test_the_sequence_model_is_better_than_chance_and_reads_the_order(validation: Round, peer_of: PeerOf) -> None:
    peer = peer_of("sasrec")
    settings = dict(peer.space.usual) | {"epochs": 15, "width": 16, "learning_rate": 5e-3}
    fitted = peer.fit(validation.training, settings, 0, None)
    popularity = peer_of("popularity").fit(validation.training, {}, 0, None)
    assert validation.figure(fitted.scorer(validation.asked)) > validation.figure(popularity.scorer(validation.asked))
    seen = validation.asked.seen
    backwards = np.concatenate([seen.of(row)[::-1] for row in range(len(validation.problem))])
    turned = dataclasses.replace(validation.asked, seen=dataclasses.replace(seen, video=backwards))
    rows = slice(0, 9)
    assert not np.allclose(fitted.scorer(turned).scores(rows), fitted.scorer(validation.asked).scores(rows))


@pytest.fixture
def toy() -> np.ndarray:
    return (np.random.default_rng(0).random((12, 7)) < 0.4).astype(np.float32)


def test_item_knn_is_the_cosine_of_columns(toy: np.ndarray) -> None:
    pytest.importorskip("scipy")
    from quality.neighbours import cosines
    from scipy.sparse import csr_matrix

    expected = toy.T @ toy / (np.sqrt(np.outer(toy.sum(0), toy.sum(0))) + 2.0)
    np.fill_diagonal(expected, 0)
    np.testing.assert_allclose(cosines(csr_matrix(toy), 7, 2.0).toarray(), expected, rtol=1e-5)
    kept = cosines(csr_matrix(toy), 3, 2.0).toarray()
    for row, of_all in zip(kept, expected, strict=True):
        assert (row > 0).sum() == min(3, (of_all > 0).sum())
        np.testing.assert_allclose(np.sort(row)[-3:], np.sort(of_all)[-3:], rtol=1e-5)


def test_ease_is_the_closed_form(toy: np.ndarray) -> None:
    pytest.importorskip("scipy")
    from quality.ease import solve

    inverse = np.linalg.inv(toy.T.astype(np.float64) @ toy + 5.0 * np.eye(7))
    expected = -inverse / np.diag(inverse)
    np.fill_diagonal(expected, 0)
    np.testing.assert_allclose(solve(toy.T @ toy, 5.0), expected, atol=1e-5)


def test_scores_from_history_are_sums_over_what_was_liked(
    service: Snapshot, validation: Round, peer_of: PeerOf
) -> None:
    peer = peer_of("ease")
    fitted = peer.fit(validation.training, {"regularization": 5.0}, 0, None)
    likes = np.zeros((validation.training.users, service.videos.num_rows))
    likes[validation.training.likes.user, validation.training.likes.video] = 1
    inverse = np.linalg.inv(likes.T @ likes + 5.0 * np.eye(likes.shape[1]))
    weights = -inverse / np.diag(inverse)
    np.fill_diagonal(weights, 0)
    expected = likes[validation.asked.users] @ weights
    np.testing.assert_allclose(fitted.scorer(validation.asked).scores(slice(None)), expected, atol=1e-4)


def test_metadata_of_lightfm_holds_each_video_and_its_shared_values(service: Snapshot) -> None:
    pytest.importorskip("scipy")
    from quality.warp import features_of

    features = features_of(service.videos, normalize=True)
    np.testing.assert_allclose(features.sum(axis=1), 1, rtol=1e-5)
    plain = features_of(service.videos, normalize=False)
    videos = service.videos.num_rows
    np.testing.assert_array_equal(plain[:, :videos].toarray(), np.eye(videos))
    assert plain.shape[1] == videos + 4 + 6 + 2  # Four genres, six makers, two performers.
