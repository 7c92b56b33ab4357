"""`audit`: what a network decides by, what its sentences say, and whether the two agree."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from interpnet_tf.analysis.auditing.foretelling import foretold
from interpnet_tf.analysis.faithfulness_metrics import controls
from interpnet_tf.analysis.faithfulness_metrics.material import Material
from interpnet_tf.analysis.faithfulness_metrics.measuring import faithfulness_of
from interpnet_tf.analysis.faithfulness_metrics.registry import METRICS as FAITHFULNESS
from interpnet_tf.attribution.reason_scores import ReasonScores
from interpnet_tf.data.dataset import ExplanationDataset
from interpnet_tf.metrics.bootstrap import bootstrap_interval
from interpnet_tf.model import InterpNet
from interpnet_tf.speakers.reasons import Reasons
from interpnet_tf.support.checks import check_whole

METRICS = ("gain_own", "gain_own_same_class", "interchange_words", "error_tracking", "simulatability")


def audit(
    model: InterpNet,
    dataset: ExplanationDataset,
    train: ExplanationDataset,
    shuffled: InterpNet | None = None,
    metrics: Iterable[str] | None = METRICS,
    examples: int = 200,
    seed: int = 0,
    batch_size: int = 64,
) -> dict[str, Any]:
    """Audits a network: what its decisions rest on, what its sentences say, and whether the two agree.

    Three questions, from the bottom up. Does the network decide by anything that people speak of? See
    `foretold`; where it does not, no sentence of this kind can say its reasons. What does it rest on most,
    and is that what is named? See `ReasonScores`. Does the decoder hear the decision? See `faithfulness`.

    Args:
        model: a trained `InterpNet`.
        dataset: examples that it was not trained on; those without a sentence are left out.
        train: the examples that it was trained on.
        shuffled: what `shuffled_r` returned, a control of the faithfulness metrics.
        metrics: names of faithfulness metrics; empty for none, `None` for all.
        examples: of how many examples, drawn at random, phrases are scored.
        seed: of every draw.
        batch_size: examples or sentences at a time.

    Returns:
        A dict of plain numbers: `foretold`; `carried`, for what is said greedily, by `Reasons`, by a person,
        by the class's template and by one sentence for all, the mean reason score of the phrases as a share
        of the strongest phrase of the example, with `value` and `interval`; `nouns`, for each thing that is
        spoken of its mean reason `score` and the share of sentences that name it; `faithfulness`; `flagged`,
        whether the network decides by what nobody speaks of, `None` where that cannot be told; and
        `verdict`. Values are `None` where no phrase could be scored.

    Raises:
        ValueError: if an argument is out of its range, or as of `ReasonScores`.

    Example:

    ```python
    result = analysis.audit(model, test, train)
    print(auditing.report(result))
    ```
    """
    check_whole("examples", examples, 1)
    material = Material(model, dataset, train, seed=seed, batch_size=batch_size)
    speaker = Reasons(model, train, batch_size=batch_size, seed=seed)
    result: dict[str, Any] = {"foretold": _foretold(material, speaker.scores, seed)}
    result |= _carried(material, speaker, examples, seed)
    chosen = list(FAITHFULNESS if metrics is None else metrics)
    networks = {"shuffled r": shuffled}
    result["faithfulness"] = faithfulness_of(material, networks, chosen) if chosen else {}
    interval = result["foretold"]["interval"]
    result["flagged"] = None
    if interval is not None and (interval[0] > 0 or interval[1] < 0):
        result["flagged"] = interval[1] < 0
    result["verdict"] = _verdict(result)
    return result


def _foretold(material: Material, scores: ReasonScores, seed: int) -> dict[str, Any]:
    concepts = scores.concepts
    return foretold(
        (material.train_probabilities, material.train.labels, concepts.mentions),
        (material.probabilities, material.labels, concepts.mentioned(material.dataset.explanations)),
        seed=seed,
    )


def _carried(material: Material, speaker: Reasons, examples: int, seed: int) -> dict[str, Any]:
    """Returns `carried` and `nouns`, see `audit`."""
    order = np.random.default_rng(seed).permutation(len(material.dataset))[:examples]
    part, concepts = material.dataset.subset(order), speaker.scores.concepts
    explained = speaker.explain(part, seed=seed, batch_size=material.batch_size)
    of_all = {
        "greedy": material.said,
        "one human": material.people,
        "template": controls.template(material),
        "constant": controls.constant(material),
    }
    said = {name: [sentences[row] for row in order] for name, sentences in of_all.items()}
    said["reasons"] = [one.text for one in explained]
    read = {name: [concepts.read(sentence) for sentence in of_one] for name, of_one in said.items()}
    of_people = [set(np.flatnonzero(of_one)) for of_one in concepts.mentioned(part.explanations)]
    asked = [
        of_one.union(*(of_speaker[row] for of_speaker in read.values()))
        for row, of_one in enumerate(of_people)
    ]
    found = speaker.scores.of_concepts(part, asked)
    carried = {
        name: _figure([_share(*pair) for pair in zip(found, of_one, strict=True)], seed)
        for name, of_one in read.items()
    }
    nouns = _nouns(concepts.nouns, found, of_people, read)
    return {"carried": carried, "nouns": nouns, "examples": len(part)}


def _share(scores: dict[int, float], said: Sequence[int]) -> float:
    """Returns the mean score of the phrases said as a share of the largest; NaN if there is none."""
    largest = max(scores.values(), default=0.0)
    if not largest:
        return math.nan
    return float(np.mean([scores[concept] for concept in said])) / largest if said else 0.0


def _figure(values: list[float], seed: int) -> dict[str, Any]:
    values = [value for value in values if not math.isnan(value)]
    if not values:
        return {"value": None, "interval": None}
    return {
        "value": float(np.mean(values)),
        "interval": [float(bound) for bound in bootstrap_interval(np.array(values), seed=seed)],
    }


def _nouns(
    noun_of: Sequence[str],
    found: list[dict[int, float]],
    of_people: list[set[int]],
    read: dict[str, list[tuple[int, ...]]],
) -> list[dict[str, Any]]:
    """Returns for each noun what rests on it and who names it, what carries most first."""
    scores: dict[str, list[float]] = {}
    for of_one, stated in zip(found, of_people, strict=True):
        strongest: dict[str, float] = {}
        for concept in stated:
            noun = noun_of[concept]
            strongest[noun] = max(strongest.get(noun, 0.0), of_one[concept])
        for noun, score in strongest.items():
            scores.setdefault(noun, []).append(score)
    nouns = [
        {
            "noun": noun,
            "score": float(np.mean(of_noun)),
            "examples": len(of_noun),
            **{
                name: float(np.mean([any(noun_of[one] == noun for one in said) for said in read[name]]))
                for name in ("greedy", "reasons", "one human")
            },
        }
        for noun, of_noun in scores.items()
        if len(of_noun) >= max(2, len(found) // 20)
    ]
    return sorted(nouns, key=lambda row: -row["score"])


def _verdict(result: dict[str, Any]) -> str:
    decision, carried = result["foretold"], result["carried"]
    shares = {name: figure["value"] for name, figure in carried.items()}
    named = "No phrase of the sentences could be scored."
    if shares["greedy"] is not None:
        named = (
            f"What the sentences name carries {shares['greedy']:.0%} of what the strongest phrase carries; "
            f"chosen by speakers.Reasons it is {shares['reasons']:.0%}, and in one sentence said of "
            f"everything {shares['constant']:.0%}."
        )
    if decision["value"] is None:
        few = "Whether the network decides by what people speak of cannot be told of so few classes."
        return f"{few} {named}"
    low, high = (round(bound, 2) + 0.0 for bound in decision["interval"])  # no -0 %
    told = (
        f"What they say foretells {decision['value'] + 0.0:.0%} ({low:.0%} to {high:.0%}) of its decisions "
        f"about classes that this was not learnt from ({decision['classes']} in turn)"
    )
    if result["flagged"] is None:
        return (
            "Whether the network decides by what people speak of cannot be told. "
            f"{told}; all of that range must be above 0 %. Too few classes, a network that learnt little, "
            f"and sentences that are few or too alike may be why, or a shortcut. {named}"
        )
    if result["flagged"]:
        return (
            f"WARNING: the network decides by something that people do not speak of. {told}; all of that "
            "range must be above 0 %. Look for a shortcut in the data: sentences cannot say such a reason. "
            f"{named}"
        )
    return f"The network decides by what people speak of. {told}, and all of that range is above 0 %. {named}"
