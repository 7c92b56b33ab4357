"""`faithfulness`: every metric, for a model and for the controls beside it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from interpnet_tf.analysis.faithfulness_metrics import controls
from interpnet_tf.analysis.faithfulness_metrics.material import Material
from interpnet_tf.analysis.faithfulness_metrics.registry import METRICS, Metric
from interpnet_tf.data.dataset import ExplanationDataset
from interpnet_tf.metrics.bootstrap import bootstrap_interval
from interpnet_tf.model import InterpNet
from interpnet_tf.support.checks import check_whole


def faithfulness(
    model: InterpNet,
    dataset: ExplanationDataset,
    train: ExplanationDataset,
    said: Sequence[str] | None = None,
    captioning: InterpNet | None = None,
    shuffled: InterpNet | None = None,
    metrics: Iterable[str] | Mapping[str, Metric] | None = None,
    samples: int = 1000,
    seed: int = 0,
    batch_size: int = 64,
) -> dict[str, Any]:
    """Measures by how much sentences say what the network decided by, beside controls that cannot.

    A figure says little by itself: read it beside those of the controls. `"constant"` says one sentence of
    all, `"template"` one for each predicted class; they are judged by the metrics that need sentences only,
    since by the others, which ask how the decoder hears r(x), they have nothing. `"captioning"` is another
    network, whose r(x) is the input alone, and `"shuffled r"` a decoder that was trained on r(x) of the wrong
    examples, see `shuffled_r`.

    Args:
        model: a trained `InterpNet`.
        dataset: examples that it was not trained on; those without a sentence are left out.
        train: the examples that it was trained on.
        said: sentences to be judged in place of those that the model says greedily, such as a speaker's: one
            for each of `dataset.explained()`.
        captioning: a control that hears the input only; `None` has none.
        shuffled: what `shuffled_r` returned; `None` has no such control.
        metrics: names of `METRICS`, or a dict of a `Metric` by name; `None` are all of `METRICS`.
        samples: how many times the examples are drawn anew for an interval.
        seed: of the draws.
        batch_size: examples or sentences at a time.

    Returns:
        For each metric a dict of `"value"`, the mean over the examples for which it is defined; `"interval"`,
        in which 95 % of the means of examples drawn anew lie; `"examples"`, their number; `"right"` and
        `"wrong"`, the same three of right and wrong classifications; `"controls"`, the same of each control;
        `"details"`, where a metric has some, the same by name, such as of each layer; and `"better"`,
        `"unit"` and `"meaning"`. Plain numbers, for JSON; `None` where there is no example.

    Raises:
        ValueError: if an argument is out of its range, or there is no sentence to judge.

    Example:

    ```python
    result = analysis.faithfulness(model, test, train, metrics=["gain_own", "gain_people"])
    print(faithfulness_metrics.report(result))
    ```
    """
    check_whole("samples", samples, least=1)
    chosen = _chosen(metrics)
    system = Material(model, dataset, train, said, seed, batch_size=batch_size)
    return faithfulness_of(system, {"captioning": captioning, "shuffled r": shuffled}, chosen, samples)


def faithfulness_of(
    system: Material,
    networks: Mapping[str, InterpNet | None],
    metrics: Iterable[str] | Mapping[str, Metric] | None = None,
    samples: int = 1000,
) -> dict[str, Any]:
    """Returns what `faithfulness` does, of material that others read too.

    Args:
        system: the model, the examples, and what is said of them.
        networks: by name controls that are networks; those that are `None` are left out.
        metrics, samples: as of `faithfulness`.
    """
    chosen, seed = _chosen(metrics), system.seed
    speaking = {name: system.of(network) for name, network in networks.items() if network is not None}
    sentences = {}
    if any(metric.sentences_only for metric in chosen.values()):
        silent = {"constant": controls.constant(system), "template": controls.template(system)}
        sentences = {name: system.saying(of_one) for name, of_one in silent.items()}
    result: dict[str, Any] = {}
    for name, metric in chosen.items():
        beside = {**sentences, **speaking} if metric.sentences_only else speaking
        result[name] = {
            **_summary(metric.figures(system), system, samples, seed),
            "controls": {
                control: _summary(metric.figures(material), material, samples, seed)
                for control, material in beside.items()
            },
            "better": metric.better,
            "unit": metric.unit,
            "meaning": metric.meaning,
        }
        if metric.details is not None:
            details = metric.details(system)
            result[name]["details"] = {
                part: _mean(figures, samples, seed) for part, figures in details.items()
            }
    return result


def _chosen(metrics: Iterable[str] | Mapping[str, Metric] | None) -> dict[str, Metric]:
    if isinstance(metrics, Mapping):
        return dict(metrics)
    names = list(METRICS if metrics is None else [metrics] if isinstance(metrics, str) else metrics)
    unknown = [name for name in names if name not in METRICS]
    if unknown or not names:
        got = ", ".join(map(str, unknown)) or "none"
        raise ValueError(f"metrics must be some of {', '.join(METRICS)}; got {got}")
    return {name: METRICS[name] for name in names}


def _summary(figures: np.ndarray, material: Material, samples: int, seed: int) -> dict[str, Any]:
    return {
        **_mean(figures, samples, seed),
        "right": _mean(figures[material.right], samples, seed),
        "wrong": _mean(figures[~material.right], samples, seed),
    }


def _mean(figures: np.ndarray, samples: int, seed: int) -> dict[str, Any]:
    """Returns the mean of the figures that are defined, its interval, and their number."""
    figures = figures[~np.isnan(figures)]
    if not len(figures):
        return {"value": None, "interval": None, "examples": 0}
    interval = bootstrap_interval(figures, samples=samples, seed=seed)
    return {"value": float(figures.mean()), "interval": list(interval), "examples": len(figures)}
