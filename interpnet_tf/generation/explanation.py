"""`Explanation`: a classification and the sentence that explains it."""

from __future__ import annotations

import dataclasses
import html
import math
from typing import Any

from interpnet_tf.support.marked_words import words_html


@dataclasses.dataclass(frozen=True)
class Explanation:
    """What a network says of one example.

    Attributes:
        label: name of the class that is explained: the predicted one, or the one that was asked for.
        class_id: its number.
        probability: the classifier's probability of it, 0..1.
        text: the sentence.
        words: the words and punctuation marks of the sentence, in order.
        log_probabilities: natural logarithm of each word's probability given the words before it.
        alternatives: further sentences for the same example, the better first.
        score: log-probability of the sentence, its end included, over the length penalty.
        probabilities: the classifier's probability of every class, in the order of the class numbers.
        confidence: the probability that the sentence is true, where `analysis.Confidence` was asked for it.

    Example:

    >>> print(Explanation("Painted Bunting", 15, 0.93, "a red bird.", ("a", "red", "bird", "."), (-0.1,) * 4))
    Painted Bunting (93.0 %): a red bird.
    """

    label: str
    class_id: int
    probability: float
    text: str
    words: tuple[str, ...]
    log_probabilities: tuple[float, ...]
    alternatives: tuple[Explanation, ...] = ()
    score: float = 0.0
    probabilities: tuple[float, ...] = dataclasses.field(default=(), repr=False)  # there may be a thousand
    confidence: float | None = None

    @property
    def withheld(self) -> bool:
        """Whether nothing is said because the confidence is lower than was asked for."""
        return self.confidence is not None and not self.words

    def __str__(self) -> str:
        said = "nothing is said" if self.withheld else self.text
        sure = "" if self.confidence is None else f" ({100 * self.confidence:.0f} % sure)"
        return f"{self.label} ({100 * self.probability:.1f} %): {said}{sure}"

    def to_dict(self) -> dict[str, Any]:
        """Returns the record as plain lists, strings and numbers, ready for JSON.

        What is no finite number, such as the score of a sentence that all words were forbidden to, is `None`:
        JSON has no infinity. The class probabilities are those of the example and not repeated among its
        alternatives. `confidence` is there where it was asked for.
        """
        fields = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        record = {
            name: [_finite(part) for part in value] if isinstance(value, tuple) else _finite(value)
            for name, value in fields.items()
        }
        record["alternatives"] = [alternative.to_dict() for alternative in self.alternatives]
        for alternative in record["alternatives"]:
            del alternative["probabilities"]
        if self.confidence is None:
            del record["confidence"]
        return record

    def _repr_html_(self) -> str:
        doubts = [1 - math.exp(log_probability) for log_probability in self.log_probabilities]
        titles = [f"probability {1 - doubt:.3f}" for doubt in doubts]
        marks = [1 if doubt > 0.5 else None for doubt in doubts]
        words = words_html(self.words, marks, doubts, titles)
        note = "underlined: words that were less probable than all others together" if any(marks) else ""
        return (
            f"<p><b>{html.escape(self.label)}</b> ({100 * self.probability:.1f} %): {words}"
            f"{note and f'<br><small>{note}</small>'}</p>"
        )


def _finite(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value
