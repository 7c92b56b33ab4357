"""Features of pairs of sentences: their order, each sentence once, and an extraction that survives a kill."""

import numpy as np
import pytest

from interpnet_tf.backbones.pair_features import extract_pairs, pair_features

VECTORS = {"a": [1.0, 0.0], "b b": [0.6, 0.8], "c c c": [0.0, -1.0]}
PAIRS = [("c c c", "a"), ("b b", "a"), ("a", "a")]


class Encoder:
    """Knows the vectors of three sentences, which it tells by their lengths, and counts what it is asked."""

    width = 2

    def __init__(self, breaks_after: int = 99):
        self.asked, self.breaks_after = [], breaks_after

    def ids(self, sentences):
        return [[0] * len(sentence.split()) for sentence in sentences]

    def vectors(self, ids):
        if len(self.asked) >= self.breaks_after:
            raise KeyboardInterrupt
        self.asked += map(len, ids)
        return np.array([list(VECTORS.values())[len(one) - 1] for one in ids], "float32")


def test_features_of_a_pair_are_both_vectors_their_distance_and_their_product():
    found = pair_features(np.array([VECTORS["b b"]]), np.array([VECTORS["c c c"]]))
    np.testing.assert_allclose(found, [[0.6, 0.8, 0.0, -1.0, 0.6, 1.8, 0.0, -0.8]])


def test_each_sentence_is_read_once_the_short_ones_first(tmp_path):
    encoder, counts = Encoder(), []
    found = extract_pairs(
        encoder,
        PAIRS,
        tmp_path / "pairs.npz",
        ["x", "y", "z"],
        batch_size=2,
        progress=lambda *n: counts.append(n),
    )
    assert encoder.asked == [1, 2, 3]
    assert counts == [(2, 3), (3, 3)]
    expected = pair_features(*(np.array([VECTORS[pair[i]] for pair in PAIRS]) for i in (0, 1)))
    np.testing.assert_allclose(found, expected, atol=1e-3)
    with np.load(tmp_path / "pairs.npz") as file:
        assert file["ids"].tolist() == ["x", "y", "z"]
        assert file["features"].dtype == np.float16
        np.testing.assert_array_equal(file["features"], found)
    assert [path.name for path in tmp_path.iterdir()] == ["pairs.npz"]


def test_an_interrupted_extraction_goes_on(tmp_path):
    out, ids = tmp_path / "pairs.npz", ["x", "y", "z"]
    with pytest.raises(KeyboardInterrupt):
        extract_pairs(Encoder(breaks_after=2), PAIRS, out, ids, batch_size=1)
    with pytest.raises(ValueError, match="was begun with another backbone"):
        extract_pairs(Encoder(), PAIRS, out, ids, settings={"backbone": "another"})
    encoder = Encoder()
    found = extract_pairs(encoder, PAIRS, out, ids, batch_size=1)
    assert encoder.asked == [3]  # the two shorter sentences were read before
    np.testing.assert_array_equal(found, extract_pairs(Encoder(), PAIRS, tmp_path / "anew.npz", ids))


def test_another_ending_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"out must end in \.npz"):
        extract_pairs(Encoder(), PAIRS, tmp_path / "pairs.npy", ["x", "y", "z"])
