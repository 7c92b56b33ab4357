"""`Decoding`: how the words of a sentence are chosen."""

from __future__ import annotations

import dataclasses
import math
import numbers

from interpnet_tf.language.tokenizer import ExplanationTokenizer
from interpnet_tf.support.checks import check_whole

SAMPLERS = ("greedy", "beam", "top_k", "top_p")

# Never said: padding and start are no words, and a reader learns nothing from "[unknown]".
SILENT_IDS = (ExplanationTokenizer.pad_id, ExplanationTokenizer.start_id, ExplanationTokenizer.unknown_id)


@dataclasses.dataclass(frozen=True)
class Decoding:
    """How the words of a sentence are chosen.

    Args:
        sampler: `"greedy"` says the most probable word after each word; `"beam"` keeps the `beams` best
            beginnings of a sentence; `"top_k"` draws from the `k` most probable words; `"top_p"` from the
            fewest words whose probabilities sum to `p` or more (Holtzman et al. 2020).
        beams: beginnings that beam search keeps of each sentence.
        n_best: sentences an example: the best of the beam, or independent draws.
        length_penalty: exponent a of `((5 + n) / 6) ** a`, by which the log-probability of n words is divided
            to be its score (Wu et al. 2016); 0 favours short sentences, 1 nearly averages over the words.
        k: of `"top_k"`.
        p: of `"top_p"`; 1 draws from all words, as probable as they are.
        temperature: by which the logits are divided before a draw; below 1 is more careful.
        min_length: fewest words before the end.
        no_repeat_ngram: no sequence of so many words is said twice in a sentence; 0 allows all.
        forbidden: ids that are not said.
        required: ids each of which is said. The beam is divided among the beginnings that have said none of
            them, one, … all (Post & Vilar 2018); a sentence without them comes back only, and last, where
            there is no room for them.

    Raises:
        ValueError: if an argument is out of its range.

    Example:

    >>> Decoding("beam", beams=3, n_best=2).rows
    3

    References:
    - [Wu et al. 2016, section 7](https://arxiv.org/abs/1609.08144)
    - [Holtzman et al. 2020, section 3.1](https://arxiv.org/abs/1904.09751)
    - [Post & Vilar 2018](https://arxiv.org/abs/1804.06609)
    """

    sampler: str = "greedy"
    beams: int = 5
    n_best: int = 1
    length_penalty: float = 0.7
    k: int = 10
    p: float = 0.9
    temperature: float = 1.0
    min_length: int = 0
    no_repeat_ngram: int = 0
    forbidden: tuple[int, ...] = ()
    required: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if self.sampler not in SAMPLERS:
            raise ValueError(f"sampler must be one of {list(SAMPLERS)}, got {self.sampler!r}")
        for name, least in {"beams": 1, "n_best": 1, "k": 1, "min_length": 0, "no_repeat_ngram": 0}.items():
            check_whole(name, getattr(self, name), least)
        for name in ("length_penalty", "p", "temperature"):
            value = getattr(self, name)
            if not isinstance(value, numbers.Real) or not math.isfinite(value):
                raise ValueError(f"{name} must be a finite number, got {value!r}")
        if not 0 < self.p <= 1:
            raise ValueError(f"p must be greater than 0 and at most 1, got {self.p}")
        if self.temperature <= 0:
            raise ValueError(f"temperature must be greater than 0, got {self.temperature}")
        most = {"greedy": 1, "beam": self.beams}.get(self.sampler, self.n_best)
        if self.n_best > most:
            raise ValueError(
                f"n_best must be at most {most} with sampler {self.sampler!r}, got {self.n_best}"
            )

        if self.required and (self.sampler != "beam" or self.beams <= len(self.required)):
            raise ValueError(
                f"{len(self.required)} required words need sampler 'beam' with beams of at least "
                f"{len(self.required) + 1}, got {self.sampler!r} and {self.beams}"
            )
        if both := set(self.required) & {*self.forbidden, *SILENT_IDS}:
            raise ValueError(f"required holds ids that cannot be said: {sorted(both)}")

    @property
    def rows(self) -> int:
        """How many sentences of an example grow at the same time."""
        return self.beams if self.sampler == "beam" else self.n_best


GREEDY = Decoding()
