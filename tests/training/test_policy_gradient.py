"""REINFORCE against expectations that are computed by enumeration, and training that can be resumed."""

import itertools

import keras
import numpy as np
import pytest
import tensorflow as tf

from interpnet_tf import ExplanationDataset, ExplanationTokenizer, InterpNet, LRCNDecoder
from interpnet_tf.training.policy_gradient import Policy, mean_of_others, train_policy


def two_word_model() -> InterpNet:
    """A model with the words "a" and "b", sentences of at most three ids, and r(x) of width 2."""
    inputs = keras.Input((2,), name="features")
    classifier = keras.Model(inputs, keras.layers.Dense(2, "softmax", name="probabilities")(inputs))
    tokenizer = ExplanationTokenizer(["a", "b"])
    decoder = LRCNDecoder(tokenizer.vocabulary_size, embedding_dim=3, units=4, dropout=0.5, seed=0)
    model = InterpNet(classifier, tokenizer, layers=["features"], decoder=decoder, max_length=3, seed=0)
    model.compile(keras.optimizers.SGD(1.0))
    return model


@pytest.fixture(scope="module")
def two_words() -> InterpNet:
    return two_word_model()


def every_sentence(end=2, words=(4, 5), longest=3) -> np.ndarray:
    ended = [
        [*said, end, *[0] * (longest - 1 - n)]
        for n in range(longest)
        for said in itertools.product(words, repeat=n)
    ]
    return np.array([*ended, *itertools.product(words, repeat=longest)], "int32")


def reward_of(ids: np.ndarray) -> np.ndarray:
    """Likes the word "a", and short sentences."""
    return ((ids == 4).sum(axis=1) + 1.5 * (ids == 2).sum(axis=1)).astype("float32")


def expected_reward_gradient(policy, r) -> np.ndarray:
    """The gradient of the sum over all sentences of p(sentence) reward(sentence), the mean over examples."""
    sentences = every_sentence()
    repeated, rewards = np.repeat(r, len(sentences), axis=0), np.tile(reward_of(sentences), len(r))
    with tf.GradientTape() as tape:
        probabilities = tf.exp(policy.log_probabilities(repeated, np.tile(sentences, (len(r), 1))))
        expected = tf.reduce_sum(probabilities * rewards) / len(r)
    return flat(tape.gradient(expected, policy.model.trainable_variables))


def expected_reward(policy, r) -> float:
    """The mean over examples of the sum over all sentences of p(sentence) reward(sentence)."""
    sentences = every_sentence()
    repeated, rewards = np.repeat(r, len(sentences), axis=0), np.tile(reward_of(sentences), len(r))
    probabilities = np.exp(policy.log_probabilities(repeated, np.tile(sentences, (len(r), 1))))
    return float(probabilities @ rewards) / len(r)


def estimated_gradient(policy, r, ids, advantages) -> np.ndarray:
    """By how much `update` moves the weights, which are put back."""
    variables = policy.model.trainable_variables
    before = [variable.numpy() for variable in variables]
    references = {"r": r[:1], "tokens": np.full((1, 1), 1, "int32")}, np.full((1, 1), 2, "int32")
    policy.update(r, ids, advantages, references)
    moved = [variable.numpy() - value for variable, value in zip(variables, before, strict=True)]
    for variable, value in zip(variables, before, strict=True):
        variable.assign(value)
    return flat(moved)


def flat(gradients) -> np.ndarray:
    return np.concatenate([tf.convert_to_tensor(gradient).numpy().ravel() for gradient in gradients])


@pytest.mark.parametrize("temperature", [1.0, 0.5])
def test_probabilities_of_all_sentences_sum_to_one(two_words, temperature):
    policy = Policy(two_words, temperature=temperature)
    sentences = every_sentence()
    r = np.repeat([[1.0, -1.0]], len(sentences), axis=0).astype("float32")
    assert np.exp(policy.log_probabilities(r, sentences)).sum() == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("temperature", [1.0, 0.5])
def test_sentences_are_drawn_with_their_probabilities(two_words, temperature):
    policy = Policy(two_words, samples=20_000, temperature=temperature)
    sentences = every_sentence()
    r = np.array([[1.0, -1.0]], "float32")
    drawn = policy.sample(r, (0, 7))
    shares = [(drawn == sentence[: drawn.shape[1]]).all(axis=1).mean() for sentence in sentences]
    log_probabilities = policy.log_probabilities(np.repeat(r, len(sentences), axis=0), sentences)
    np.testing.assert_allclose(shares, np.exp(log_probabilities), atol=0.012)  # 3.5 standard errors at 0.5


@pytest.mark.parametrize("baseline", [0.0, 10.0])
def test_all_sentences_weighed_give_the_exact_gradient(two_words, baseline):
    """With each sentence as often as it is probable, the estimate is exact, whatever the baseline."""
    policy = Policy(two_words)
    r, sentences = np.array([[1.0, -1.0]], "float32"), every_sentence()
    repeated = np.repeat(r, len(sentences), axis=0)
    shares = np.exp(policy.log_probabilities(repeated, sentences)) * len(sentences)
    estimate = estimated_gradient(policy, r, sentences, shares * (reward_of(sentences) - baseline))
    np.testing.assert_allclose(estimate, expected_reward_gradient(policy, r), atol=2e-5)


@pytest.mark.parametrize("baseline", ["none", "greedy", "samples"])
def test_many_samples_estimate_the_gradient(two_words, baseline):
    samples = 4_000
    policy = Policy(two_words, samples=samples)
    r = np.array([[1.0, -1.0], [-2.0, 0.5]], "float32")
    ids = policy.sample(r, (1, 2))
    values = reward_of(ids)
    less = {
        "none": np.zeros_like(values),
        "greedy": np.repeat(reward_of(policy.most_probable(r)), samples),
        "samples": mean_of_others(values, samples),
    }[baseline]
    estimate, exact = estimated_gradient(policy, r, ids, values - less), expected_reward_gradient(policy, r)
    assert np.linalg.norm(estimate - exact) < 0.1 * np.linalg.norm(exact)


