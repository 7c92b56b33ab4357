"""The check that every `ExplanationDecoder` must pass, for decoders of one's own too."""

from __future__ import annotations

import functools
import json
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from interpnet_tf.decoders.base import ExplanationDecoder
from interpnet_tf.generation.decoding import SILENT_IDS
from interpnet_tf.generation.loop import generate
from interpnet_tf.language.tokenizer import ExplanationTokenizer
from interpnet_tf.testing.inside_a_model import check_inside_a_model
from interpnet_tf.testing.promises import promise, require

_BATCH, _WORDS, _LONGER = 3, 6, 10


def check_decoder_contract(decoder: ExplanationDecoder, width: int, tolerance: float = 1e-5) -> None:
    """Asserts everything that generation, training and saving rely on.

    That `call` gives the logits of each word from r(x) and the words before alone, each row for itself;
    that `step` gives the same word by word, from a state whose rows may be reordered; that `max_length`
    is kept; that `fold` with `folded`, and `path_gradients`, where a decoder has its own, change nothing;
    that its config builds it again; that every weight gets a gradient; that `generate` says what `call` finds
    most probable, a batch as its rows one by one, in a graph as outside; and that inside an `InterpNet` the
    decoder can be trained, saved and loaded.

    Args:
        decoder: built or not; a small one is checked faster. If it is not yet, it is built. Its weights stay
            as they are.
        width: length of r(x).
        tolerance: by how much logits that should be equal may differ, in absolute and in relative terms. In
            mixed precision take 1e-2.

    Raises:
        AssertionError: if a promise is broken; the message says which.

    Example:

    A decoder that knows r(x) and the last word only:

    >>> @keras.saving.register_keras_serializable(package="birds")
    ... class LastWord(ExplanationDecoder):
    ...     def build(self, input_shape):
    ...         self.of_word = keras.layers.Embedding(self.vocabulary_size, self.vocabulary_size)
    ...         self.of_r = keras.layers.Dense(self.vocabulary_size)
    ...         self.of_word.build(input_shape["tokens"])
    ...         self.of_r.build(input_shape["r"])
    ...
    ...     def call(self, inputs, training=None):
    ...         return self.of_word(inputs["tokens"]) + self.of_r(inputs["r"])[:, None]
    ...
    ...     def start(self, r):
    ...         return {"of_r": self.of_r(r)}
    ...
    ...     def step(self, token, state):
    ...         return self.of_word(token) + state["of_r"], state
    >>> check_decoder_contract(LastWord(20), width=8)
    """
    longer = _LONGER if decoder.max_length is None else min(_LONGER, decoder.max_length)
    words = min(_WORDS, longer - 1)
    if words < 2:
        raise ValueError(f"decoder must have a max_length of at least 3, got {decoder.max_length}")
    random = np.random.default_rng(0)
    r = random.normal(size=(_BATCH, width)).astype("float32")
    tokens = random.integers(1, decoder.vocabulary_size, (_BATCH, longer)).astype("int32")
    tokens[:, 0] = ExplanationTokenizer.start_id
    check = _Check(decoder, r, tokens, words, tolerance)
    with promise("call gives float32 logits (batch, words, vocabulary)"):
        check.shape_of_logits()
    with promise("the logits of a word depend on no word after it, padding included"):
        check.words_to_come_do_not_matter()
    with promise("the logits of a row depend on its r(x) and on no other row"):
        check.rows_are_independent()
    with promise("step gives, word by word, the float32 logits of call"):
        check.steps()
    with promise("start and step keep the shapes and types of the state, whose first axis is the batch"):
        check.form_of_state()
    with promise("the rows of a state can be reordered, and step depends on nothing else"):
        check.rows_of_state_can_be_reordered()
    with promise("what folded makes of the weights that fold gives steps like the decoder"):
        check.folded()
    with promise("path_gradients, where a decoder has its own, gives the gradients of call"):
        check.path_gradients()
    with promise("the decoder reads max_length words and no more (None is no limit)"):
        check.max_length()
    with promise("the decoder is registered with Keras, and get_config and build make it again"):
        again = check.made_again()
    with promise("every trainable weight gets a finite gradient in training"):
        check.gradients()
    with promise("greedy generate says what call finds most probable, with its log-probabilities"):
        check.generates_what_call_finds_best()
    with promise("generate says of a batch what it says of its rows one by one"):
        check.generates_row_by_row()
    with promise("generate does the same in a graph, for any size of the batch"):
        check.generates_in_a_graph()
    with promise("in an InterpNet the decoder trains, and a saved model says the same when it is loaded"):
        check_inside_a_model(again, r, words, tolerance)


