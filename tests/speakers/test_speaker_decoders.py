"""Decoders of pragmatic speakers against arithmetic done by hand, and against the contract of decoders."""

import numpy as np
import pytest
import tensorflow as tf

from interpnet_tf import LRCNDecoder, TransformerDecoder
from interpnet_tf.decoders import ExplanationDecoder
from interpnet_tf.generation import Decoding, generate
from interpnet_tf.speakers import ContrastedDecoder, ListenedDecoder
from interpnet_tf.speakers.listened_decoder import word_likelihood
from interpnet_tf.testing import check_decoder_contract

PAD, START, END, UNKNOWN, BIRD, RED = range(6)


class SaysR(ExplanationDecoder):
    """A decoder to which every word is as probable as r says: its first two entries are of BIRD and RED."""

    def start(self, r):
        return {"r": r}

    def step(self, token, state):
        never = tf.fill((len(state["r"]), BIRD), -1e9)
        return tf.concat([never, tf.math.log(state["r"])], axis=1), state


def probabilities(logits) -> list[float]:
    return tf.nn.softmax(logits)[0, BIRD:].numpy().tolist()


def listened(rationality: float) -> ListenedDecoder:
    """The target is the class of the higher score at the end of r; RED is said of class 0 more often."""
    inner = SaysR(6)
    inner.built = True
    decoder = ListenedDecoder(inner, known=[0, 1], scores=(2, 4), width=2, rationality=rationality)
    decoder.build({"r": (None, 4), "tokens": (None, None)})
    decoder.likelihood.assign([[1, 1], [1, 1], [1, 1], [1, 1], [0.5, 0.5], [0.4, 0.1]])
    return decoder


R = tf.constant([[0.6, 0.4, 0.9, 0.1]])


def test_a_listener_makes_the_telling_word_win():
    """BIRD 0.6 · 0.5 / 0.5 = 0.6 against RED 0.4 · 0.4 / 0.25 = 0.64: the listener believes in both alike."""
    decoder = listened(rationality=1)
    logits, _ = decoder.step(tf.constant([START]), decoder.start(R))
    np.testing.assert_allclose(probabilities(logits), [0.6 / 1.24, 0.64 / 1.24], rtol=1e-5)
    assert generate(decoder, R, 1).ids.numpy().tolist() == [[[RED]]]
    np.testing.assert_allclose(generate(decoder, R, 1).scores, np.log(0.64 / 1.24), rtol=1e-5)


def test_a_word_tells_less_to_a_listener_who_believes_already():
    """After RED the belief is 0.8 : 0.2. BIRD 0.6 · 0.5 / 0.5, RED 0.4 · 0.4 / (0.8 · 0.4 + 0.2 · 0.1)."""
    decoder = listened(rationality=1)
    _, state = decoder.step(tf.constant([START]), decoder.start(R))
    logits, _ = decoder.step(tf.constant([RED]), state)
    red = 0.4 * 0.4 / 0.34
    np.testing.assert_allclose(probabilities(logits), [0.6 / (0.6 + red), red / (0.6 + red)], rtol=1e-5)
    assert generate(decoder, R, 2).ids.numpy().tolist() == [[[RED, BIRD]]]


def test_rationality_is_an_exponent():
    """RED 0.4 · 1.6² against BIRD 0.6 · 1."""
    decoder = listened(rationality=2)
    logits, _ = decoder.step(tf.constant([START]), decoder.start(R))
    np.testing.assert_allclose(probabilities(logits), np.array([0.6, 1.024]) / 1.624, rtol=1e-5)


def test_the_target_is_the_known_class_of_the_highest_score():
    """With the second score higher RED speaks against the target: 0.4 · 0.1 / 0.25."""
    decoder = listened(rationality=1)
    logits, _ = decoder.step(tf.constant([START]), decoder.start(tf.constant([[0.6, 0.4, 0.1, 0.9]])))
    np.testing.assert_allclose(probabilities(logits), np.array([0.6, 0.16]) / 0.76, rtol=1e-5)


def test_scores_are_compared_as_the_classifier_gave_them():
    """Standardized 2 and 1 stand for scores 2 / 4 + 0 and 1 / 1 + 0: the second class is the target."""
    decoder = listened(rationality=1)
    r = tf.constant([[0.6, 0.4, 2.0, 1.0]])
    assert decoder.target(r).numpy().tolist() == [[1, 0]]
    decoder.score_scale.assign([4, 1])
    assert decoder.target(r).numpy().tolist() == [[0, 1]]
    decoder.score_mean.assign([1, 0])
    assert decoder.target(r).numpy().tolist() == [[1, 0]]


def contrasted(rationality: float, rivals: int = 1) -> ContrastedDecoder:
    """The rivals, classes 1 and 2, say RED seldom, and class 2 never says much else than BIRD."""
    inner = SaysR(6)
    inner.built = True
    decoder = ContrastedDecoder(
        inner, known=[0, 1, 2], scores=(2, 5), width=2, rivals=rivals, rationality=rationality
    )
    decoder.build({"r": (None, 5), "tokens": (None, None)})
    decoder.mean_r.assign([[0.5, 0.5], [0.9, 0.1], [0.95, 0.05]])
    return decoder


CONTRASTED_R = tf.constant([[0.6, 0.4, 0.7, 0.2, 0.1]])


