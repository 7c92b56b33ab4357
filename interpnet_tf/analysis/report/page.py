"""The page of a report."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping, Sequence
from importlib import resources
from typing import Any

import jinja2
import numpy as np
from markupsafe import Markup

from interpnet_tf import __version__
from interpnet_tf.analysis.plot.curves import training_curves
from interpnet_tf.analysis.plot.reliance import layer_shares
from interpnet_tf.analysis.report.carried import Carried, estimated
from interpnet_tf.analysis.report.choosing import choose
from interpnet_tf.analysis.report.confusions import most_confused
from interpnet_tf.analysis.report.examples import Pictures, attributions, describe, picture_of
from interpnet_tf.analysis.report.images import as_svg, thumbnail
from interpnet_tf.analysis.report.score_tables import percent, score_tables
from interpnet_tf.attribution import ReasonScores
from interpnet_tf.data.dataset import ExplanationDataset
from interpnet_tf.generation.explanation import Explanation
from interpnet_tf.model import InterpNet
from interpnet_tf.speakers import Reasons
from interpnet_tf.support.atomic import write_atomically
from interpnet_tf.support.checks import check_whole
from interpnet_tf.support.marked_words import color_of, legend_html, table_html

_SAMPLE = 48  # examples over which the layers' shares are taken
_PAIRS = 6


@dataclasses.dataclass(frozen=True)
class AuditRow:
    """One figure of an audit: its name, value and interval as they are to be read, and what it means."""

    name: str
    value: str
    interval: str
    meaning: str


@dataclasses.dataclass(frozen=True)
class Audit:
    """What an audit found: its figures and a verdict in a sentence."""

    rows: Sequence[AuditRow]
    verdict: str


def write_report(
    path: str | os.PathLike,
    model: InterpNet,
    dataset: ExplanationDataset,
    title: str,
    *,
    explanations: Sequence[Explanation] | None = None,
    scores: Mapping[str, Any] | None = None,
    histories: Mapping[str, Mapping[str, Sequence[float]]] | None = None,
    pictures: Pictures | None = None,
    carried: Carried | ReasonScores | None = None,
    speaker: Reasons | None = None,
    audit: Audit | None = None,
    examples: int = 12,
    worst: str | None = None,
    **decoding: Any,
) -> None:
    """Writes one HTML page about a trained network, which needs no network access and no scripts.

    It shows how good the network is, examples with their sentences coloured by the layer that each word rests
    on, what the decision rests on, which classes are confused, and the sentences that tell them apart.

    Args:
        path: of the page, which appears complete or not at all.
        model: the trained `InterpNet`.
        dataset: examples that it was not trained on.
        title: of the page.
        explanations: what is said of each example; `None` is what `model.explain` says.
        scores: as `evaluation.evaluate` returns them.
        histories: of the stages of the training, see `plot.training_curves`.
        pictures: a function that returns the picture of the example of a number, as an array or an image of
            PIL, or `None` where there is none; by default the inputs, where they are pictures.
        carried: what carried the decisions, where that is known; `ReasonScores` estimate it of the examples
            that are shown.
        speaker: says the sentences of the examples that are shown; all else on the page is of `explanations`.
        audit: what an audit of the network found.
        examples: how many to show.
        worst: begin with the worst: `"class"`, the surest wrong classifications; `"facts"`, most that is said
            and not true; `"words"`, the least probable words. `None` spreads the examples evenly.
        **decoding: how the words are chosen, as in `InterpNet.explain` and the `explain` of the speaker.

    Raises:
        ValueError: if there is no example, or a part does not have an entry for each, or `worst` cannot be
            told.

    Example:

    ```python
    write_report("birds.html", model, test, "Birds", examples=8)
    ```
    """
    check_whole("examples", examples, least=1)
    if not len(dataset):
        raise ValueError("dataset must hold an example at least, got none")
    if explanations is None:
        explanations = model.explain(dataset, **decoding)
    for name, part in (("explanations", explanations), ("carried", getattr(carried, "values", None))):
        if part is not None and len(part) != len(dataset):
            raise ValueError(
                f"{name} must have an entry for each of the {len(dataset)} examples, got {len(part)}"
            )
    if pictures is None and getattr(dataset.inputs, "ndim", 0) == 4 and dataset.inputs.shape[-1] in (1, 3):
        pictures = dataset.inputs.__getitem__
    shown = choose(explanations, dataset, examples, worst)
    sample = np.unique(np.linspace(0, len(dataset) - 1, min(_SAMPLE, len(dataset))).round().astype(int))
    rows, chosen = np.concatenate([shown, sample]), dataset.subset(shown)
    said = [explanations[row] for row in shown]
    if speaker is not None:
        said = speaker.explain(chosen.inputs, **decoding)
    if isinstance(carried, ReasonScores):
        carried = estimated(carried, chosen.inputs, said, chosen.explanations)
    elif carried is not None:
        carried = carried.subset(shown)
    of_rows = [*said, *(explanations[row] for row in sample)]
    words, decisions = attributions(model, dataset.subset(rows).inputs, of_rows)
    described = describe(
        model,
        chosen,
        said,
        [picture_of(pictures, row) for row in shown],
        carried,
        words[: len(shown)],
        decisions[: len(shown)],
    )
    pairs = most_confused(model, dataset, explanations, _PAIRS)
    write_atomically(
        path,
        _template().render(
            title=title,
            figures=_key_figures(dataset, explanations),
            examples=described,
            worst=worst,
            carried=carried,
            speaker=speaker,
            source=dataset.source,
            layers=model.introspector.layer_paths,
            shares={
                "the words": layer_shares(words[len(shown) :]),
                "the decision": layer_shares(decisions[len(shown) :]),
            },
            sampled=len(sample),
            pairs=pairs,
            pair_pictures=[[_thumbnail_of(pictures, side.shown) for side in pair.sides] for pair in pairs],
            scores=scores,
            score_tables=score_tables(scores) if scores else [],
            curves=_curves(histories or {}),
            audit=audit,
            version=__version__,
        ),
    )


def _thumbnail_of(pictures: Pictures | None, index: int) -> str | None:
    picture = picture_of(pictures, index)
    return None if picture is None else thumbnail(picture)


def _key_figures(dataset: ExplanationDataset, explanations: Sequence[Explanation]) -> list[tuple[str, str]]:
    """Returns figures for the top of the page, each with what it counts."""
    right = np.mean(
        [of_one.class_id == label for of_one, label in zip(explanations, dataset.labels, strict=True)]
    )
    texts = [explanation.text for explanation in explanations]
    figures = [
        (f"{len(dataset):,}", f"examples of {len(np.unique(dataset.labels))} classes"),
        (f"{100 * right:.1f} %", "classified right"),
    ]
    if dataset.facts is not None:
        from interpnet_tf.metrics.facts import attribute_precision

        precision = 100 * attribute_precision(texts, dataset.facts)
        figures.append((f"{precision:.1f} %", "of what the sentences state is true"))
    length = np.mean([len(explanation.words) for explanation in explanations])
    return [
        *figures,
        (f"{len(set(texts)):,}", "different sentences"),
        (f"{length:.1f}", "words a sentence"),
    ]


def _curves(histories: Mapping[str, Mapping[str, Sequence[float]]]) -> list[Markup]:
    """Returns a figure for each stage and quantity, so that they find their places on a small screen."""
    found = []
    for stage, history in histories.items():
        for quantity in ("loss", "accuracy"):
            part = {name: history[name] for name in (quantity, f"val_{quantity}") if name in history}
            if quantity in part:
                last = {name: of_one[-1] for name, of_one in part.items()}
                described = ", ".join(f"{name} {value:.3g}" for name, value in last.items())
                text = f"{stage}: {quantity} by epoch; at the end {described}"
                figure = training_curves({stage: part})
                found.append(Markup(as_svg(figure, f"curve-{len(found)}", text)))
    return found


def _template() -> jinja2.Template:
    files = resources.files(__package__)
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True)
    environment.filters |= {"percent": percent, "times": _times}
    environment.globals |= {
        "style": Markup(files.joinpath("page.css").read_text("utf-8")),
        "color_of": color_of,
        "legend": lambda names: Markup(legend_html(names)),
        "sentence": lambda attribution: Markup(attribution.sentence_html()),
        "numbers": lambda attribution: Markup(
            table_html(
                attribution.words,
                attribution.layers,
                [[f"{score:+.2f}" for score in of_word] for of_word in attribution.scores],
            )
        ),
    }
    return environment.from_string(files.joinpath("page.html").read_text("utf-8"))


def _times(value: float) -> str:
    return "more than 1,000" if value > 1000 else f"{value:.0f}" if value >= 10 else f"{value:.1f}"
