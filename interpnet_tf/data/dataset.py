"""`ExplanationDataset`: examples, their labels, and the sentences that explain them."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np

from interpnet_tf.data.columns import table_inputs
from interpnet_tf.data.tables import is_table

if TYPE_CHECKING:
    import tensorflow as tf


@dataclasses.dataclass(frozen=True)
class ExplanationDataset:
    """Examples of a classification problem with zero or more explaining sentences each.

    Args:
        inputs: what the classifier reads: an array `(examples, ...)`, or a dict of such arrays for a
            classifier of several inputs; a DataFrame, or a list of dicts, one a row, becomes a dict of
            columns.
        labels: class ids, `(examples,)`, integers from 0.
        class_names: one name a class.
        explanations: a list of sentences for each example, empty where there is none.
        ids: one identifier an example, such as a file name.
        facts: where the ground truth is known (sketchbirds), one record an example; else `None`.
        source: where the sentences come from, such as `"verbalized"` for those that `data.verbalizer` made of
            a table; `None` for those that people wrote, and wherever nothing is told of it.

    Raises:
        ValueError: if the parts differ in length or a label is not a class.

    Example:

    >>> dataset = ExplanationDataset(
    ...     inputs=np.zeros((2, 4), "float32"), labels=[0, 1], class_names=["crow", "gull"],
    ...     explanations=[["a black bird."], []], ids=["1.jpg", "2.jpg"])
    >>> len(dataset), len(dataset.explained())
    (2, 1)
    """

    inputs: Any
    labels: np.ndarray
    class_names: list[str]
    explanations: list[list[str]]
    ids: list[str]
    facts: list[Any] | None = None
    source: str | None = None

    def __post_init__(self) -> None:
        if is_table(self.inputs):
            object.__setattr__(self, "inputs", table_inputs(self.inputs))
        labels = _class_ids(self.labels)
        lengths = {"labels": len(labels), "explanations": len(self.explanations), "ids": len(self.ids)}
        parts = self.inputs if isinstance(self.inputs, dict) else {"inputs": self.inputs}
        lengths |= {name: len(part) for name, part in parts.items()}
        if self.facts is not None:
            lengths["facts"] = len(self.facts)
        if len(set(lengths.values())) > 1:
            several = "; several inputs are a dict of arrays by name" if isinstance(self.inputs, list) else ""
            raise ValueError(
                f"every part of a data set must have one entry an example, got {lengths}{several}"
            )
        if len(labels) and not (labels.min() >= 0 and labels.max() < len(self.class_names)):
            raise ValueError(
                f"labels must lie in 0..{len(self.class_names) - 1} (there are {len(self.class_names)} class "
                f"names), got {labels.min()}..{labels.max()}"
            )
        object.__setattr__(self, "labels", labels.astype("int32"))

    def __len__(self) -> int:
        return len(self.labels)

    def subset(self, indices: Any) -> ExplanationDataset:
        """Returns the examples at `indices` (integers, or a boolean mask of `len(self)`)."""
        indices = np.asarray(indices)
        indices = np.flatnonzero(indices) if indices.dtype == bool else indices.astype("int64")
        if isinstance(self.inputs, dict):
            inputs = {name: part[indices] for name, part in self.inputs.items()}
        else:
            inputs = self.inputs[indices]
        return dataclasses.replace(
            self,
            inputs=inputs,
            labels=self.labels[indices],
            explanations=[self.explanations[i] for i in indices],
            ids=[self.ids[i] for i in indices],
            facts=None if self.facts is None else [self.facts[i] for i in indices],
        )

    def explained(self) -> ExplanationDataset:
        """Returns the examples that have at least one sentence."""
        return self.subset([i for i, sentences in enumerate(self.explanations) if sentences])

    def split(self, fraction: float, seed: int = 0) -> tuple[ExplanationDataset, ExplanationDataset]:
        """Splits every class at random into two parts.

        Args:
            fraction: share of each class (of its explained and unexplained examples alike) in the second
                part, between 0 and 1.
            seed: of the draw; the same seed gives the same parts.

        Returns:
            The two parts, each in the order of this data set.
        """
        if not 0 < fraction < 1:
            raise ValueError(f"fraction must lie between 0 and 1, got {fraction}")
        random = np.random.default_rng(seed)
        explained = np.array([bool(sentences) for sentences in self.explanations])
        held_out = np.zeros(len(self), dtype=bool)
        for label, has in dict.fromkeys(zip(self.labels.tolist(), explained.tolist(), strict=True)):
            members = np.flatnonzero((self.labels == label) & (explained == has))
            held_out[random.permutation(members)[: round(fraction * len(members))]] = True
        return self.subset(~held_out), self.subset(held_out)

    def three_parts(self, seed: int = 0) -> dict[str, ExplanationDataset]:
        """Splits every class at random: 80 % `"train"`, 10 % `"validation"`, 10 % `"test"`.

        Args:
            seed: of the draw; the same seed gives the same parts.
        """
        rest, test = self.split(0.1, seed)
        train, validation = rest.split(1 / 9, seed)
        return {"train": train, "validation": validation, "test": test}

    def to_tf(self, batch_size: int = 32, shuffle: bool = False, seed: int = 0) -> tf.data.Dataset:
        """Returns the `tf.data` pipeline that `InterpNet.fit` takes.

        Args:
            batch_size: examples a batch.
            shuffle: whether to draw the examples in a new order every epoch.
            seed: of the shuffle.

        Returns:
            A data set of `(inputs, sentences)` batches: `inputs` as in this data set, but `batch` examples
            at a time; `sentences` a `tf.RaggedTensor` of strings `(batch, sentences)`.
        """
        import tensorflow as tf

        with tf.device("CPU"):  # the accelerator's memory is for the batches, not the data set
            inputs = tf.nest.map_structure(tf.convert_to_tensor, self.inputs)
            sentences = tf.RaggedTensor.from_row_lengths(
                tf.constant([text for sentences in self.explanations for text in sentences], tf.string),
                tf.constant([len(sentences) for sentences in self.explanations], tf.int64),
            )

        def examples_at(indices: tf.Tensor) -> tuple[Any, tf.RaggedTensor]:
            batch = tf.nest.map_structure(lambda part: tf.gather(part, indices), inputs)
            return batch, tf.gather(sentences, indices)

        # Shuffling the indices, and not the examples, keeps a second copy of the inputs out of memory.
        indices = tf.data.Dataset.range(len(self))
        if shuffle:
            indices = indices.shuffle(max(len(self), 1), seed=seed)
        return indices.batch(batch_size).map(examples_at).prefetch(tf.data.AUTOTUNE)


def _class_ids(labels: Any) -> np.ndarray:
    """Returns labels as int64 `(examples,)`, and refuses what is not a whole number each."""
    labels = np.asarray(labels)
    whole = labels.dtype.kind in "iub" or (
        labels.dtype.kind == "f" and bool((np.isfinite(labels) & (labels == np.floor(labels))).all())
    )
    if labels.size and not whole:
        raise ValueError(
            f"labels must be class ids, whole numbers from 0, got {labels.reshape(-1)[:5].tolist()}; make "
            "ids of names with class_names.index(name)"
        )
    if labels.ndim > 1 and labels.size != len(labels):
        raise ValueError(
            f"labels must be (examples,), a class id each, got {labels.shape}; make ids of one-hot labels "
            "with labels.argmax(axis=-1)"
        )
    return labels.reshape(-1).astype("int64")