class _Check:
    """The single checks; each is told what a correct decoder was found to say by those before."""

    def __init__(
        self, decoder: ExplanationDecoder, r: np.ndarray, tokens: np.ndarray, words: int, tolerance: float
    ) -> None:
        self.decoder, self.r, self.words, self.tolerance = decoder, r, words, tolerance
        self.longer, self.tokens = tokens, tokens[:, :words]
        self.logits: Any = None
        self.ids: Any = None
        self.certain: Any = None

    def call(self, r: Any, tokens: Any) -> np.ndarray:
        return np.asarray(self.decoder({"r": tf.constant(r), "tokens": tf.constant(tokens)}))

    def same(self, actual: Any, expected: Any, what: str) -> None:
        actual, expected = np.asarray(actual), np.asarray(expected)
        require(actual.shape == expected.shape, f"{what}: shape {actual.shape}, not {expected.shape}")
        difference = np.abs(actual - expected)
        within = difference <= self.tolerance * (1 + np.abs(expected))  # False for not-a-number
        require(within.all(), f"{what} differ by up to {difference.max():.3g}")

    def shape_of_logits(self) -> None:
        self.logits = self.decoder({"r": tf.constant(self.r), "tokens": tf.constant(self.tokens)})
        expected = (_BATCH, self.words, self.decoder.vocabulary_size)
        require(self.logits.shape == expected, f"its shape is {tuple(self.logits.shape)}, not {expected}")
        require(self.logits.dtype == tf.float32, f"its type is {self.logits.dtype.name}")
        self.logits = self.logits.numpy()
        require(np.isfinite(self.logits).all(), "some are not finite")
        self.same(self.call(self.r, self.tokens), self.logits, "those of two calls")

    def words_to_come_do_not_matter(self) -> None:
        for name, later in {"padding": 0, "words": self.longer}.items():
            tokens = np.where(np.arange(self.longer.shape[1]) < self.words, self.longer, later)
            self.same(self.call(self.r, tokens)[:, : self.words], self.logits, f"with more {name}, logits")
        for word in range(1, self.words):
            changed = self.tokens.copy()
            changed[:, word] = changed[:, word] % (self.decoder.vocabulary_size - 1) + 1
            logits = self.call(self.r, changed)[:, :word]
            self.same(logits, self.logits[:, :word], f"with another word {word}, logits before it")

    def rows_are_independent(self) -> None:
        for row in range(_BATCH):
            alone = self.call(self.r[row : row + 1], self.tokens[row : row + 1])
            self.same(alone[0], self.logits[row], f"alone and in a batch, logits of row {row}")
        reached = np.abs(self.logits[0, 0] - self.logits[1, 0]).max() > 1e-4
        require(reached, "r(x) does not reach the first word's logits")

    def steps(self, stepper: Any = None) -> None:
        stepper = stepper or self.decoder
        state = stepper.start(tf.constant(self.r))
        for word in range(self.words):
            logits, state = stepper.step(tf.constant(self.tokens[:, word]), state)
            require(logits.dtype == tf.float32, f"the type of step's logits is {logits.dtype.name}")
            self.same(logits, self.logits[:, word], f"after word {word}, logits of step and call")

    def form_of_state(self, stepper: Any = None) -> None:
        stepper = stepper or self.decoder
        state = stepper.start(tf.constant(self.r))
        for word in range(self.words):
            old, (_, state) = state, stepper.step(tf.constant(self.tokens[:, word]), state)
            require(state.keys() == old.keys(), f"{sorted(old)} become {sorted(state)}")
            for name, part in old.items():
                require(part.shape[:1] == (_BATCH,), f"{name!r} has shape {tuple(part.shape)}")
                forms = [f"{tuple(one.shape)} {one.dtype.name}" for one in (part, state[name])]
                require(forms[0] == forms[1], f"{name!r} becomes {forms[1]} from {forms[0]}")

    def rows_of_state_can_be_reordered(self, stepper: Any = None) -> None:
        stepper = stepper or self.decoder
        state = stepper.start(tf.constant(self.r))
        for word in range(self.words - 1):
            _, state = stepper.step(tf.constant(self.tokens[:, word]), state)
        stepper.start(tf.constant(self.r[:1]))  # another sentence is begun meanwhile
        order = [2, 0, 0, 1]  # as beam search does
        state = {name: tf.gather(part, order) for name, part in state.items()}
        logits, _ = stepper.step(tf.constant(self.tokens[order, self.words - 1]), state)
        self.same(logits, self.logits[order, self.words - 1], "logits of the reordered rows")

    def folded(self) -> None:
        weights = self.decoder.fold()
        if weights:
            for check in (self.steps, self.form_of_state, self.rows_of_state_can_be_reordered):
                check(self.decoder.folded(weights))

    def path_gradients(self) -> None:
        if type(self.decoder).path_gradients is ExplanationDecoder.path_gradients:
            return
        counts = np.arange(self.words, self.words - _BATCH, -1).clip(1)
        path = (self.r[::-1], self.r, self.tokens, np.roll(self.tokens, -1, axis=1), counts)
        own = tf.function(self.decoder.path_gradients, autograph=False)  # in a graph, as attributions call it
        default = tf.function(
            functools.partial(ExplanationDecoder.path_gradients, self.decoder), autograph=False
        )
        for point in (0.25, 0.75):  # between points that lie apart, a decoder may tell more than at them
            points = tf.constant([point, point + 1e-5])
            arguments = [*map(tf.constant, path), points, tf.constant([0.4, 0.6])]
            self.same(own(*arguments), default(*arguments), "gradients")

    def max_length(self) -> None:
        length = self.decoder.max_length
        if length is None:
            self.decoder.check_length(10**6)
            return
        tokens = np.full((1, length), ExplanationTokenizer.start_id, "int32")
        logits = self.call(self.r[:1], tokens)[0]
        state = self.decoder.start(tf.constant(self.r[:1]))
        for word in range(length):
            step_logits, state = self.decoder.step(tf.constant(tokens[:, word]), state)
            self.same(step_logits[0], logits[word], f"after word {word}, logits of step and call")
        self.decoder.check_length(length)
        try:
            self.decoder.check_length(length + 1)
        except ValueError:
            return
        raise AssertionError(f"check_length({length + 1}) raises no ValueError")

    def made_again(self) -> ExplanationDecoder:
        serialized = json.loads(json.dumps(keras.saving.serialize_keras_object(self.decoder)))
        again = keras.saving.deserialize_keras_object(serialized)
        require(type(again) is type(self.decoder), f"it is a {type(again).__name__}")
        require(again.get_config() == self.decoder.get_config(), "its config is another")
        made, all_weights = len(again.weights), len(self.decoder.weights)
        require(made == all_weights, f"build makes {made} of its {all_weights} weights before the first call")
        again.set_weights(self.decoder.get_weights())
        logits = again({"r": self.r, "tokens": self.tokens})
        self.same(logits, self.logits, "with the same weights, its logits")
        return again

    def gradients(self) -> None:
        inputs, targets = {"r": self.r, "tokens": self.tokens[:, :-1]}, self.tokens[:, 1:]
        with tf.GradientTape() as tape:
            logits = self.decoder(inputs, training=True)
            losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=targets, logits=logits)
            loss = tf.reduce_mean(losses)
        weights = self.decoder.trainable_variables
        require(weights, "there is no trainable weight")
        gradients = tape.gradient(loss, [weight.value for weight in weights])
        for weight, gradient in zip(weights, gradients, strict=True):
            require(gradient is not None, f"{weight.path} gets none")
            values = tf.convert_to_tensor(gradient).numpy()
            require(np.isfinite(values).all(), f"that of {weight.path} is not finite")
            require(np.any(values), f"that of {weight.path} is zero")

    def generates_what_call_finds_best(self) -> None:
        said = generate(self.decoder, self.r, self.words)
        self.ids, log_probabilities = said.ids[:, 0].numpy(), said.log_probabilities[:, 0].numpy()
        start = np.full((_BATCH, 1), ExplanationTokenizer.start_id, "int32")
        forced = tf.nn.log_softmax(self.call(self.r, np.hstack([start, self.ids[:, :-1]]))).numpy()
        of_said = np.take_along_axis(forced, self.ids[..., None], axis=2)[..., 0]
        real = self.ids != ExplanationTokenizer.pad_id
        self.same(log_probabilities[real], of_said[real], "log-probabilities of generate and call")
        forced[..., list(SILENT_IDS)] = -np.inf
        second, best = np.moveaxis(np.sort(forced, axis=2)[..., -2:], 2, 0)
        margin = self.tolerance * (1 + np.abs(best))
        require(((of_said >= best - 2 * margin) | ~real).all(), "call finds another word more probable")
        # Where two words are as good as equally probable, rounding may choose between them.
        self.certain = np.logical_and.accumulate((best - second > 2 * margin) | ~real, axis=1)

    def _says_the_same(self, ids: Any, row: slice, what: str) -> None:
        same = (np.asarray(ids) == self.ids[row]) | ~self.certain[row]
        require(same.all(), f"{what} it says {np.asarray(ids).tolist()}, not {self.ids[row].tolist()}")

    def generates_row_by_row(self) -> None:
        for row in range(_BATCH):
            rows = slice(row, row + 1)
            ids = generate(self.decoder, self.r[rows], self.words).ids[:, 0]
            self._says_the_same(ids, rows, f"of row {row} alone")

    def generates_in_a_graph(self) -> None:
        signature = [tf.TensorSpec((None, self.r.shape[1]), tf.float32)]
        in_graph = tf.function(
            lambda r: generate(self.decoder, r, self.words).ids, input_signature=signature, autograph=False
        )
        for rows in (slice(0, _BATCH), slice(0, 1)):
            self._says_the_same(in_graph(self.r[rows])[:, 0], rows, "in a graph")
