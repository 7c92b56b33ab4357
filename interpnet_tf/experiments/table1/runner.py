"""Trains and judges the rows that are not finished yet, one after the other."""

from __future__ import annotations

import gc
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING, Any

import keras
import numpy as np

from interpnet_tf.experiments.table1 import significance
from interpnet_tf.experiments.table1.material import Material
from interpnet_tf.experiments.table1.results import YARDSTICK, Result, Results, plain
from interpnet_tf.experiments.table1.rows import ROWS, Row
from interpnet_tf.experiments.table1.sentences import say
from interpnet_tf.experiments.table1.settings import SETTINGS
from interpnet_tf.experiments.table1.training import Trainer
from interpnet_tf.metrics.meteor import meteor_unavailable
from interpnet_tf.support import terminal

if TYPE_CHECKING:
    from interpnet_tf.metrics.judge import Judge

YARDSTICKS = ("constant", "nearest_neighbour", "random_sentence_of_class", "human")


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
    if not todo and all(results.read(f"{YARDSTICK}{name}", 0) for name in YARDSTICKS):
        return
    if reason := meteor_unavailable():
        _say(f"METEOR is left out: {reason}")
    judge = material.judge(trainer.classifiers.features(trainer.config(rows[0], seed=0)))
    _finish_yardsticks(judge, {"material": material.description}, results)
    for number, (row, seed) in enumerate(todo, start=1):
        result = _finish(trainer, judge, row, seed)
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


def _finish(trainer: Trainer, judge: Judge, row: Row, seed: int) -> Result:
    said = say(trainer, row, seed)
    began = time.monotonic()
    numbers = {name: number for number, name in enumerate(judge.test.class_names)}
    hypotheses = [example["sentence"] for example in said.examples]
    predictions = np.array([numbers[example["predicted"]] for example in said.examples])
    columns = {**said.columns, **judge.columns(hypotheses, predictions)}
    per_example = _kept(judge.per_example(hypotheses, predictions))
    seconds = {"train": said.seconds, "judge": round(time.monotonic() - began, 1)}
    return Result(row.name, seed, said.configuration, plain(columns), per_example, seconds, said.resumed)


def _finish_yardsticks(judge: Judge, configuration: dict[str, Any], results: Results) -> None:
    """Judges the sentences that no model said, unless it is done."""
    for name, (hypotheses, references) in judge.yardstick_sentences().items():
        row = f"{YARDSTICK}{name}"
        if results.read(row, 0) is not None:
            continue
        began = time.monotonic()
        columns = plain(judge.columns(hypotheses, None, references))
        per_example = _kept(judge.per_example(hypotheses, None, references))
        seconds = {"judge": round(time.monotonic() - began, 1)}
        results.write(Result(row, 0, configuration, columns, per_example, seconds))


def _kept(per_example: dict[str, np.ndarray]) -> dict[str, list[float | None]]:
    """Returns the scores that tests of significance need, short enough for a file that is kept."""
    return {
        name: [_short(value) for value in plain(per_example[name])]
        for name in significance.METRICS
        if name in per_example
    }


def _short(value: float | None) -> float | None:
    return value if value is None else int(value) if value == int(value) else round(value, 3)


def _expected(trainer: Trainer, todo: Sequence[tuple[Row, int]], results: Results) -> str:
    """Returns how long rows will take, from how long rows have taken here, or else from experience."""
    if not todo:
        return "nothing"
    usual = SETTINGS[trainer.material.name].seconds
    whole = [result for result in results.all() if not result.resumed]
    known = {result.row: result.seconds["train"] for result in whole if result.seconds.get("train")}
    judging = [result.seconds["judge"] for result in whole]
    unjudged = [name for name in YARDSTICKS if results.read(f"{YARDSTICK}{name}", 0) is None]
    seconds = (len(todo) + len(unjudged)) * (fmean(judging) if judging else usual["judge"])
    classifiers, trained = set(), set()
    for row, seed in todo:
        classifiers.add(trainer.config(row, seed).classifier)
        trained |= {(needed.name, seed) for needed in trainer.unfinished(row, seed)}
    for name, _ in trained:
        kind = "built" if ROWS[name].build else ROWS[name].changes.get("decoder", "lrcn")
        seconds += known.get(name, usual[kind])
    seconds += usual["classifier"] * sum(not Path(file).exists() for file in classifiers)
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{len(todo)} runs, about {f'{hours} h ' if hours else ''}{minutes} min on two cores"


def _say(line: str) -> None:
    terminal.show(f"table1: {line}", sys.stderr)
