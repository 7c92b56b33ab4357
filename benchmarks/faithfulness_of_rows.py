"""How faithful the sentences of several networks and speakers are: the metrics of docs/faithfulness.md.

    python benchmarks/faithfulness_of_rows.py runs/captioning runs/interpnet-2 runs/interpnet-2:reasons \\
        --root cub --out results/faithfulness/cub
    python benchmarks/faithfulness_of_rows.py --out results/faithfulness/cub    # the table of what is there

A row is a folder with a model.keras, or a .keras file; behind a colon stands who speaks of its decisions:
consistent, recognizable or reasons with its decoder (see docs/speakers.md and docs/reasons.md), constant,
template or people without one. Those metrics that judge the decoder, and not the sentences, are measured of
rows without a speaker alone. One reader judges all rows.

Each row has a JSON file in --out: a figure, its 95 % interval and the number of examples by metric, for all
examples and for right and wrong classifications apart, and the sentences of a speaker. What is in the file is
not measured again. The cheap metrics of all rows come before the dear ones, so that it can be stopped.
"""

from __future__ import annotations

import argparse
import functools
import json
import os
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np

import interpnet_tf as itf
from interpnet_tf.analysis.faithfulness_metrics import METRICS, Material, controls
from interpnet_tf.experiments.table1 import material as table_material
from interpnet_tf.metrics.bootstrap import bootstrap_interval
from interpnet_tf.speakers import Reasons, presets
from interpnet_tf.support.atomic import write_atomically

ERASURE = ("comprehensiveness", "sufficiency")
# The others let the decoder speak anew, or judge what people said: a speaker changes nothing in them.
OF_SENTENCES = ("gain_own", "gain_own_same_class", "interchange_words", *ERASURE)
SPEAKERS = {
    "consistent": lambda of: presets.consistent(of.model, of.train, of.dataset),
    "recognizable": lambda of: presets.recognizable(of.model, of.train, of.dataset),
    "reasons": lambda of: Reasons(of.model, of.train).explain(of.dataset, seed=0),
    "constant": controls.constant,
    "template": controls.template,
    "people": lambda of: of.people,
}
SILENT = ("constant", "template", "people")


def metrics_of(speaker: str) -> list[str]:
    """Returns the names of the metrics that judge what a speaker says, or, of `""`, a network."""
    judged = [] if speaker in SILENT else OF_SENTENCES
    return [name for name, one in METRICS.items() if not speaker or name in judged or one.sentences_only]


def mean(figures: np.ndarray) -> dict[str, Any]:
    """Returns the mean of the figures that are defined, its interval, and their number."""
    figures = figures[~np.isnan(figures)]
    if not len(figures):
        return {"value": None, "interval": None, "examples": 0}
    interval = bootstrap_interval(figures, samples=1000, seed=0)
    return {"value": float(figures.mean()), "interval": list(interval), "examples": len(figures)}


class Rows:
    """Measures rows, and keeps what it found in files.

    Args:
        out: their folder.
        data, root: name and folder of the data set.
    """

    def __init__(self, out: Path, data: str, root: str | None) -> None:
        self.out = out
        self._loaded = functools.cache(lambda: table_material.load(data, root))
        self._networks: dict[Path, Material] = {}

    def measure(self, row: str, names: list[str]) -> None:
        """Measures of a row what its file lacks of some metrics."""
        run, _, speaker = row.partition(":")
        run = Path(run)
        path = self.out / f"{f'{run.stem}-{speaker}' if speaker else run.stem}.json"
        found = json.loads(path.read_text()) if path.exists() else {"metrics": {}}
        for name in names:
            if name not in found["metrics"] and name in metrics_of(speaker):
                began = time.monotonic()
                figures = METRICS[name].figures(self._material(run, speaker, found))
                right = self._networks[run].right
                found["metrics"][name] = {
                    **mean(figures),
                    "right": mean(figures[right]),
                    "wrong": mean(figures[~right]),
                }
                self.out.mkdir(parents=True, exist_ok=True)
                write_atomically(path, json.dumps(found, indent=1, ensure_ascii=False) + "\n")
                print(f"{path.stem} {name}: {time.monotonic() - began:.0f} s", flush=True)

    def _material(self, run: Path, speaker: str, found: dict[str, Any]) -> Material:
        network = self._network(run)
        if not speaker:
            return network
        if "said" not in found:
            said = SPEAKERS[speaker](network)
            found["said"] = [one if isinstance(one, str) else one.text for one in said]
        return network.saying(found["said"])

    def _network(self, run: Path) -> Material:
        if run not in self._networks:
            model = itf.load(run if run.suffix else run / "model.keras", compile=False)
            data, first = self._loaded(), next(iter(self._networks.values()), None)
            self._networks[run] = first.of(model) if first else Material(model, data.judged, data.train)
        return self._networks[run]


def table(out: Path) -> str:
    """Returns the figures of all files in a folder as tables: of all examples, of right and of wrong ones."""
    files = sorted(out.glob("*.json"), key=lambda path: path.stem)
    rows = {path.stem: json.loads(path.read_text())["metrics"] for path in files}
    lines = []
    for title, text in (("all, ± half of the interval", of_all), ("right / wrong", of_both)):
        lines += [
            f"| {title} | {' | '.join(f'`{name}`' for name in METRICS)} |",
            "|---" * (len(METRICS) + 1) + "|",
        ]
        for row, found in rows.items():
            cells = [text(found[name]) if name in found else "" for name in METRICS]
            lines.append(f"| {row} | {' | '.join(cells)} |")
        lines.append("")
    return "\n".join(lines)


def of_all(figure: dict[str, Any]) -> str:
    if figure["value"] is None:
        return number(None)
    low, high = figure["interval"]
    return f"{number(figure['value'])} ± {number((high - low) / 2)}"


def of_both(figure: dict[str, Any]) -> str:
    return f"{number(figure['right']['value'])} / {number(figure['wrong']['value'])}"


def number(value: float | None) -> str:
    """Returns a figure as the documents write it, with a minus sign."""
    return (
        "n/a" if value is None else f"{value:.3f}".replace("-0.000", "0.000").replace("-", "\N{MINUS SIGN}")
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("rows", nargs="*", help="RUN or RUN:SPEAKER; none prints the table of what is there")
    parser.add_argument("--data", default="cub", help="(default: cub)")
    parser.add_argument("--root", help="folder of the data set, where it has one")
    parser.add_argument("--out", type=Path, required=True, help="folder of the JSON files")
    options = parser.parse_args()
    rows = Rows(options.out, options.data, options.root)
    dear = [name for name, metric in METRICS.items() if name in ERASURE or metric.sentences_only]
    cheap = [name for name in METRICS if name not in dear]
    for names in (cheap, [name for name in dear if name not in ERASURE], list(ERASURE)):
        for row in options.rows:
            rows.measure(row, names)
    print(table(options.out))


if __name__ == "__main__":
    main()
