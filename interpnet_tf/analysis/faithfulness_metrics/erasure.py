"""Erasure: are the units that an attribution names for a word those that the word rests on?"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from interpnet_tf.analysis.faithfulness_metrics.material import Material
from interpnet_tf.attribution.attribution import LEAST_DIFFERENCE
from interpnet_tf.attribution.methods import Task, integrated_gradients
from interpnet_tf.attribution.options import read_baseline
from interpnet_tf.generation.scoring import log_probabilities

SHARES = (0.01, 0.05, 0.1, 0.2, 0.5)
_EXAMPLES, _WORDS = 50, 5  # a word costs 20 passes of the decoder, and its attribution 64
_SUBSETS, _SUBSET = 32, 0.2
_STEPS = 64


def comprehensiveness(material: Material) -> np.ndarray:
    """Measures how many bits a word loses without the units named for it, more than without random ones.

    For each share k of 1, 5, 10, 20 and 50 % of the units of r(x),

        log2 q(w | r without k random units) - log2 q(w | r without the k units attributed most),

    mean over k and the words w of the sentence. Without means that the mean of r over the training examples
    stands in their place. Attributions are integrated gradients from that mean. Higher is more faithful: the
    word rests on few units, and they are known. Of at most 50 examples, 5 words each, drawn at random.

    Pitfall: r without some units is an r that no example has, and the decoder was not trained on such. What
    two units tell alike is missed only without both.

    Args:
        material: what the metrics read.

    Returns:
        Bits a word, `(examples,)`; NaN of examples that were not drawn.

    References:
    - [DeYoung et al. 2020](https://arxiv.org/abs/1911.03429), section 4.3, of probabilities
    """
    erased = _erased(material)
    return _by_example(material, erased, (erased.without[..., 1] - erased.without[..., 0]).mean(axis=1))


def comprehensiveness_shares(material: Material) -> dict[str, np.ndarray]:
    """Returns the figures of `comprehensiveness` for each share of the units."""
    erased = _erased(material)
    return _by_share(material, erased, erased.without[..., 1] - erased.without[..., 0])


def sufficiency(material: Material) -> np.ndarray:
    """Measures how many bits a word keeps with the units named for it alone, more than with random ones.

    For each share k of the units as in `comprehensiveness`,

        log2 q(w | the k units attributed most) - log2 q(w | k random units),

    all other units being at their mean. Higher is more faithful: the units named are enough for the word.

    Pitfall: as of `comprehensiveness`. At 50 % both have most of what the word rests on.

    Returns:
        Bits a word, `(examples,)`; NaN of examples that were not drawn.

    References:
    - [DeYoung et al. 2020](https://arxiv.org/abs/1911.03429), section 4.3, with another sign
    """
    erased = _erased(material)
    return _by_example(material, erased, (erased.alone[..., 0] - erased.alone[..., 1]).mean(axis=1))


def sufficiency_shares(material: Material) -> dict[str, np.ndarray]:
    """Returns the figures of `sufficiency` for each share of the units."""
    erased = _erased(material)
    return _by_share(material, erased, erased.alone[..., 0] - erased.alone[..., 1])


def mu_fidelity(material: Material) -> np.ndarray:
    """Measures whether attributions foresee what becomes of a word without random units.

    Pearson's correlation, over 32 random fifths of the units, between the sum of their attributions and by
    how much the word's log-probability falls without them. 1 is best. None of `METRICS`, for it is a property
    of the method of attribution: it is as high where the decoder hears nothing of the example.

    Returns:
        Mean over the words, `(examples,)`; NaN of examples that were not drawn.

    References:
    - [Bhatt et al. 2020](https://arxiv.org/abs/2005.00631), section 3
    """
    words = _words(material)
    random = np.random.default_rng(material.seed)
    correlations = []
    for place in range(len(words.owners)):
        gone = np.zeros((_SUBSETS, words.units.shape[1]), bool)
        size = max(1, round(_SUBSET * gone.shape[1]))
        np.put_along_axis(gone, random.random(gone.shape).argsort(axis=1)[:, :size], True, axis=1)
        fallen = words.bits[place] - _bits(material, words, place, gone)
        foreseen = gone @ words.units[place]
        steady = fallen.std() == 0 or foreseen.std() == 0
        correlations.append(np.nan if steady else np.corrcoef(foreseen, fallen)[0, 1])
    return _by_example(material, words, np.array(correlations))


def completeness(material: Material) -> np.ndarray:
    """Measures whether attributions add up to what they share out.

    The share of the words whose attributions miss the difference of their log-probability from the
    baseline's by at most 2 % of it, see `Attribution.relative_error`. 1 is best. None of `METRICS`, for it is
    a property of the method of attribution.

    Returns:
        Mean over the words, `(examples,)`; NaN of examples that were not drawn.
    """
    words = _words(material)
    nothing = np.ones((1, words.units.shape[1]), bool)
    rest = [_bits(material, words, place, nothing)[0] for place in range(len(words.owners))]
    differences = words.bits - rest
    missed = np.abs(words.units.sum(axis=1) - differences) * np.log(2)
    complete = missed <= 0.02 * np.maximum(np.abs(differences) * np.log(2), LEAST_DIFFERENCE)
    return _by_example(material, words, complete.astype("float64"))


class _Words(NamedTuple):
    """Words that were drawn.

    Attributes:
        owners: the example of each, `(words,)`.
        ids: of each word and those before it.
        units: the attribution of each number of r, in bits, `(words, width)`.
        bits: log2 of the probability of each, `(words,)`.
    """

    owners: np.ndarray
    ids: list[list[int]]
    units: np.ndarray
    bits: np.ndarray


class _Erased(NamedTuple):
    """What becomes of words; the last axis holds the units attributed most and random ones.

    Attributes:
        owners: the example of each word, `(words,)`.
        without: log2 of the word's probability without the units, `(words, shares, 2)`.
        alone: that with nothing but the units, `(words, shares, 2)`.
    """

    owners: np.ndarray
    without: np.ndarray
    alone: np.ndarray


def _words(material: Material) -> _Words:
    return material.once(f"words of {hash(tuple(material.said))}", lambda: _drawn(material))


def _drawn(material: Material) -> _Words:
    model, random = material.model, np.random.default_rng(material.seed)
    examples = np.sort(random.permutation(len(material.said))[:_EXAMPLES])
    texts = [material.said[place] for place in examples]
    ids = [of_one[: model.max_length - 1] for of_one in model.tokenizer.tokenize(texts).to_list()]
    r = material.r[examples]
    task = Task(model, r, read_baseline(model, "mean", len(r)), ids, _STEPS, None, material.batch_size)
    units, said = integrated_gradients(task).units, log_probabilities(model, r, ids, material.batch_size)
    chosen = [
        (row, place)
        for row, of_one in enumerate(ids)
        for place in sorted(random.permutation(len(of_one))[:_WORDS])
    ]
    return _Words(
        examples[[row for row, _ in chosen]],
        [ids[row][: place + 1] for row, place in chosen],
        np.array([units[row][place] for row, place in chosen]) / np.log(2),
        np.array([said[row][place] for row, place in chosen]) / np.log(2),
    )


def _erased(material: Material) -> _Erased:
    return material.once(f"erased of {hash(tuple(material.said))}", lambda: _erase(material))


def _erase(material: Material) -> _Erased:
    words, random = _words(material), np.random.default_rng(material.seed)
    width = words.units.shape[1]
    found = []
    for place in range(len(words.owners)):
        orders = (np.argsort(-words.units[place], kind="stable"), random.permutation(width))
        gone = np.zeros((len(SHARES), 2, width), bool)
        for row, share in enumerate(SHARES):
            for column, order in enumerate(orders):
                gone[row, column, order[: max(1, round(share * width))]] = True
        gone = np.stack([gone, ~gone]).reshape(-1, width)
        found.append(_bits(material, words, place, gone).reshape(2, len(SHARES), 2))
    without, alone = np.moveaxis(np.array(found).reshape(-1, 2, len(SHARES), 2), 1, 0)
    return _Erased(words.owners, without, alone)


def _bits(material: Material, words: _Words, place: int, gone: np.ndarray) -> np.ndarray:
    """Returns log2 of a word's probability without some units, `(variants,)`.

    Args:
        material: what the metrics read.
        words: those that were drawn.
        place: of the word among them.
        gone: whether a unit is at its mean, bool `(variants, width)`.
    """
    mean = read_baseline(material.model, "mean", 1)
    changed = np.where(gone, mean, material.r[words.owners[place]])
    said = log_probabilities(material.model, changed, [words.ids[place]] * len(gone), len(gone))
    return np.array([of_one[-1] for of_one in said], "float64") / np.log(2)


def _by_example(material: Material, words: _Words | _Erased, figures: np.ndarray) -> np.ndarray:
    """Returns the mean figure of each example's words, NaN where it has none."""
    known = ~np.isnan(figures)
    sums = np.bincount(words.owners[known], figures[known], minlength=len(material.said))
    counts = np.bincount(words.owners[known], minlength=len(material.said))
    return np.divide(sums, counts, out=np.full(len(sums), np.nan), where=counts > 0)


def _by_share(material: Material, erased: _Erased, figures: np.ndarray) -> dict[str, np.ndarray]:
    return {
        f"{100 * share:g} %": _by_example(material, erased, figures[:, column])
        for column, share in enumerate(SHARES)
    }
