"""Trains and judges the rows that are not finished yet, one after the other."""

from __future__ import annotations

import gc
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import keras
import numpy as np

from interpnet_tf.experiments.table1 import significance
from interpnet_tf.experiments.table1.material import Material
from interpnet_tf.experiments.table1.results import YARDSTICK, Result, Results, plain
from interpnet_tf.experiments.table1.rows import Row
from interpnet_tf.experiments.table1.sentences import say
from interpnet_tf.experiments.table1.settings import SETTINGS
from interpnet_tf.experiments.table1.training import Trainer


def run(trainer: Trainer, rows: Sequence[Row], seeds: int, results: Results) -> None:
    """Finishes the rows, and the yardsticks beside them.

    Every seed finishes all rows before the next begins. A row that has a result is not repeated.

    Args:
        trainer: trains the models.
        rows: what to finish.
        seeds: how many, from 0.
        results: where results are read and written.

    Raises:
        ValueError: if a finished row has another configuration than is asked for; before any training.
    """
    material = trainer.material
    todo = []
    for seed in range(seeds):
        for row in rows:
            found = results.read(row.name, seed)
            if found is None:
                todo.append((row, seed))
            else:
                results.check(found, trainer.configuration(row, seed))
    check_material(results, material)
    finished = len(rows) * seeds - len(todo)
    _say(f"{finished} of {len(rows) * seeds} runs are finished; to go: {_expected(trainer, todo, results)}")
    _finish_yardsticks(material, results)
    for number, (row, seed) in enumerate(todo, start=1):
        result = _finish(trainer, row, seed)
        results.write(result)
        _say(
            f"{row.name} seed {seed}: finished in {sum(result.seconds.values()):.0f} s; "
            f"to go: {_expected(trainer, todo[number:], results)}"
        )
        # The graphs of one row would stay in memory while the next ones train.
        keras.utils.clear_session()
        gc.collect()


def check_material(results: Results, material: Material) -> None:
    """Raises a `ValueError` if any result in the folder was made with other data."""
    for result in results.all():
        expected = {**result.configuration, "material": material.description}
        results.check(result, expected)


def _finish(trainer: Trainer, row: Row, seed: int) -> Result:
    said, judge = say(trainer, row, seed), trainer.material.judge
    began = time.monotonic()
    numbers = {name: number for number, name in enumerate(judge.test.class_names)}
    hypotheses = [example["sentence"] for example in said.examples]
    predictions = np.array([numbers[example["predicted"]] for example in said.examples])
    columns = {"accuracy_all": said.accuracy, **judge.columns(hypotheses, predictions)}
    per_example = _kept(judge.per_example(hypotheses, predictions))
    seconds = {"train": said.seconds, "judge": round(time.monotonic() - began, 1)}
    return Result(row.name, seed, said.configuration, plain(columns), per_example, seconds, said.resumed)


def _finish_yardsticks(material: Material, results: Results) -> None:
    """Judges the sentences that no model said, unless it is done."""
    configuration = {"material": material.description}
    for name, (hypotheses, references) in material.judge.yardstick_sentences().items():
        row = f"{YARDSTICK}{name}"
        if results.read(row, 0) is not None:
            continue
        began = time.monotonic()
        columns = plain(material.judge.columns(hypotheses, None, references))
        per_example = _kept(material.judge.per_example(hypotheses, None, references))
        seconds = {"judge": round(time.monotonic() - began, 1)}
        results.write(Result(row, 0, configuration, columns, per_example, seconds))


def _kept(per_example: dict[str, np.ndarray]) -> dict[str, list[float | None]]:
    """Returns the scores that tests of significance need, short enough for a file that is kept."""
    return {
        name: [None if value is None else round(value, 3) for value in plain(per_example[name])]
        for name in significance.METRICS
        if name in per_example
    }


def _expected(trainer: Trainer, todo: Sequence[tuple[Row, int]], results: Results) -> str:
    """Returns how long rows will take, from how long they have taken, or from experience."""
    if not todo:
        return "nothing"
    known = {result.row: sum(result.seconds.values()) for result in results.all() if not result.resumed}
    usual = SETTINGS[trainer.material.name].seconds
    seconds, classifiers = 0.0, set()
    for row, seed in todo:
        config = trainer.config(row, seed)
        kind = "judge" if row.base else config.decoder
        seconds += known.get(row.name, usual[kind])
        if not Path(config.classifier).exists():
            classifiers.add(config.classifier)
    seconds += usual["classifier"] * len(classifiers)
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{len(todo)} runs, about {f'{hours} h ' if hours else ''}{minutes} min on two cores"


def _say(line: str) -> None:
    print(f"table1: {line}", file=sys.stderr, flush=True)
