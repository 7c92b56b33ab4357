"""`Material`: what every faithfulness metric reads, each part computed once."""

from __future__ import annotations

import copy
import functools
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import numpy as np
import tensorflow as tf

from interpnet_tf.analysis.faithfulness_metrics.reader import Reader
from interpnet_tf.analysis.faithfulness_metrics.sentence_vectors import TrainingSentences
from interpnet_tf.data.dataset import ExplanationDataset
from interpnet_tf.data.inputs import read_arrays
from interpnet_tf.generation.decoding import GREEDY
from interpnet_tf.generation.scoring import log_probabilities
from interpnet_tf.introspection.probabilities import class_probabilities
from interpnet_tf.model import InterpNet

Result = TypeVar("Result")
# What `saying` drops: all that follows from the sentences that are judged.
_OF_SAID = ("said", "read")


class Material:
    """A model, examples, and what it says of them.

    Everything but the arguments is computed when it is first asked for, and kept.

    Args:
        model: a trained `InterpNet`.
        dataset: examples that it was not trained on; those without a sentence are left out.
        train: the examples that it was trained on, for means, readers and controls.
        said: the sentences to be judged, one for each of `dataset.explained()`; `None` are those that the
            model says greedily.
        seed: of every draw.
        reader: reads a class from a sentence; `None` trains one on the sentences of `dataset`.
        batch_size: examples or sentences at a time.

    Attributes:
        dataset: the examples that are judged, each with a sentence at least.
        train: the training examples that have one.

    Raises:
        ValueError: if no example has a sentence, or `said` has not one for each.
    """

    def __init__(
        self,
        model: InterpNet,
        dataset: ExplanationDataset,
        train: ExplanationDataset,
        said: Sequence[str] | None = None,
        seed: int = 0,
        reader: Reader | None = None,
        batch_size: int = 64,
    ) -> None:
        self.model, self.seed, self.batch_size = model, seed, batch_size
        self.dataset, self.train = dataset.explained(), train.explained()
        for name, part in (("dataset", self.dataset), ("train", self.train)):
            if not len(part):
                raise ValueError(f"no example of {name} has a sentence; give at least one that has")
        self._once: dict[str, Any] = {}
        self._of_data: dict[str, Any] = {} if reader is None else {"reader": reader}
        if said is not None:
            self.said = self._checked(said)

    def saying(self, said: Sequence[str]) -> Material:
        """Returns the same material with other sentences to be judged, such as those of a speaker.

        Args:
            said: a sentence for each example.
        """
        other = copy.copy(self)
        for name in _OF_SAID:
            other.__dict__.pop(name, None)
        other.said = self._checked(said)
        return other

    def of(self, model: InterpNet) -> Material:
        """Returns the material of another network and the same data; what follows from these alone is shared.

        Args:
            model: a trained `InterpNet`.
        """
        other = Material(model, self.dataset, self.train, seed=self.seed, batch_size=self.batch_size)
        other._of_data = self._of_data
        return other

    def _checked(self, said: Sequence[str]) -> list[str]:
        if isinstance(said, str) or len(said) != len(self.dataset):
            count = 1 if isinstance(said, str) else len(said)
            raise ValueError(
                f"said must hold a sentence for each of the {len(self.dataset)} examples of dataset that "
                f"have sentences, got {count}; speak of dataset.explained()"
            )
        return list(said)

    def once(self, name: str, compute: Callable[[], Result]) -> Result:
        """Returns what a function gives, which is computed once, also for other sentences to be judged.

        Args:
            name: of the result.
            compute: must not depend on `said`.
        """
        return _kept(self._once, name, compute)

    @functools.cached_property
    def said(self) -> list[str]:
        """The sentences that are judged, `(examples,)`."""
        return self.greedy

    @functools.cached_property
    def greedy(self) -> list[str]:
        """What the model says greedily, `(examples,)`."""
        return self.speak(self.r)

    @property
    def people(self) -> list[str]:
        """Of each example one sentence that a person wrote, drawn at random, `(examples,)`."""
        return _kept(self._of_data, "people", self._drawn_people)

    def _drawn_people(self) -> list[str]:
        random = np.random.default_rng(self.seed)
        return [of_one[random.integers(len(of_one))] for of_one in self.dataset.explanations]

    @functools.cached_property
    def r(self) -> np.ndarray:
        """r(x) of the examples, float32 `(examples, width)`."""
        return self.model.introspect(self.dataset, self.batch_size)

    @functools.cached_property
    def train_r(self) -> np.ndarray:
        """r(x) of the training examples, float32 `(training examples, width)`."""
        return self.model.introspect(self.train, self.batch_size)

    @functools.cached_property
    def probabilities(self) -> np.ndarray:
        """The classifier's probability of each class, float32 `(examples, classes)`."""
        return probabilities_of(self.model, self.dataset, self.batch_size)

    @property
    def training_sentences(self) -> TrainingSentences:
        """People's training sentences as vectors, for readers of what was said."""
        learn = functools.partial(TrainingSentences, self.train.explanations)
        return _kept(self._of_data, "training sentences", learn)

    @functools.cached_property
    def train_probabilities(self) -> np.ndarray:
        """The classifier's probabilities of training examples, float32 `(training examples, classes)`."""
        return probabilities_of(self.model, self.train, self.batch_size)

    @property
    def train_predicted(self) -> np.ndarray:
        """The class that the classifier predicts of the training examples, int `(training examples,)`."""
        return self.train_probabilities.argmax(axis=1)

    @functools.cached_property
    def predicted(self) -> np.ndarray:
        """The class that the classifier predicts, int `(examples,)`."""
        return self.probabilities.argmax(axis=1)

    @property
    def labels(self) -> np.ndarray:
        """The true class, int `(examples,)`."""
        return self.dataset.labels

    @property
    def right(self) -> np.ndarray:
        """Whether the classifier is right, bool `(examples,)`."""
        return self.predicted == self.labels

    @property
    def reader(self) -> Reader:
        """Reads a class from a sentence, having seen no sentence of the example that it is asked about."""
        return _kept(self._of_data, "reader", functools.partial(Reader, self.dataset, self.train))

    @functools.cached_property
    def read(self) -> np.ndarray:
        """The reader's probability of each class given what was said, float64 `(examples, classes)`."""
        return self.reader.probabilities(self.said)

    def another(self, of: str = "any", draw: int = 0) -> np.ndarray:
        """Draws for each example another one.

        Args:
            of: `"any"`; `"same"`, of the same predicted class; `"other"`, of another predicted class.
            draw: number of the draw; each number gives other examples.

        Returns:
            int `(examples,)`, -1 where there is none.
        """
        random = np.random.default_rng((self.seed, draw, ("any", "same", "other").index(of)))
        places = np.arange(len(self.dataset))
        chosen = np.full(len(places), -1)
        for place in places:
            allowed = places != place
            if of != "any":
                allowed &= (self.predicted == self.predicted[place]) == (of == "same")
            if allowed.any():
                chosen[place] = random.choice(places[allowed])
        return chosen

    def speak(self, r: np.ndarray) -> list[str]:
        """Returns what the model says greedily of r(x), wherever it comes from.

        Args:
            r: float `(examples, width)`, not standardized.
        """
        options = {"max_length": self.model.max_length, "decoding": GREEDY, "jit_compile": False}
        folded = self.model.decoder.fold()
        texts: list[str] = []
        for begin in range(0, len(r), self.batch_size):
            part = r[begin : begin + self.batch_size]
            nothing = tf.zeros((len(part), 1))  # the class probabilities, which do not matter here
            examples = (nothing, self.model.standardize(part))
            said = self.model._say(examples, tf.constant([0, 0]), folded, **options)
            texts += [text.decode("utf-8") for text in said.texts.numpy()[:, 0]]
        return texts

    def ids(self, sentences: Sequence[str]) -> list[list[int]]:
        """Returns the ids of sentences with their ends; longer ones are cut as in training."""
        ids = self.model.tokenizer.tokenize(list(sentences)).to_list()
        return [[*of_one[: self.model.max_length - 1], self.model.tokenizer.end_id] for of_one in ids]

    def bits(self, r: np.ndarray, sentences: Sequence[str]) -> np.ndarray:
        """Returns how many bits a word sentences cost, -log2 q(e|r) / words, their ends being words.

        Args:
            r: r(x) of each sentence, float `(sentences, width)`.
            sentences: longer ones are cut as in training.

        Returns:
            float64 `(sentences,)`.
        """
        by_word = log_probabilities(self.model, r, self.ids(sentences), self.batch_size)
        return np.array([-of_words.mean(dtype="float64") for of_words in by_word]) / np.log(2)


def _kept(kept: dict[str, Any], name: str, compute: Callable[[], Result]) -> Result:
    if name not in kept:
        kept[name] = compute()
    return kept[name]


def probabilities_of(model: InterpNet, dataset: ExplanationDataset, batch_size: int) -> np.ndarray:
    """Returns the probability of each class, float32 `(examples, classes)`."""
    x = read_arrays(dataset, model.introspector.input)
    scores = model.classifier.predict(x, batch_size=batch_size, verbose=0)
    return class_probabilities(model.classifier, scores, model.output_kind).numpy()