def test_a_rival_makes_the_telling_word_win():
    """BIRD 0.6 · 0.6 / ((0.6 + 0.9) / 2) = 0.48 against RED 0.4 · 0.4 / ((0.4 + 0.1) / 2) = 0.64."""
    decoder = contrasted(rationality=1)
    logits, state = decoder.step(tf.constant([START]), decoder.start(CONTRASTED_R))
    np.testing.assert_allclose(probabilities(logits), np.array([0.48, 0.64]) / 1.12, rtol=1e-5)
    # RED is four times as probable of the example: belief 0.8 : 0.2.
    logits, _ = decoder.step(tf.constant([RED]), state)
    bird, red = 0.36 / (0.8 * 0.6 + 0.2 * 0.9), 0.16 / (0.8 * 0.4 + 0.2 * 0.1)
    np.testing.assert_allclose(probabilities(logits), np.array([bird, red]) / (bird + red), rtol=1e-5)


def test_two_rivals_share_the_belief():
    decoder = contrasted(rationality=1, rivals=2)
    logits, _ = decoder.step(tf.constant([START]), decoder.start(CONTRASTED_R))
    bird, red = 0.36 / ((0.6 + 0.9 + 0.95) / 3), 0.16 / ((0.4 + 0.1 + 0.05) / 3)
    np.testing.assert_allclose(probabilities(logits), np.array([bird, red]) / (bird + red), rtol=1e-5)


def test_the_rival_is_the_class_of_the_next_score():
    """With class 2 next, BIRD 0.6 · 0.6 / ((0.6 + 0.95) / 2) and RED 0.4 · 0.4 / ((0.4 + 0.05) / 2)."""
    decoder = contrasted(rationality=1)
    r = tf.constant([[0.6, 0.4, 0.7, 0.1, 0.2]])
    logits, _ = decoder.step(tf.constant([START]), decoder.start(r))
    bird, red = 0.36 / 0.775, 0.16 / 0.225
    np.testing.assert_allclose(probabilities(logits), np.array([bird, red]) / (bird + red), rtol=1e-5)


def build(kind: str, inner: ExplanationDecoder, **options) -> ExplanationDecoder:
    """A decoder of 20 words, the last four of eight entries of r its scores, with tables drawn at random."""
    random = np.random.default_rng(0)
    options = {"known": [0, 1, 3], "scores": (4, 8), "width": 8, **options}
    decoder = ListenedDecoder(inner, **options) if kind == "listened" else ContrastedDecoder(inner, **options)
    decoder({"r": np.ones((2, 8), "float32"), "tokens": np.ones((2, 3), "int32")})
    if kind == "listened":
        decoder.likelihood.assign(random.dirichlet(np.ones(20), 3).T)
    else:
        decoder.mean_r.assign(random.normal(size=(3, 8)))
    return decoder


@pytest.mark.parametrize(("kind", "options"), [("listened", {}), ("contrasted", {"rivals": 2})])
def test_meets_the_contract(kind, options):
    check_decoder_contract(build(kind, LRCNDecoder(20, 6, 8, dropout=0, seed=0), **options), width=8)


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "options"), [("listened", {}), ("contrasted", {"rivals": 1})])
def test_meets_the_contract_around_a_transformer(kind, options):
    inner = TransformerDecoder(20, layers=1, units=8, heads=2, max_length=4, dropout=0, seed=0)
    check_decoder_contract(build(kind, inner, **options), width=8)


@pytest.mark.parametrize(("kind", "options"), [("listened", {}), ("contrasted", {"rivals": 2})])
@pytest.mark.parametrize("decoding", [Decoding(), Decoding("beam", beams=4, n_best=4), Decoding("top_p")])
def test_without_rationality_it_is_the_inner_decoder(kind, options, decoding):
    inner = LRCNDecoder(20, 6, 8, seed=0)
    decoder = build(kind, inner, rationality=0, **options)
    r = np.random.default_rng(1).normal(size=(3, 8)).astype("float32")
    for said, plain in zip(generate(decoder, r, 7, decoding), generate(inner, r, 7, decoding), strict=True):
        np.testing.assert_allclose(said, plain, atol=1e-5)


def test_word_likelihood_by_hand():
    """Two classes, three and two words (ends included); BIRD is 1 of 5 words, RED 1 of 5, END 3 of 5."""
    table = word_likelihood([[BIRD], [], [RED]], [7, 7, 2], known=[2, 7], vocabulary_size=6, smoothing=5)
    np.testing.assert_allclose(table[BIRD], [(0 + 1) / (2 + 5), (1 + 1) / (3 + 5)], rtol=1e-5)
    np.testing.assert_allclose(table[RED], [(1 + 1) / (2 + 5), (0 + 1) / (3 + 5)], rtol=1e-5)
    np.testing.assert_allclose(table[END], [(1 + 3) / (2 + 5), (2 + 3) / (3 + 5)], rtol=1e-5)
    assert (table[[PAD, START, UNKNOWN]] == 1).all()


def test_a_word_nobody_says_tells_a_listener_nothing_certain():
    table = word_likelihood([[BIRD], [BIRD]], [0, 1], known=[0, 1], vocabulary_size=6)
    assert (table[RED] > 0).all()
    assert table[RED, 0] == table[RED, 1]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"rationality": -1.0}, "rationality must be at least 0"),
        ({"known": [3]}, "known must name at least two"),
        ({"known": [0, 4]}, "of the 4 classes"),
        ({"rivals": 3}, "rivals must be at least 1 and fewer than the 3"),
        ({"rivals": 0}, "rivals must be at least 1"),
    ],
)
def test_says_which_argument_is_wrong(options, message):
    kind = "contrasted" if "rivals" in options else "listened"
    with pytest.raises(ValueError, match=message):
        build(kind, LRCNDecoder(20, 6, 8), **options)
