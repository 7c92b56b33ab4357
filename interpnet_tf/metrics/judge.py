"""`Judge`: every column of a table of explanations, computed the same way for every row."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from interpnet_tf.data.cub_attributes import AttributeTable
from interpnet_tf.data.dataset import ExplanationDataset
from interpnet_tf.metrics import yardsticks
from interpnet_tf.metrics.bleu import bleu_counts
from interpnet_tf.metrics.cider import cider_d_sentences, cider_sentences
from interpnet_tf.metrics.cider_pairs import CiderPairs
from interpnet_tf.metrics.class_relevance import class_relevance
from interpnet_tf.metrics.held_out_read_back import HeldOutReadBack
from interpnet_tf.metrics.ngram_scores import NgramScores
from interpnet_tf.metrics.read_back import ReadBack, read_back_accuracy
from interpnet_tf.metrics.rouge import rouge_l_sentences
from interpnet_tf.metrics.score import METRICS
from interpnet_tf.metrics.self_retrieval import retrieval_ranks, self_retrieval
from interpnet_tf.metrics.tokenize import check_sentences
from interpnet_tf.metrics.truth import count_phrases, truth

REFERENCE_COUNTS = (5, 10)


class Judge:
    """Measures sentences about the test examples, beside n-gram scores with what those cannot see.

    Prepared once for a data set (it trains the text classifier that reads sentences back), used for every
    row. Examples of `test` without a sentence are left out: `judge.test` is what is judged, in its order.

    Args:
        train: the official training examples (of CUB: the split `"trainval"`): their sentences train the
            reader and give the yardsticks.
        test: the examples to be judged; those with sentences become `judge.test`.
        attributes: the species' attributes (`data.cub_attributes.load(root)`), for the columns of truth;
            `None` leaves those columns out.
        reference_counts: against how many references the n-gram scores are computed.
        metrics: which of `metrics.METRICS`, by default all; leave `"meteor"` out where seconds count.
        features: of the training and the test examples, `(examples, width)` each, for the yardstick
            `nearest_neighbour`; by default the inputs, where they are of that shape.

    Attributes:
        test: the judged examples, an `ExplanationDataset` of which each example has a sentence.
        reader: the `ReadBack` that reads the sentences.

    Raises:
        ValueError: if no test example has a sentence, a class of theirs has no training sentence, or the
            parts do not fit together.

    Example:

    >>> from interpnet_tf.data import sketchbirds
    >>> train, test = (sketchbirds.load(split, per_species=2) for split in ("train", "test"))
    >>> judge = Judge(train, test, metrics=("bleu_4", "cider_d"))
    >>> row = judge.columns([sentences[0] for sentences in judge.test.explanations])
    >>> row["attribute_precision"], row["retrieval_median_rank"]
    (1.0, 1.0)
    """

    def __init__(
        self,
        train: ExplanationDataset,
        test: ExplanationDataset,
        attributes: AttributeTable | None = None,
        reference_counts: tuple[int, ...] = REFERENCE_COUNTS,
        metrics: Sequence[str] | None = None,
        features: tuple[np.ndarray, np.ndarray] | None = None,
    ):
        self.train, self.test = train, test.explained()
        if not len(self.test):
            raise ValueError("no example of test has a sentence; there is nothing to judge against")
        if train.class_names != test.class_names:
            raise ValueError("train and test must have the same class_names, in the same order")
        if attributes is not None and len(attributes.percent) != len(test.class_names):
            raise ValueError(
                f"attributes must have a row for each of {len(test.class_names)} classes, got "
                f"{len(attributes.percent)}"
            )
        explained = [bool(sentences) for sentences in test.explanations]
        self._features = features and (np.asarray(features[0]), np.asarray(features[1])[explained])
        if features is None and getattr(train.inputs, "ndim", 0) == 2:
            self._features = train.inputs, self.test.inputs
        self.reference_counts = tuple(reference_counts)
        self.metrics = tuple(METRICS if metrics is None else metrics)
        self._ngrams = NgramScores(self.reference_counts, self.metrics)
        self.attributes = attributes
        self.reader = ReadBack().fit(train.explanations, train.labels)
        unknown = np.setdiff1d(self.test.labels, self.reader.classes)
        if len(unknown):
            raise ValueError(
                f"class {unknown[0]} of test ({test.class_names[unknown[0]]}) has no training sentence, so "
                "that none can be read back; leave its examples out"
            )
        self._held_out = None
        if np.unique(self.test.labels, return_counts=True)[1].min() > 1:
            self._held_out = HeldOutReadBack(self.test.explanations, self.test.labels)
        self._pairs = CiderPairs(self.test.explanations)

    def columns(
        self,
        hypotheses: list[str],
        predictions: np.ndarray | None = None,
        references: list[list[str]] | None = None,
    ) -> dict[str, float | None]:
        """Computes every column of one row.

        Args:
            hypotheses: one sentence an example of `judge.test`.
            predictions: class ids that the network predicts, `(examples,)`; `None` (a yardstick, which
                predicts nothing) leaves the columns out that need them.
            references: sentences of each example to score against; by default those of `judge.test`.

        Returns:
            In this order, in natural units (shares 0..1, CIDEr 0..10):
            `accuracy` (with predictions);
            `meteor_10`, `bleu_1_10` .. `bleu_4_10`, `cider_10`, `cider_d_10`, `rouge_l_10`, and the same
            ending in `_5`: one for each of `reference_counts`; `meteor_*` is `None` where it cannot run;
            `read_back_species`: share whose sentence the reader gives the true species;
            `read_back_predicted`, `read_back_predicted_right`, `read_back_predicted_wrong`: share that it
            gives the predicted species, of all and of right and wrong classifications (with predictions);
            `predicted_unreadable`: share whose predicted species has no sentences, which the three before
            leave out (with predictions);
            `read_back_held_out`: like `read_back_species` by readers trained on other test examples'
            sentences, which do not favour who repeats training sentences (see `HeldOutReadBack`; where every
            class has two test examples or more);
            `class_similarity`, `class_rank` (1 is best, mean);
            `retrieval_at_1`, `retrieval_at_10` (shares), `retrieval_median_rank` (1 is best);
            `phrases_true`: share of the phrases that fit the species, `sentences_with_false_phrase`: share
            of sentences, `sentences_with_phrase`, `phrases_a_sentence` (with attributes);
            `attribute_precision`, `attribute_recall`, `distinguishing_rate`, `varying_precision`,
            `varying_coverage` (where the data set has facts);
            `distinct_sentences`, `new_share`, `vocabulary`.
            A share of nothing is nan.

        Raises:
            ValueError: if there is not one sentence and one prediction an example.
        """
        hypotheses, predictions = self._checked(hypotheses, predictions, references)
        labels, pairs = self.test.labels, self._pairs_of(references)
        references = self.test.explanations if references is None else references
        row: dict[str, float | None] = {}
        if predictions is not None:
            row["accuracy"] = float(np.mean(predictions == labels))
        row |= self._ngrams.columns(hypotheses, references)
        read = self.reader.predict(hypotheses)
        row |= read_back_accuracy(read, labels, predictions, self.reader.classes)
        if self._held_out is not None:
            row["read_back_held_out"] = float(np.mean(self._held_out.predict(hypotheses) == labels))
        similarities, ranks = class_relevance(hypotheses, references, labels, pairs)
        row |= {"class_similarity": float(similarities.mean()), "class_rank": float(ranks.mean())}
        row |= self_retrieval(retrieval_ranks(hypotheses, references, pairs))
        if self.attributes is not None:
            row |= truth(*count_phrases(hypotheses, labels, self.attributes))
        if self.test.facts is not None:
            from interpnet_tf.metrics.facts import score_facts

            row |= score_facts(hypotheses, self.test.facts)
        return row | yardsticks.variety(hypotheses, self.train.explanations)

    def per_example(
        self,
        hypotheses: list[str],
        predictions: np.ndarray | None = None,
        references: list[list[str]] | None = None,
    ) -> dict[str, np.ndarray]:
        """Computes scores of every example, for `bootstrap.paired_bootstrap`.

        Args:
            hypotheses: one sentence an example of `judge.test`.
            predictions: class ids that the network predicts, or `None`.
            references: as in `columns`.

        Returns:
            float64 arrays `(examples,)`: `meteor`, `cider`, `cider_d`, `rouge_l` (against the largest of
            `reference_counts`; `meteor` only where it can run), `bleu_counts` `(examples, 10)` (compare with
            `bootstrap.bleu_4`), `read_back_species` and `read_back_held_out` (0 or 1),
            `read_back_predicted` (0, 1, or nan where unreadable; with predictions), `class_similarity`,
            `class_rank`, `retrieval_rank`, and with attributes `phrases`, `phrases_true` (counts).
        """
        hypotheses, predictions = self._checked(hypotheses, predictions, references)
        labels, pairs = self.test.labels, self._pairs_of(references)
        references = self.test.explanations if references is None else references
        count = max(self.reference_counts)
        first = [sentences[:count] for sentences in references]
        scores: dict[str, np.ndarray | None] = {}
        if "meteor" in self.metrics:
            scores["meteor"] = self._ngrams.meteor(hypotheses, references)[count]
        scores["bleu_counts"] = bleu_counts(hypotheses, first)
        for name, metric in (
            ("cider", cider_sentences),
            ("cider_d", cider_d_sentences),
            ("rouge_l", rouge_l_sentences),
        ):
            scores[name] = np.array(metric(hypotheses, first))
        read = self.reader.predict(hypotheses)
        scores["read_back_species"] = (read == labels).astype("float64")
        if self._held_out is not None:
            scores["read_back_held_out"] = (self._held_out.predict(hypotheses) == labels).astype("float64")
        if predictions is not None:
            readable = np.isin(predictions, self.reader.classes)
            scores["read_back_predicted"] = np.where(readable, read == predictions, np.nan)
        scores["class_similarity"], scores["class_rank"] = class_relevance(
            hypotheses, references, labels, pairs
        )
        scores["retrieval_rank"] = retrieval_ranks(hypotheses, references, pairs)
        if self.attributes is not None:
            counts, true = count_phrases(hypotheses, labels, self.attributes)
            scores |= {"phrases": counts.astype("float64"), "phrases_true": true.astype("float64")}
        return {name: values for name, values in scores.items() if values is not None}

    def yardstick_rows(self, seed: int = 0) -> dict[str, dict[str, float | None]]:
        """Computes the columns of what a row is to be read against, those that need predictions left out.

        Args:
            seed: of the draw of `random_sentence_of_class`.

        Returns:
            What `columns` returns for `constant`, `nearest_neighbour` (where the inputs are features),
            `random_sentence_of_class` and `human` (each example's first sentence against its others).
        """
        return {
            name: self.columns(hypotheses, references=references)
            for name, (hypotheses, references) in self.yardstick_sentences(seed).items()
        }

    def yardstick_sentences(self, seed: int = 0) -> dict[str, tuple[list[str], list[list[str]]]]:
        """Gives hypotheses and references of each row of `yardstick_rows`."""
        train, references = self.train, self.test.explanations
        most_frequent = yardsticks.most_frequent_sentence(train.explanations)
        said = {"constant": [most_frequent] * len(references)}
        if self._features is not None:
            said["nearest_neighbour"] = yardsticks.nearest_neighbour(
                train.explanations, *self._features, seed
            )
        said["random_sentence_of_class"] = yardsticks.random_sentence_of_class(
            train.explanations, train.labels, self.test.labels, seed
        )
        rows = {name: (hypotheses, references) for name, hypotheses in said.items()}
        if min(map(len, references)) > 1:
            rows["human"] = yardsticks.human_row(references)
        return rows

    def _checked(
        self, hypotheses: list[str], predictions: np.ndarray | None, references: list[list[str]] | None
    ) -> tuple[list[str], np.ndarray | None]:
        hypotheses = list(hypotheses)
        if len(hypotheses) != len(self.test):
            raise ValueError(
                f"hypotheses must hold a sentence for each of the {len(self.test)} examples of judge.test "
                f"(the test examples with sentences), got {len(hypotheses)}"
            )
        check_sentences(hypotheses, self.test.explanations if references is None else references)
        if predictions is None:
            return hypotheses, None
        predictions = np.asarray(predictions)
        if predictions.shape != self.test.labels.shape or predictions.dtype.kind not in "iu":
            raise ValueError(
                f"predictions must be whole class ids ({len(self.test)},), one an example of judge.test, got "
                f"{predictions.dtype} {predictions.shape}"
            )
        return hypotheses, predictions

    def _pairs_of(self, references: list[list[str]] | None) -> CiderPairs:
        return (
            self._pairs
            if references is None or references is self.test.explanations
            else CiderPairs(references)
        )
