"""Gain from r: how many bits a word cheaper a sentence is, given r(x) of its own example."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from interpnet_tf.analysis.faithfulness_metrics.material import Material


def gain_own(material: Material) -> np.ndarray:
    """Measures how much of what is said comes from r(x): (log2 q(e|r) - log2 q(e|r')) / words.

    q is the decoder's probability of the sentence e, whose end is a word; r' is r(x) of another example,
    drawn at random. Higher is more faithful; 0 is a decoder that does not hear r(x).

    Pitfall: the sentence was chosen as the most probable given r(x), so that a decoder which hears noise
    gains a little, too. And a gain says that r(x) is heard, not which part of it: a caption of the picture
    gains as well as a reason.

    Args:
        material: what the metrics read.

    Returns:
        Bits a word, `(examples,)`.

    References:
    - [Xu et al. 2020](https://arxiv.org/abs/2002.10689), usable information
    - [Ethayarajh et al. 2022](https://arxiv.org/abs/2110.08420), pointwise, of single examples
    """
    return _gain(material, material.said, "any")


def gain_own_same_class(material: Material) -> np.ndarray:
    """Is `gain_own` with another example of the same predicted class: what is said beyond the class.

    Pitfall: a decoder that speaks of nothing but the class, be it the reason or not, gains nothing here.

    Returns:
        Bits a word, `(examples,)`; NaN where no other example is predicted to be of that class.
    """
    return _gain(material, material.said, "same")


def gain_people(material: Material) -> np.ndarray:
    """Is `gain_own` of a person's sentence about the example: what r(x) tells the decoder of it.

    Pitfall: people speak of the picture and know nothing of the classifier: this is how well r(x) is heard,
    not what the decision rests on.

    Returns:
        Bits a word, `(examples,)`; below 0 where the sentence fits another example better.
    """
    return _gain(material, material.people, "any")


def gain_people_same_class(material: Material) -> np.ndarray:
    """Is `gain_people` with another example of the same predicted class.

    Returns:
        Bits a word, `(examples,)`; NaN where no other example is predicted to be of that class.
    """
    return _gain(material, material.people, "same")


def _gain(material: Material, sentences: Sequence[str], of: str) -> np.ndarray:
    others = material.another(of)
    gain = np.full(len(others), np.nan)
    known = np.flatnonzero(others >= 0)
    said = [sentences[place] for place in known]
    r = material.r
    gain[known] = material.bits(r[others[known]], said) - material.bits(r[known], said)
    return gain
