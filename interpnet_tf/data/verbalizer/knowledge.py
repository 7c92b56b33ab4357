"""What a table says: which facts are true of its rows, and which of them set a class apart."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from interpnet_tf.data.tables import Table
from interpnet_tf.data.verbalizer.attributes import Attribute
from interpnet_tf.data.verbalizer.choosing import effect, effects_of_classes
from interpnet_tf.data.verbalizer.vocabulary import Fact

_DIGITS = 4  # of what is kept


@dataclasses.dataclass
class Knowledge:
    """The facts about the rows of a table, and how much each of them sets a class apart.

    Args:
        attributes: of the rows.
        sources: of each fact, the values of its attribute that make it true.
        class_names: of the classes.
        effects: how much a fact sets a class apart from the others, `(classes, facts)`, see
            `choosing.effect`.
        shares: of all rows, that a fact is true of, `(facts,)`.
    """

    attributes: Sequence[Attribute]
    sources: Mapping[Fact, Sequence[str]]
    class_names: Sequence[str] = ()
    effects: np.ndarray | None = None
    shares: np.ndarray | None = None

    def __post_init__(self) -> None:
        self.facts = tuple(self.sources)
        self.columns = [column for attribute in self.attributes for column in attribute.columns]
        self.overlapping = [
            {
                index
                for index, other in enumerate(self.facts)
                if other.attribute == fact.attribute and set(self.sources[other]) & set(self.sources[fact])
            }
            for fact in self.facts
        ]

    def learn(self, table: Table, labels: Sequence[str]) -> None:
        """Learns what sets each class apart.

        Args:
            table: the training part.
            labels: of its rows.
        """
        weights = self.weights(table, clearly=True)
        self.class_names = sorted(set(labels))
        number = {name: index for index, name in enumerate(self.class_names)}
        classes = np.array([number[label] for label in labels])
        known = ~np.isnan(weights)
        self.effects = effects_of_classes(weights, classes, len(number)).round(_DIGITS)
        self.shares = (np.where(known, weights, 0).sum(0) / np.maximum(known.sum(0), 1)).round(_DIGITS)

    def weights(self, table: Table, clearly: bool = False) -> np.ndarray:
        """Returns how far each fact is true of each row, `(rows, facts)`, 0..1, nan where it is not known.

        `clearly` is whether numbers are of their own level only, see `Attribute.weights`.

        Of values that share a word the weights are added: they exclude one another, as sizes do.
        """
        of_value = {
            (attribute.name, value): column
            for attribute in self.attributes
            for value, column in zip(attribute.values, attribute.weights(table, clearly).T, strict=True)
        }
        of_facts = [
            sum(of_value[fact.attribute, value] for value in values) for fact, values in self.sources.items()
        ]
        return np.minimum(np.stack(of_facts, axis=1), 1)

    def effects_of(self, weights: np.ndarray, label: Any = None) -> np.ndarray:
        """Returns how much each fact sets the class of a row apart, `(facts,)`.

        Args:
            weights: of the row, `(facts,)`.
            label: its class; `None` compares the row itself with all rows.

        Raises:
            ValueError: if there is no such class.
        """
        if label is None:
            return effect(np.nan_to_num(weights), self.shares)
        if str(label) not in self.class_names:
            raise ValueError(f"label must be one of {', '.join(self.class_names[:20])}, got {label!r}")
        return self.effects[self.class_names.index(str(label))]

    def get_config(self) -> dict[str, Any]:
        """Returns what was learnt, ready for JSON."""
        return {
            "attributes": [dataclasses.asdict(attribute) for attribute in self.attributes],
            "class_names": list(self.class_names),
            "effects": self.effects.tolist(),
            "shares": self.shares.tolist(),
        }