def test_a_baseline_of_the_other_samples_has_less_variance(two_words):
    r = np.array([[1.0, -1.0]], "float32")
    policy = Policy(two_words, samples=8)
    kept = {"none": [], "samples": []}
    for step in range(25):
        ids = policy.sample(r, (0, step))
        values = reward_of(ids) + 3
        for name, less in (("none", 0.0 * values), ("samples", mean_of_others(values, 8))):
            kept[name].append(estimated_gradient(policy, r, ids, values - less))
    assert np.var(kept["samples"], axis=0).sum() < 0.5 * np.var(kept["none"], axis=0).sum()


class Redness:
    """A reward that can be read off the words: the share of "red" in the sentence."""

    def __init__(self, tokenizer):
        self.red = tokenizer.tokenize(["red"]).numpy()[0, 0]

    def bind(self, dataset):
        return lambda ids, rows: (ids == self.red).mean(axis=1).astype("float32")


def weights(model) -> list[np.ndarray]:
    return [weight.numpy() for weight in model.decoder.trainable_variables]


def fresh(trained, make_model) -> InterpNet:
    """A copy of the trained model, with dropout."""
    model = make_model(dropout=0.2)
    for mine, theirs in ((model.decoder, trained.decoder), (model, trained)):
        for name in ("r_mean", "r_scale") if mine is model else mine._weight_names:
            getattr(mine, name).assign(getattr(theirs, name))
    return model


class LikesA:
    def bind(self, dataset):
        return lambda ids, rows: reward_of(ids)


class Spoiled(keras.callbacks.Callback):
    """Makes the model say the contrary in the last epoch."""

    def on_epoch_begin(self, epoch, logs=None):
        if epoch == self.params["epochs"] - 1:
            kernel = self.model.decoder.output_kernel
            kernel.assign(-kernel)
            self.model.decoder.output_bias.assign(-self.model.decoder.output_bias)


@pytest.mark.parametrize("baseline", ["none", "greedy", "samples"])
def test_the_reward_rises_and_the_best_epoch_comes_back(baseline):
    """The expected reward is computed over all sentences; 64 draws a step leave little of it to chance."""
    model = two_word_model()
    x = np.random.default_rng(0).normal(size=(8, 2)).astype("float32")
    dataset = ExplanationDataset(x, [0, 1] * 4, ["c", "d"], [["a b"]] * 8, list("efghijkl"))
    policy, r = Policy(model), model.introspect(x)
    before = expected_reward(policy, r)
    options = {"baseline": baseline, "learning_rate": 0.05, "batch_size": 4, "epochs": 6, "samples": 64}
    history = train_policy(
        model, dataset, dataset, LikesA(), likelihood_weight=0.1, callbacks=[Spoiled()], **options
    )
    # "a a" and the end would give 3.5, the most there is.
    assert expected_reward(policy, r) > before + 0.4
    best = min(history, key=lambda logs: logs["val_objective"])
    assert best is not history[-1]
    assert best["val_objective"] == pytest.approx(0.1 * best["val_loss"] - best["val_reward"])
    assert model.evaluate(dataset, verbose=0) == pytest.approx(best["val_loss"], rel=1e-4)


@pytest.mark.slow
def test_likelihood_keeps_the_sentences(trained, make_model, birds, valid_birds):
    losses = {}
    for weight in (0.0, 5.0):
        model = fresh(trained, make_model)
        options = {"learning_rate": 0.01, "epochs": 4, "likelihood_weight": weight}
        losses[weight] = train_policy(model, birds, valid_birds, Redness(model.tokenizer), **options)[-1]
    assert losses[5.0]["val_loss"] < losses[0.0]["val_loss"]


class Interrupted(keras.callbacks.Callback):
    def on_epoch_begin(self, epoch, logs=None):
        if epoch == 2:
            raise KeyboardInterrupt


@pytest.mark.slow
def test_an_interrupted_training_goes_on(trained, make_model, birds, valid_birds, tmp_path):
    options = {"epochs": 4, "likelihood_weight": 0.5, "learning_rate": 0.01}
    straight = fresh(trained, make_model)
    history = train_policy(straight, birds, valid_birds, Redness(straight.tokenizer), **options)

    options["directory"] = tmp_path
    model = fresh(trained, make_model)
    with pytest.raises(KeyboardInterrupt):
        train_policy(
            model, birds, valid_birds, Redness(model.tokenizer), callbacks=[Interrupted()], **options
        )
    model = fresh(trained, make_model)
    resumed = train_policy(model, birds, valid_birds, Redness(model.tokenizer), **options)
    assert resumed == history
    for mine, theirs in zip(weights(model), weights(straight), strict=True):
        np.testing.assert_array_equal(mine, theirs)
    # A finished training is read as it is.
    assert train_policy(model, birds, valid_birds, Redness(model.tokenizer), **options) == history


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"baseline": "mean"}, "baseline must be one of"),
        ({"baseline": "samples", "samples": 1}, "samples must be at least 2"),
        ({"likelihood_weight": -1}, "likelihood_weight must be at least 0"),
        ({"r": np.zeros((1, 2))}, "r must have the shape"),
    ],
)
def test_wrong_arguments(trained, birds, valid_birds, options, message):
    with pytest.raises(ValueError, match=message):
        train_policy(trained, birds, valid_birds, Redness(trained.tokenizer), **options)
