"""Generation against teacher forcing, brute force, and scripts whose sentences are known."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from interpnet_tf.decoders import ExplanationDecoder, LRCNDecoder
from interpnet_tf.generation import Decoding, generate

PAD, START, END, UNKNOWN = range(4)
VOCABULARY, WIDTH, ROWS, MAX_LENGTH = 12, 4, 8, 9
R = np.random.default_rng(0).normal(0, 2, (ROWS, WIDTH)).astype("float32")


def greedy(decoder, r, max_length):
    sentences = generate(decoder, r, max_length)
    return sentences.ids[:, 0], sentences.log_probabilities[:, 0]


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


@pytest.mark.parametrize("options", [{}, {"sampler": "top_p", "n_best": 3}])
def test_the_same_words_without_probabilities(decoder, options):
    expected = generate(decoder, R, MAX_LENGTH, Decoding(**options), seed=(3, 4))
    sentences = generate(decoder, R, MAX_LENGTH, Decoding(**options), seed=(3, 4), probabilities=False)
    assert not np.any(sentences.log_probabilities)
    assert not np.any(sentences.scores)
    # Draws come in the order of their scores, where there are any.
    for found, of_one in zip(sentences.ids.numpy(), expected.ids.numpy(), strict=True):
        assert sorted(found.tolist()) == sorted(of_one.tolist())


def test_beam_search_needs_probabilities(decoder):
    with pytest.raises(ValueError, match="probabilities must be True with sampler 'beam'"):
        generate(decoder, R, MAX_LENGTH, Decoding("beam"), probabilities=False)


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


# Beam search, draws and constraints


class Bigrams(ExplanationDecoder):
    """Every word depends on the word before and on the example: `tables[example][before]` are the logits."""

    def __init__(self, tables):
        super().__init__(vocabulary_size=tables.shape[-1])
        self.tables = tf.constant(tables, tf.float32)

    def start(self, r):
        return {"example": tf.range(tf.shape(r)[0])}

    def step(self, token, state):
        return tf.gather_nd(self.tables, tf.stack([state["example"], token], axis=1)), state


BIGRAMS = np.random.default_rng(3).normal(0, 2, (3, 7, 7))
METHODS = {
    "greedy": Decoding(),
    "beam": Decoding("beam", beams=4, n_best=3),
    "top_k": Decoding("top_k", k=4, n_best=3),
    "top_p": Decoding("top_p", p=0.8, temperature=1.5, n_best=3),
    "constrained": Decoding("beam", beams=3, n_best=3, min_length=3, no_repeat_ngram=2, forbidden=(5, 7)),
}


def every_sentence(table, length, length_penalty):
    """Returns all sentences of at most `length` ids, scored, the best first."""
    log_probabilities = tf.nn.log_softmax(table.astype("float32")).numpy()
    finished, begun = [], [((), 0.0)]
    for _ in range(length):
        grown = [
            ((*ids, word), total + log_probabilities[ids[-1] if ids else START, word])
            for ids, total in begun
            for word in range(len(table))
            if word not in (PAD, START, UNKNOWN)
        ]
        finished += [sentence for sentence in grown if sentence[0][-1] == END]
        begun = [sentence for sentence in grown if sentence[0][-1] != END]
    scored = [(total / ((5 + len(ids)) / 6) ** length_penalty, list(ids)) for ids, total in finished + begun]
    return sorted(scored, reverse=True)


@pytest.mark.parametrize("length_penalty", [0.0, 0.7, 1.5])
def test_a_wide_beam_finds_the_best_of_all_sentences(length_penalty):
    # Three words and the end: at most 3^4 + 3^3 + 3^2 + 3 + 1 = 121 sentences of four ids.
    decoding = Decoding("beam", beams=125, n_best=125, length_penalty=length_penalty)
    said = generate(Bigrams(BIGRAMS), tf.zeros((3, 1)), 4, decoding)
    for example in range(3):
        expected = every_sentence(BIGRAMS[example], 4, length_penalty)
        assert len(expected) == 121
        found = [row[row != PAD].tolist() for row in said.ids[example].numpy()]
        assert found[:10] == [ids for _, ids in expected[:10]]
        scores = said.scores[example].numpy()
        np.testing.assert_allclose(scores[:121], [score for score, _ in expected], rtol=1e-4)
        assert np.all(np.isneginf(scores[121:]))  # there are no more


@pytest.mark.parametrize("required", [(4,), (6, 4)])
def test_a_wide_beam_finds_the_best_of_all_sentences_with_the_required_words(required):
    decoding = Decoding("beam", beams=400, n_best=5, required=required)
    said = generate(Bigrams(BIGRAMS), tf.zeros((3, 1)), 4, decoding)
    for example in range(3):
        # A sentence without its end counts if it has the words: it was cut off by the limit.
        fitting = [
            (score, ids)
            for score, ids in every_sentence(BIGRAMS[example], 4, 0.7)
            if set(required) <= set(ids)
        ]
        assert [row[row != PAD].tolist() for row in said.ids[example].numpy()] == [
            ids for _, ids in fitting[:5]
        ]
        np.testing.assert_allclose(said.scores[example], [score for score, _ in fitting[:5]], rtol=1e-4)


def test_a_narrow_beam_says_the_required_words(decoder):
    said = generate(decoder, R, MAX_LENGTH, Decoding("beam", beams=3, required=(8, 10)))
    assert all({8, 10} <= set(row.tolist()) for row in said.ids[:, 0].numpy())


def test_a_sentence_comes_back_where_required_words_have_no_room(decoder):
    said = generate(decoder, R, 1, Decoding("beam", beams=3, required=(8, 10)))
    assert np.all(said.ids.numpy() != PAD)


def test_a_beam_may_beat_greedy():
    # The likeliest first word, 4, leads nowhere: all 6 ids may follow it. After 5 the end is certain.
    table = np.full((1, 6, 6), -30.0)
    table[0, START, [4, 5]] = np.log([0.6, 0.4])
    table[0, 4, :] = 0.0
    table[0, 5, END] = 0.0
    said = generate(Bigrams(table), tf.zeros((1, 1)), 3, Decoding("beam", beams=2, length_penalty=0.0))
    assert said.ids.numpy().tolist() == [[[5, END, PAD]]]
    np.testing.assert_allclose(said.scores, [[np.log(0.4)]], rtol=1e-5)
    assert greedy(Bigrams(table), tf.zeros((1, 1)), 3)[0][0, 0] == 4


@pytest.mark.parametrize(
    "decoding", [Decoding("beam", beams=1), Decoding("top_k", k=1), Decoding("top_p", p=1e-6)]
)
def test_what_must_equal_greedy(decoder, said, decoding):
    sentences = generate(decoder, R, MAX_LENGTH, decoding)
    np.testing.assert_array_equal(sentences.ids[:, 0], said[0])
    np.testing.assert_allclose(sentences.log_probabilities[:, 0], said[1], atol=1e-5)


@pytest.mark.parametrize("decoding", METHODS.values(), ids=METHODS)
def test_probabilities_equal_teacher_forcing(decoder, decoding):
    said = generate(decoder, R, MAX_LENGTH, decoding)
    for example in range(ROWS):
        for padded, found, score in zip(*(part[example].numpy() for part in said), strict=True):
            if np.isneginf(score):
                continue
            ids = padded[padded != PAD]
            assert END not in ids[:-1]
            assert len(ids) == MAX_LENGTH or ids[-1] == END
            tokens = np.array([[START, *ids[:-1]]], "int32")
            words = tf.nn.log_softmax(decoder({"r": R[example : example + 1], "tokens": tokens}))[0].numpy()
            expected = words[np.arange(len(ids)), ids]
            np.testing.assert_allclose(found[: len(ids)], expected, atol=1e-4)
            assert not found[len(ids) :].any()
            penalty = ((5 + len(ids)) / 6) ** decoding.length_penalty
            np.testing.assert_allclose(score, expected.sum() / penalty, rtol=1e-4)


def test_the_best_come_first_and_differ(decoder):
    said = generate(decoder, R, MAX_LENGTH, Decoding("beam", beams=5, n_best=5))
    assert np.all(np.diff(said.scores.numpy(), axis=1) <= 0)
    for of_one in said.ids.numpy():
        assert len({tuple(row) for row in of_one}) == 5


@pytest.mark.parametrize("decoding", METHODS.values(), ids=METHODS)
def test_every_method_in_a_graph_of_any_batch(decoder, decoding):
    graph = tf.function(
        lambda r: generate(decoder, r, MAX_LENGTH, decoding), input_signature=[tf.TensorSpec((None, WIDTH))]
    )
    for count in (ROWS, 1, 0):
        np.testing.assert_array_equal(
            graph(R[:count]).ids, generate(decoder, R[:count], MAX_LENGTH, decoding).ids
        )


def test_beam_search_of_a_batch_equals_rows_one_by_one(decoder):
    decoding = METHODS["beam"]
    whole = generate(decoder, R, MAX_LENGTH, decoding)
    for row in range(ROWS):
        np.testing.assert_array_equal(
            generate(decoder, R[row : row + 1], MAX_LENGTH, decoding).ids[0], whole.ids[row]
        )


def test_draws_follow_their_seed(decoder):
    def draw(*seed):
        return generate(decoder, R, MAX_LENGTH, Decoding("top_p", n_best=4), seed).ids.numpy()

    np.testing.assert_array_equal(draw(1, 0), draw(1, 0))
    assert np.any(draw(1, 0) != draw(2, 0))
    assert np.any(draw(1, 0) != draw(1, 1))


@pytest.mark.parametrize(
    ("decoding", "expected"),
    [
        # The words 4 to 7 with probabilities 8, 4, 2 and 1 fifteenths.
        (Decoding("top_k", k=4), [8 / 15, 4 / 15, 2 / 15, 1 / 15]),
        (Decoding("top_k", k=2), [2 / 3, 1 / 3, 0, 0]),
        # 8/15 and 4/15 make 0.8, so a third word is needed for 0.85.
        (Decoding("top_p", p=0.85), [4 / 7, 2 / 7, 1 / 7, 0]),
        (Decoding("top_p", p=0.75), [2 / 3, 1 / 3, 0, 0]),
        # The temperature 1/2 squares the odds: 64, 16, 4, 1.
        (Decoding("top_p", p=1.0, temperature=0.5), [64 / 85, 16 / 85, 4 / 85, 1 / 85]),
    ],
)
def test_draws_have_their_probabilities(decoding, expected):
    table = np.full((1, 8, 8), -1e9)
    table[0, START, 4:] = np.log([8, 4, 2, 1])
    draws = 20_000
    decoding = dataclasses.replace(decoding, n_best=draws)
    ids = generate(Bigrams(table), tf.zeros((1, 1)), 1, decoding, seed=(7, 0)).ids.numpy().ravel()
    found = np.bincount(ids, minlength=8)[4:] / draws
    np.testing.assert_allclose(found, expected, atol=0.015)  # four standard deviations
    assert np.all(found[np.equal(expected, 0)] == 0)


def say(script, length, **options):
    """Greedy over the likeliest of three words a step: the first, else the second, else the third."""

    class Wishes(Script):
        def step(self, token, state):
            wishes = tf.gather(self.script, state["said"], axis=1, batch_dims=1)
            weights = tf.constant([9.0, 6.0, 3.0])[None, :, None]
            logits = tf.reduce_max(weights * tf.one_hot(wishes, self.vocabulary_size), axis=1)
            return logits, {"said": state["said"] + 1}

        def start(self, r):
            return {"said": tf.zeros((1,), tf.int32)}

    return (
        generate(Wishes([script]), tf.zeros((1, 1)), length, Decoding(**options)).ids[0, 0].numpy().tolist()
    )


def test_no_sequence_is_said_twice():
    script = [[4, 5, 6], [5, 4, 6], [4, 6, 5], [5, 6, 4], [5, 4, 7], [END, 4, 5]]
    assert say(script, 6) == [4, 5, 4, 5, 5, END]
    # "4 5" was said, so 6 follows the second 4; then nothing forbids 5, and the end.
    assert say(script, 6, no_repeat_ngram=2) == [4, 5, 4, 6, 5, END]
    # No word twice: 4, 5, then 6 as 4 was said; then 4, 6 and 5 were said, and the end is first of the rest.
    assert say(script, 6, no_repeat_ngram=1) == [4, 5, 6, END, PAD, PAD]
    # No three words repeat: "4 5 5" is new.
    assert say(script, 6, no_repeat_ngram=3) == [4, 5, 4, 5, 5, END]
    assert say(script, 6, no_repeat_ngram=9) == [4, 5, 4, 5, 5, END]


def test_least_length_and_forbidden_words():
    script = [[4, 5, 6], [END, 5, 6], [END, 6, 4], [END, 4, 5]]
    assert say(script, 4) == [4, END, PAD, PAD]
    assert say(script, 4, min_length=3) == [4, 5, 6, END]
    assert say(script, 4, min_length=3, forbidden=(5,)) == [4, 6, 6, END]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"sampler": "best"}, r"sampler must be one of \['greedy', 'beam', 'top_k', 'top_p'\], got 'best'"),
        ({"beams": 0}, "beams must be at least 1, got 0"),
        ({"sampler": "beam", "beams": 2, "n_best": 3}, "n_best must be at most 2 with sampler 'beam', got 3"),
        ({"n_best": 2}, "n_best must be at most 1 with sampler 'greedy', got 2"),
        ({"p": 0.0}, "p must be greater than 0 and at most 1, got 0.0"),
        ({"temperature": 0}, "temperature must be greater than 0, got 0"),
        ({"required": (4,)}, "1 required words need sampler 'beam' with beams of at least 2, got 'greedy'"),
        ({"sampler": "beam", "beams": 2, "required": (4, 5)}, "beams of at least 3, got 'beam' and 2"),
        ({"sampler": "beam", "required": (4,), "forbidden": (4,)}, r"cannot be said: \[4\]"),
        ({"no_repeat_ngram": -1}, "no_repeat_ngram must be at least 0, got -1"),
        ({"length_penalty": float("nan")}, "length_penalty must be a finite number, got nan"),
        ({"temperature": float("nan")}, "temperature must be a finite number, got nan"),
        ({"temperature": float("inf")}, "temperature must be a finite number, got inf"),
        ({"p": float("nan")}, "p must be a finite number, got nan"),
        ({"p": "0.9"}, "p must be a finite number, got '0.9'"),
        ({"sampler": "beam", "beams": 2.5}, "beams must be a whole number, got 2.5"),
        ({"sampler": "top_k", "n_best": True}, "n_best must be a whole number, got True"),
        ({"min_length": None}, "min_length must be a whole number, got None"),
    ],
)
def test_errors_of_decoding(options, message):
    with pytest.raises(ValueError, match=message):
        Decoding(**options)
