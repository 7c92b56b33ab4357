"""`MinimumBayesRisk`: says what agrees best with all that the model might have said."""

from __future__ import annotations

import collections
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from interpnet_tf.data.dataset import ExplanationDataset
from interpnet_tf.data.inputs import inputs_of
from interpnet_tf.generation.explanation import Explanation
from interpnet_tf.metrics.tokenize import ngrams
from interpnet_tf.model import InterpNet
from interpnet_tf.speakers.candidates import distinct, ranked

_ORDERS = (1, 2, 3, 4)
_SIGMA = 6.0


class MinimumBayesRisk:
    """Chooses the sentence that agrees best, on average, with sentences drawn from the model.

    The most probable sentence need not be like the others that are probable. Here the draws stand for what a
    person might write: a candidate's expected utility is the mean of CIDEr-D against them, and the candidate
    with the highest is said. Candidates are the draws and the best of a beam search.

    Args:
        model: a trained `InterpNet`.
        train: its training examples: an n-gram that stands in the sentences of many of them counts for
            little, as in CIDEr-D. `None` counts all n-grams alike.

    Example:

    ```python
    speaker = MinimumBayesRisk(model, train)
    explanations = speaker.explain(test.inputs, samples=20, seed=0)
    ```

    References:
    - [Kumar & Byrne 2004](https://aclanthology.org/N04-1022/)
    - [Eikema & Aziz 2020](https://arxiv.org/abs/2005.10283)
    - [Vedantam et al. 2015](https://arxiv.org/abs/1411.5726), section 6, CIDEr-D
    """

    def __init__(self, model: InterpNet, train: ExplanationDataset | None = None) -> None:
        self.model = model
        self.weight = None if train is None else _inverse_frequency(model, train.explained().explanations)

    def explain(
        self,
        x: Any,
        samples: int = 20,
        beams: int = 5,
        seed: int | None = None,
        p: float = 1.0,
        temperature: float = 1.0,
        batch_size: int = 64,
        **options: Any,
    ) -> list[Explanation]:
        """Classifies examples and says why.

        Args:
            x: as in `InterpNet.explain`.
            samples: draws of each example.
            beams: sentences of the beam search among the candidates; 0 for the draws alone.
            seed: of the draws; `None` draws anew at each call.
            p: see `generation.Decoding`; 1 draws from all words.
            temperature: see `generation.Decoding`.
            batch_size: examples at a time.
            **options: further ones of `InterpNet.explain`, such as `forbidden`.

        Returns:
            An `Explanation` for each example, with the other candidates as alternatives, the better first.
        """
        x, options["batch_size"] = inputs_of(x), batch_size
        drawn = self.model.explain(
            x, "top_p", n_best=samples, seed=seed, p=p, temperature=temperature, **options
        )
        found = self.model.explain(x, "beam", beams=beams, n_best=beams, **options) if beams else drawn
        return [self._choose(*of_one) for of_one in zip(drawn, found, strict=True)]

    def _choose(self, drawn: Explanation, found: Explanation) -> Explanation:
        candidates = distinct(drawn, found)
        counts = collections.Counter(draw.words for draw in (drawn, *drawn.alternatives))
        times = np.array([counts[candidate.words] for candidate in candidates])
        agreement = agreements([candidate.words for candidate in candidates], self.weight)
        return ranked(candidates, agreement @ times / times.sum())


def agreements(
    sentences: Sequence[Sequence[str]], weight: collections.defaultdict[tuple[str, ...], float] | None = None
) -> np.ndarray:
    """Computes CIDEr-D, between 0 and 1, of every sentence with every other as its reference.

    Args:
        sentences: the words of each.
        weight: of each n-gram; `None` for 1.

    Returns:
        float64 `(sentences, sentences)`; row i has sentence i as the hypothesis.

    Example:

    >>> agreements([["a", "crow"], ["a", "gull"]]).round(3)  # one of two words, no pair, nothing longer
    array([[0.5  , 0.125],
           [0.125, 0.5  ]])
    """
    total = np.zeros((len(sentences), len(sentences)))
    for order in _ORDERS:
        number: dict[tuple[str, ...], int] = {}
        cells = [
            (row, number.setdefault(ngram, len(number)))
            for row, sentence in enumerate(sentences)
            for ngram in ngrams(tuple(sentence), order)
        ]
        if not cells:
            continue
        counts = np.zeros((len(sentences), len(number)))
        np.add.at(counts, tuple(np.array(cells).T), 1)
        counts *= 1 if weight is None else np.array([weight[ngram] for ngram in number])
        norms = np.linalg.norm(counts, axis=1)
        for row, said in enumerate(counts):
            products, norm = np.minimum(said, counts) * counts, norms * norms[row]
            total[row] += np.divide(products.sum(axis=1), norm, out=np.zeros(len(norm)), where=norm > 0)
    lengths = np.array([len(sentence) for sentence in sentences])
    return total / len(_ORDERS) * np.exp(-((lengths[:, None] - lengths) ** 2) / (2 * _SIGMA**2))


def _inverse_frequency(
    model: InterpNet, explanations: Iterable[list[str]]
) -> collections.defaultdict[tuple[str, ...], float]:
    """Returns the logarithm of how rare each n-gram is among the examples; one never seen is in one."""
    frequency: collections.Counter[tuple[str, ...]] = collections.Counter()
    examples = 0
    for sentences in explanations:
        examples += 1
        tokens = [
            tuple(word.decode("utf-8") for word in words)
            for words in model.tokenizer.split(sentences).to_list()
        ]
        frequency.update({ngram for one in tokens for order in _ORDERS for ngram in ngrams(one, order)})
    rarest = float(np.log(max(examples, 1)))
    rarity = {ngram: rarest - float(np.log(count)) for ngram, count in frequency.items()}
    return collections.defaultdict(lambda: rarest, rarity)
