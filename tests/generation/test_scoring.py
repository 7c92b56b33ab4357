"""Log-probabilities of given sentences, and to which layers words looked."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from interpnet_tf import ExplanationTokenizer, InterpNet, TransformerDecoder
from interpnet_tf.generation.attending import Attention


def test_words_of_known_probability(make_model, birds):
    """Without kernel the output bias alone decides: each id has the same probability at every place."""
    model = make_model()
    probabilities = np.random.default_rng(0).dirichlet(np.ones(model.tokenizer.vocabulary_size))
    model.decoder.output_kernel.assign(np.zeros(model.decoder.output_kernel.shape))
    model.decoder.output_bias.assign(np.log(probabilities))
    p = dict(zip(["", "", "[end]", "[unknown]", *model.tokenizer.vocabulary], probabilities, strict=True))
    texts = ["A red bird.", "a dodo"]
    expected = [
        np.log([p[word] for word in words]).sum()
        for words in (["a", "red", "bird", ".", "[end]"], ["a", "[unknown]", "[end]"])
    ]
    np.testing.assert_allclose(model.score_sentences(birds.inputs[:2], texts), expected, rtol=1e-5)
    lists = model.score_sentences(birds.inputs[:3], [texts, [], texts[1]], batch_size=2)
    assert [scores.dtype for scores in lists] == ["float32"] * 3
    for scores, of_one in zip(lists, [expected, [], expected[1:]], strict=True):
        np.testing.assert_allclose(scores, of_one, rtol=1e-5)


def test_the_score_of_what_is_said_is_that_of_explain(trained, birds):
    explanations = trained.explain(birds)
    totals = [one.score * ((5 + len(one.words) + 1) / 6) ** 0.7 for one in explanations]  # with the end
    scores = trained.score_sentences(birds, [one.text for one in explanations])
    np.testing.assert_allclose(scores, totals, atol=1e-4)
    inputs = tf.data.Dataset.from_tensor_slices(birds.inputs).batch(4)
    np.testing.assert_allclose(
        trained.score_sentences(inputs, np.array([one.text for one in explanations])), totals, atol=1e-4
    )
    assert trained.score_sentences(birds.inputs[:0], []).shape == (0,)


def test_sentences_of_any_form(trained, birds):
    x, texts = birds.inputs[:2], ["a red bird.", "a bird."]
    expected = trained.score_sentences(x, texts)
    for form in (tf.constant(texts), np.array(texts), [tf.constant(text) for text in texts]):
        np.testing.assert_allclose(np.ravel(trained.score_sentences(x, form)), expected, rtol=1e-4)
    of_ragged = trained.score_sentences(x, tf.ragged.constant([texts, texts[1:]]))
    assert [len(of_one) for of_one in of_ragged] == [2, 1]
    np.testing.assert_allclose([of_ragged[0][0], of_ragged[1][0]], expected, rtol=1e-4)
    adapted = ExplanationTokenizer().adapt(tf.constant(texts))
    assert adapted.vocabulary == ExplanationTokenizer().adapt(texts).vocabulary


def test_scoring_traces_no_more_than_twice(trained, birds):
    """The first length of sentences, then any."""
    for words in range(2, 7):
        trained.score_sentences(birds.inputs[:words], ["a " * words] * words)
    assert trained._score.experimental_get_tracing_count() <= 2


@pytest.mark.parametrize(
    ("sentences", "message"),
    [
        ("a red bird.", "sentences must be a list with an entry for each example, got 'a red"),
        (None, "sentences must be a list with an entry for each example, got None"),
        ({"a bird.": 1}, "sentences must be a list with an entry for each example, got {'a bird"),
        (["a bird."], "there are 2 examples and sentences for 1"),
        (["a bird.", " "], "sentences of example 1 hold ' ', which has no word"),
        (["a bird.", None], "sentences must be strings or lists of strings, got None"),
        ([["a bird.", "red " * 32], []], "example 0 hold one of 32 words and an end.*max_length=32"),
    ],
)
def test_errors_of_scoring(trained, birds, sentences, message):
    with pytest.raises(ValueError, match=message):
        trained.score_sentences(birds.inputs[:2], sentences)


def test_an_input_that_is_no_number_has_no_score(trained):
    with pytest.raises(ValueError, match="x holds NaN or infinity in example 0"):
        trained.score_sentences(np.full((1, 5), np.nan, "float32"), ["a bird."])


# Attention


@pytest.fixture(scope="module")
def attentive(birds) -> InterpNet:
    inputs = keras.Input((5,), name="features")
    classifier = keras.Model(inputs, keras.layers.Dense(3, "softmax", name="probabilities")(inputs))
    tokenizer = ExplanationTokenizer().adapt(birds.explanations)
    sizes = {"units": 8, "heads": 2, "layers": 2, "max_length": 12}
    decoder = TransformerDecoder(tokenizer.vocabulary_size, seed=0, **sizes)
    model = InterpNet(classifier, tokenizer, decoder=decoder, max_length=12, class_names=birds.class_names)
    random = np.random.default_rng(0)
    for variable in decoder.trainable_variables:
        variable.assign(random.normal(0, 0.7, variable.shape))
    model.r_mean.assign(random.normal(0, 1, 8))
    model.r_scale.assign(random.uniform(1, 2, 8))
    return model


def test_attention_of_what_is_said(attentive, birds):
    explanations = attentive.explain(birds, max_length=11)
    seen = attentive.attention(birds, explanations, batch_size=5)
    assert len(seen) == len(birds)
    for index, (one, explanation) in enumerate(zip(seen, explanations, strict=True)):
        assert one.words == explanation.words
        assert one.layers == ("features", "probabilities")
        # As the decoder reads it: r(x) standardized, and the words behind the start id.
        ids = attentive.tokenizer.vocabulary
        tokens = [[attentive.tokenizer.start_id, *(4 + ids.index(word) for word in one.words[:-1])]]
        r = attentive.standardize(attentive.introspect(birds.inputs[index : index + 1]))
        by_hand = attentive.decoder.attention({"r": r, "tokens": tf.constant(tokens)})[0]
        np.testing.assert_allclose(one.weights, by_hand[: len(one.words)], atol=1e-5)
        np.testing.assert_allclose(one.weights.sum(axis=1), 1, atol=1e-5)


def test_attention_of_texts_and_of_nothing_said_yet(attentive, birds):
    x = birds.inputs[:2]
    said = attentive.attention(x)
    assert [one.words for one in said] == [one.words for one in attentive.explain(x)]
    one, other = attentive.attention(x, ["A red bird.", "a dodo"])
    assert one.words == ("a", "red", "bird", ".")
    assert other.words == ("a", "[unknown]")
    assert other.weights.shape == (2, 2)


def test_attention_of_a_stream_that_shuffles(attentive, birds):
    stream = tf.data.Dataset.from_tensor_slices(birds.inputs).shuffle(13).batch(4)
    said = {explanation.words for explanation in attentive.explain(birds)}
    assert {one.words for one in attentive.attention(stream)} == said


def test_attention_prints_as_a_table():
    table = Attention(("a", "crow"), ("hidden", "out"), np.array([[0.75, 0.25], [0.5, 0.5]]))
    assert str(table) == "      hidden   out\na       0.75  0.25\ncrow    0.50  0.50"


def test_errors_of_attention(trained, attentive, birds):
    with pytest.raises(ValueError, match=r"LRCNDecoder reads r.*decoder='transformer'"):
        trained.attention(birds)
    with pytest.raises(ValueError, match="there are 13 examples and 1 explanations"):
        attentive.attention(birds, ["a bird."])
    with pytest.raises(ValueError, match="must be a list with one for each example"):
        attentive.attention(birds, "a bird.")
