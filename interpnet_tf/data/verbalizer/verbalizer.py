"""`Verbalizer`: sentences where nobody wrote any, and whether sentences are true."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from interpnet_tf.data.tables import as_table
from interpnet_tf.data.verbalizer.attributes import Attribute, learn
from interpnet_tf.data.verbalizer.choosing import Chooser
from interpnet_tf.data.verbalizer.derived import sayings_of
from interpnet_tf.data.verbalizer.judging import Judgement, judge
from interpnet_tf.data.verbalizer.knowledge import Knowledge
from interpnet_tf.data.verbalizer.reading import Reader, Reading
from interpnet_tf.data.verbalizer.templates import Templates
from interpnet_tf.data.verbalizer.vocabulary import Fact, Vocabulary
from interpnet_tf.data.verbalizer.writing import Writer
from interpnet_tf.support.atomic import write_atomically
from interpnet_tf.support.checks import check_whole
from interpnet_tf.support.errors import reading
from interpnet_tf.support.json_files import read_record

# Draws of a sentence in a row that bring nothing new, after which there is nothing new to say.
_PATIENCE = 20


class Verbalizer:
    """Says in sentences what is true of the rows of a table and sets their class apart.

    It serves two kinds of tables, or both in one. A table of *attributes* has a row for each class or example
    and columns `<attribute>::<value>`, such as `crown_color::red`, with the share of annotators who saw it. A
    table of *measurements* has numbers, categories, booleans and missing cells. `adapt` learns from the
    training part which values there are, where numbers are low and high, and which facts set a class apart.

    A fact is said of a row only if it is true of it by these rules, and the more often the more it sets the
    class of the row apart from the others (Cohen's h); nothing is said of what is missing. Sentences are read
    back with the same words (`facts_said`), those that a network made of them too, so that their truth can be
    measured (`judge`).

    Args:
        templates: how attributes are put into words: `Templates`, the path of a JSON file, a dict of the same
            form, or `"cub"` for the attributes of CUB-200-2011. `None`, and what templates do not list, makes
            words of the columns' names.
        subject: what the examples are, such as `"wine"`; `None` is that of the templates.
        kinds: of columns, where they are not what they look like: a dict from names to `"weights"`,
            `"number"`, `"category"` or `"boolean"`, or one of these for all.
        threshold: a value is true where its weight is at least this, 0..1. At the default 0.5, people who
            named colours of a part on a training photograph of CUB named the one said in 77 % of cases, and
            in 54 % where its weight was between 0.4 and 0.5.
        quantiles: of the training part, where the levels of numbers part.
        levels: names of the levels, one more than quantiles.
        leeway: a level is said of the rows in its range, and is true also of this share of the rows in the
            next levels: at the default 0.5, and three levels, what is above the median is not wrongly called
            high. At 0 it is true where it is said.
        facts_a_sentence: the fewest and the most.

    Raises:
        ValueError: if an argument is wrong.

    Example:

    >>> wines = {"alcohol": [12.1, 12.3, 13.9, 14.2], "colour": ["red", "red", "white", "white"]}
    >>> verbalizer = Verbalizer(subject="wine", quantiles=(0.5,), levels=("low", "high"))
    >>> verbalizer = verbalizer.adapt(wines, labels=["Rioja", "Rioja", "Riesling", "Riesling"])
    >>> verbalizer.sentences({"alcohol": 14.0, "colour": "white"}, "Riesling", n=2)
    ['a white wine with high alcohol.', 'this white wine has high alcohol.']
    >>> verbalizer.facts_said("a red wine with high alcohol and grace.")
    Reading(facts=(Fact(attribute='colour', value='red'), Fact(attribute='alcohol', value='high')), \
unknown=('grace',))
    """

    def __init__(
        self,
        templates: Templates | Mapping[str, Any] | str | os.PathLike | None = None,
        *,
        subject: str | None = None,
        kinds: Mapping[str, str] | str | None = None,
        threshold: float = 0.5,
        quantiles: Sequence[float] = (1 / 3, 2 / 3),
        levels: Sequence[str] = ("low", "medium", "high"),
        leeway: float = 0.5,
        facts_a_sentence: tuple[int, int] = (2, 5),
    ) -> None:
        if not 0 < threshold <= 1:
            raise ValueError(f"threshold must be more than 0 and at most 1, got {threshold}")
        if not all(0 < one < 1 for one in quantiles) or sorted(quantiles) != list(quantiles):
            raise ValueError(f"quantiles must rise between 0 and 1, got {tuple(quantiles)}")
        if len(levels) != len(quantiles) + 1 or len(set(levels)) != len(levels):
            raise ValueError(
                f"levels must be {len(quantiles) + 1} different words, one more than quantiles, got {levels}"
            )
        if not 0 <= leeway < 1:
            raise ValueError(f"leeway must be at least 0 and less than 1, got {leeway}")
        least, most = facts_a_sentence
        check_whole("facts_a_sentence[0]", least, least=1)
        check_whole("facts_a_sentence[1]", most, least=least)
        self.templates = Templates.of(templates, subject)
        self.kinds, self.threshold, self.facts_a_sentence = kinds, threshold, (least, most)
        self.quantiles, self.levels, self.leeway = tuple(quantiles), tuple(levels), leeway
        self._learnt: tuple[Knowledge, Reader, Writer] | None = None

    def adapt(
        self, table: Any, labels: Sequence[Any] | None = None, names: Sequence[str] | None = None
    ) -> Verbalizer:
        """Learns what can be said of the rows of a table, and what sets classes apart.

        Args:
            table: the training part: a dict of columns, a DataFrame, a list of rows, or an array.
            labels: the class of each row; `None` where each row is a class of its own.
            names: of the columns of an array.

        Returns:
            Itself.

        Raises:
            ValueError: if the table or the labels are of another form, nothing can be said of the table, or
                two facts would be said alike.
        """
        table = as_table(table, names)
        rows = len(next(iter(table.values())))
        labels = [str(label) for label in (range(rows) if labels is None else labels)]
        if len(labels) != rows:
            raise ValueError(f"labels must be one a row, {rows}, got {len(labels)}")
        self._know(learn(table, self.kinds, self.quantiles, self.levels, self.leeway))
        self.knowledge.learn(table, labels)
        return self

    @property
    def facts(self) -> tuple[Fact, ...]:
        """All facts that can be said."""
        return self.knowledge.facts

    @property
    def knowledge(self) -> Knowledge:
        """What was learnt: thresholds of numbers, values of categories, what sets classes apart."""
        return self._adapted()[0]

    def sentences(self, row: Any, label: Any = None, n: int = 10, seed: int | Sequence[int] = 0) -> list[str]:
        """Says what is true of one row.

        Args:
            row: a mapping from the names of columns to cells, or an array of the cells that `adapt` kept.
            label: its class, from which the facts that set it apart are known; `None` says any.
            n: number of sentences, all different.
            seed: of the choice of facts and words; the same seed gives the same sentences.

        Returns:
            A list of `n` sentences, fewer where there is no more to say, none where nothing is known.
        """
        return self._sentences(self._weights_of(row, clearly=True), label, n, seed)

    def __call__(
        self, table: Any, labels: Sequence[Any] | None = None, n: int = 10, seed: int = 0
    ) -> list[list[str]]:
        """Says what is true of each row of a table.

        Args:
            table: as `adapt` takes it.
            labels: the class of each row, see `sentences`.
            n: number of sentences a row.
            seed: of the choice; a row's sentences depend on it and on the row's place in the table.

        Returns:
            A list of sentences for each row.
        """
        weights = self.knowledge.weights(as_table(table, self.knowledge.columns), clearly=True)
        labels = [None] * len(weights) if labels is None else labels
        if len(labels) != len(weights):
            raise ValueError(f"labels must be one a row, {len(weights)}, got {len(labels)}")
        return [
            self._sentences(of_row, label, n, (seed, index))
            for index, (of_row, label) in enumerate(zip(weights, labels, strict=True))
        ]

    def facts_said(self, sentence: str) -> Reading:
        """Reads a sentence back into the facts that it states, true or not.

        Args:
            sentence: any text; what states nothing ("this wine has") is passed over.

        Returns:
            `facts`, and `unknown`, phrases that state something which this verbalizer never says.
        """
        return self._adapted()[1].read(sentence)

    def true_of(self, row: Any) -> frozenset[Fact]:
        """Returns the facts that are true of a row; of what is missing none is."""
        true = self._weights_of(row) >= self.threshold
        return frozenset(fact for fact, is_true in zip(self.facts, true, strict=True) if is_true)

    def judge(self, sentences: Sequence[str], table: Any) -> Judgement:
        """Measures how true sentences are, such as those that a trained network says.

        Args:
            sentences: one a row.
            table: the rows, as `adapt` takes them.

        Raises:
            ValueError: if there is not one sentence a row.

        Example:

        >>> fruit = {"colour": ["red", "green"], "is_sweet": [True, False]}
        >>> verbalizer = Verbalizer(subject="fruit").adapt(fruit)
        >>> row = {"colour": "red", "is_sweet": True}
        >>> verbalizer.judge(["a red fruit, and it is not sweet."], [row]).share_true
        0.5
        """
        weights = self.knowledge.weights(as_table(table, self.knowledge.columns))
        if isinstance(sentences, str) or len(sentences) != len(weights):
            raise ValueError(f"sentences must be one a row, {len(weights)}, got {len(sentences)}")
        readings = [self.facts_said(sentence) for sentence in sentences]
        return judge(readings, self.facts, weights >= self.threshold)

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments, and what was learnt, ready for JSON."""
        config = {
            "templates": self.templates.get_config(),
            "kinds": self.kinds,
            "threshold": self.threshold,
            "quantiles": list(self.quantiles),
            "levels": list(self.levels),
            "leeway": self.leeway,
            "facts_a_sentence": list(self.facts_a_sentence),
        }
        if self._learnt is not None:
            config["learnt"] = self.knowledge.get_config()
        return config

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Verbalizer:
        """Makes a verbalizer of what `get_config` returned."""
        arguments = dict(config)
        learnt = arguments.pop("learnt", None)
        verbalizer = cls(**arguments)
        if learnt is not None:
            verbalizer._know([Attribute.from_config(fields) for fields in learnt["attributes"]])
            verbalizer.knowledge.class_names = list(learnt["class_names"])
            verbalizer.knowledge.effects = np.array(learnt["effects"])
            verbalizer.knowledge.shares = np.array(learnt["shares"])
        return verbalizer

    def save(self, path: str | os.PathLike) -> None:
        """Writes a JSON file, which `load` reads."""
        write_atomically(path, json.dumps(self.get_config(), ensure_ascii=False) + "\n")

    @classmethod
    def load(cls, path: str | os.PathLike) -> Verbalizer:
        """Reads what `save` wrote.

        Raises:
            FileNotFoundError: if there is no such file.
            UnreadableFileError: if it holds something else.
        """
        advice = "save the verbalizer again"
        config = read_record(path, "a verbalizer", advice)
        with reading(path, "a verbalizer", advice):
            return cls.from_config(config)

    def _know(self, attributes: list[Attribute]) -> None:
        """Takes attributes, and makes words for them."""
        sayings = sayings_of(attributes, self.templates)
        vocabulary = Vocabulary.of(self.templates.subject, self.templates.frames, sayings)
        if not vocabulary.words:
            raise ValueError("table has nothing to say: no column has a fact that templates put into words")
        said = [attribute for attribute in attributes if attribute.name in sayings]
        self._learnt = Knowledge(said, vocabulary.sources), Reader(vocabulary), Writer(vocabulary)

    def _adapted(self) -> tuple[Knowledge, Reader, Writer]:
        if self._learnt is None:
            raise ValueError("this verbalizer has learnt from no table yet; call adapt first")
        return self._learnt

    def _weights_of(self, row: Any, clearly: bool = False) -> np.ndarray:
        """Returns how far each fact is true of one row, `(facts,)`."""
        rows = [dict(row)] if hasattr(row, "keys") else np.asarray([row])
        return self.knowledge.weights(as_table(rows, self.knowledge.columns), clearly)[0]

    def _sentences(self, weights: np.ndarray, label: Any, n: int, seed: int | Sequence[int]) -> list[str]:
        knowledge, reader, writer = self._adapted()
        true = weights >= self.threshold
        random = np.random.default_rng(seed)
        effects = knowledge.effects_of(weights, label)
        chooser = Chooser(effects, true, knowledge.overlapping, self.facts_a_sentence, random)
        found, misses = {}, 0
        while true.any() and len(found) < n and misses < _PATIENCE:
            said = [knowledge.facts[index] for index in chooser.choose()]
            sentence = writer.write(said, random)
            # What would be read otherwise than it is meant, as words of several things may, is not said.
            read = reader.read(sentence)
            if sentence in found or read.unknown or set(read.facts) != set(said):
                misses += 1
            else:
                found[sentence], misses = None, 0
        return list(found)
