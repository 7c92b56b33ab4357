"""Greedy generation against teacher forcing, and against scripts whose sentences are known."""

import numpy as np
import pytest
import tensorflow as tf

from interpnet_tf.decoders import ExplanationDecoder, LRCNDecoder
from interpnet_tf.generation import greedy

PAD, START, END, UNKNOWN = range(4)
VOCABULARY, WIDTH, ROWS, MAX_LENGTH = 12, 4, 8, 9
R = np.random.default_rng(0).normal(0, 2, (ROWS, WIDTH)).astype("float32")


@pytest.fixture(scope="module")
def decoder() -> LRCNDecoder:
    """An untrained decoder, made talkative by large weights."""
    decoder = LRCNDecoder(VOCABULARY, embedding_dim=8, units=16, seed=0)
    decoder({"r": R, "tokens": np.ones((ROWS, 1), "int32")})
    random = np.random.default_rng(1)
    for variable in decoder.trainable_variables:
        variable.assign(random.normal(0, 1.2, variable.shape))
    return decoder


@pytest.fixture(scope="module")
def said(decoder) -> tuple[np.ndarray, np.ndarray]:
    ids, log_probabilities = greedy(decoder, R, MAX_LENGTH)
    return ids.numpy(), log_probabilities.numpy()


def greedy_by_teacher_forcing(decoder, r) -> tuple[list[int], list[float]]:
    """Reads the whole sentence again for every word, and takes the best word that may be said."""
    ids, log_probabilities = [], []
    while len(ids) < MAX_LENGTH and END not in ids:
        logits = decoder({"r": r[None], "tokens": np.array([[START, *ids]], "int32")})[0, -1].numpy()
        allowed = {word: logit for word, logit in enumerate(logits) if word not in (PAD, START, UNKNOWN)}
        ids.append(max(allowed, key=allowed.get))
        log_probabilities.append(float(tf.nn.log_softmax(logits)[ids[-1]]))
    return ids, log_probabilities


def test_the_sentences_put_the_loop_to_the_test(said):
    """The fixture: some sentences end at different times, some are cut off, and they differ."""
    ends = (said[0] == END).argmax(axis=1)[(said[0] == END).any(axis=1)]
    assert len(set(ends.tolist())) >= 2
    assert len(ends) < ROWS
    assert len({tuple(row) for row in said[0]}) >= ROWS // 2


@pytest.mark.parametrize("row", range(ROWS))
def test_equals_teacher_forcing(decoder, said, row):
    ids, log_probabilities = greedy_by_teacher_forcing(decoder, R[row])
    padding = MAX_LENGTH - len(ids)
    assert said[0][row].tolist() == ids + [PAD] * padding
    np.testing.assert_allclose(said[1][row], log_probabilities + [0] * padding, atol=1e-4)


def test_batch_equals_rows_one_by_one(decoder, said):
    for row in range(ROWS):
        ids, log_probabilities = greedy(decoder, R[row : row + 1], MAX_LENGTH)
        np.testing.assert_array_equal(ids[0], said[0][row])
        np.testing.assert_allclose(log_probabilities[0], said[1][row], atol=1e-5)


def test_graph_equals_eager(decoder, said):
    graph = tf.function(
        lambda r: greedy(decoder, r, MAX_LENGTH), input_signature=[tf.TensorSpec((None, WIDTH))]
    )
    for count in (ROWS, 1):
        ids, log_probabilities = graph(R[:count])
        np.testing.assert_array_equal(ids, said[0][:count])
        np.testing.assert_allclose(log_probabilities, said[1][:count], atol=1e-5)


def test_a_shorter_limit_cuts(decoder, said):
    np.testing.assert_array_equal(greedy(decoder, R, 3)[0], said[0][:, :3])


class Script(ExplanationDecoder):
    """Says to row i the words `script[i]` whatever it reads, and counts its steps."""

    def __init__(self, script):
        super().__init__(vocabulary_size=8)
        self.script, self.steps = tf.constant(script), 0

    def start(self, r):
        return {"said": tf.zeros_like(self.script[:, 0])}

    def step(self, token, state):
        self.steps += 1
        word = tf.gather(self.script, state["said"], axis=1, batch_dims=1)
        return 3.0 * tf.one_hot(word, self.vocabulary_size), {"said": state["said"] + 1}


def test_stops_when_every_sentence_has_ended():
    decoder = Script([[5, END, 6, 6, 6, 6], [4, 5, END, 7, 7, 7]])
    ids, _ = greedy(decoder, tf.zeros((2, 1)), 6)
    assert ids.numpy().tolist() == [[5, END, 0, 0, 0, 0], [4, 5, END, 0, 0, 0]]
    assert decoder.steps == 3


def test_silent_ids_are_never_said_but_count_in_the_probability():
    # At every step one silent id has logit 3 and the others 0: the end id is the first of the best left,
    # with probability 1 / (e^3 + 7).
    ids, log_probabilities = greedy(Script([[PAD], [START], [UNKNOWN]]), tf.zeros((3, 1)), 1)
    assert ids.numpy().tolist() == [[END]] * 3
    np.testing.assert_allclose(log_probabilities, [[-np.log(np.exp(3) + 7)]] * 3, rtol=1e-5)


def test_max_length_is_checked(decoder):
    with pytest.raises(ValueError, match="max_length must be at least 1, got 0"):
        greedy(decoder, R, 0)
