"""`Judge`: every column of a table of explanations, computed the same way for every row."""

from __future__ import annotations

import numpy as np

from interpnet_tf.data.cub_attributes import AttributeTable
from interpnet_tf.data.dataset import ExplanationDataset

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

    Attributes:
        test: the judged examples, an `ExplanationDataset` of which each example has a sentence.
    """

    def __init__(
        self,
        train: ExplanationDataset,
        test: ExplanationDataset,
        attributes: AttributeTable | None = None,
        reference_counts: tuple[int, ...] = REFERENCE_COUNTS,
        metrics: tuple[str, ...] | None = None,
    ):
        raise NotImplementedError

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
        raise NotImplementedError

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
            `reference_counts`; `meteor` only where it can run), `read_back_species` (0 or 1),
            `read_back_predicted` (0, 1, or nan where unreadable; with predictions), `class_similarity`,
            `class_rank`, `retrieval_rank`, and with attributes `phrases`, `phrases_true` (counts).
        """
        raise NotImplementedError

    def yardstick_rows(self, seed: int = 0) -> dict[str, dict[str, float | None]]:
        """Computes the columns of what a row is to be read against, those that need predictions left out.

        Args:
            seed: of the draw of `random_sentence_of_class`.

        Returns:
            What `columns` returns for `constant`, `nearest_neighbour` (where the inputs are features),
            `random_sentence_of_class` and `human` (each example's first sentence against its others).
        """
        raise NotImplementedError

    def yardstick_sentences(self, seed: int = 0) -> dict[str, tuple[list[str], list[list[str]]]]:
        """Gives hypotheses and references of each row of `yardstick_rows`."""
        raise NotImplementedError
