"""`make demo`: the paper's comparison in small, on the embedded data, and a network that says its reasons.

The networks share one set of convolutional layers, as the paper's share one feature vector x; what
differs is the dense layers behind it and what the decoder sees of them. The last one is trained on to say
what carried its decisions, and is exported for servers and phones.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from interpnet_tf.support import memory, quiet

if TYPE_CHECKING:
    from interpnet_tf.analysis import ReasonScores
    from interpnet_tf.data.dataset import ExplanationDataset
    from interpnet_tf.generation.explanation import Explanation
    from interpnet_tf.runs import RunConfig

ROWS = ("captioning", "interpnet-0", "interpnet-1", "interpnet-2")
REASONS, REASON_EPOCHS = "interpnet-2-reasons", 2
FACTS = ("attribute_precision", "distinguishing_rate", "varying_precision")
PHONE_CLIENT = Path(__file__).parents[2] / "export" / "phone" / "interpnet_lite.py"
COLUMNS = ("accuracy", "meteor", "bleu_4", "cider_d", *FACTS)


def main() -> None:
    """Trains five networks, prints their table, draws eight explained birds, and runs both exports."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("demo"), help="folder of runs and pictures")
    options = parser.parse_args()
    began = time.monotonic()
    print("demo: this takes six to fourteen minutes on two cores", file=sys.stderr)
    memory.keep_freed_memory()
    quiet.import_tensorflow()
    from interpnet_tf import metrics
    from interpnet_tf.data import sketchbirds

    splits = tuple(sketchbirds.load(split) for split in ("train", "validation", "test"))
    table = run(options.out, splits)
    print("\nsketchbirds, test pictures, scores x 100, 10 references")
    print(metrics.format_table(table, COLUMNS))
    print("\nwhat interpnet-2 says of three birds: as people do, and trained on to say the reason")
    print(*draw_birds(options.out, splits), sep="\n")
    print("\none bird, from the model, the SavedModel and the LiteRT file")
    print(*export_and_run(options.out), sep="\n")
    seconds = time.monotonic() - began
    print(f"\neight explained birds: {options.out / 'explanations.png'} ({seconds:.0f} s in all)")


def run(out: Path, splits: Sequence[ExplanationDataset]) -> dict[str, dict[str, float | None]]:
    """Trains or reads each row's network and evaluates it.

    Args:
        out: folder in which each row has its run folder.
        splits: the training, validation and test examples.

    Returns:
        The scores of each row by `COLUMNS`.
    """
    from interpnet_tf import runs
    from interpnet_tf.runs import evaluation
    from interpnet_tf.support.atomic import write_atomically
    from interpnet_tf.support.progress import EpochLines

    table: dict[str, dict[str, float | None]] = {}
    train, valid, test = splits
    # Three of the ten training sentences a picture: a third of the time for little of the quality.
    fewer = dataclasses.replace(train, explanations=[sentences[:3] for sentences in train.explanations])
    for row in (*sorted(ROWS, reverse=True), REASONS):
        folder = out / row
        if not (folder / "model.keras").exists():
            callbacks = {
                stage: [EpochLines(f"{row} {stage}")] for stage in ("classifier", "explainer", "reasons")
            }
            learnt = train if row == REASONS else fewer
            runs.train(config_of(row, out), folder, True, callbacks, (learnt, valid))
        _, model = runs.read(folder)
        result = evaluation.evaluate(model, test, fewer.explanations, (10,), row, row == "interpnet-2")
        write_atomically(folder / "metrics-test.json", json.dumps(result, indent=1) + "\n")
        for name, columns in result["rows"].items():
            table[name] = {**columns["10"], **result["facts"][name]}
        table[row]["accuracy"] = result["accuracy"]
    named = (*ROWS, REASONS)
    return {name: table[name] for name in (*named, *(name for name in table if name not in named))}


def config_of(row: str, out: Path) -> RunConfig:
    """Returns the config of a row's network.

    Args:
        row: one of `ROWS`, or `REASONS`.
        out: folder of the runs.
    """
    from interpnet_tf import runs

    best = out / "interpnet-2"
    if row == REASONS:
        config = config_of("interpnet-2", out)
        return dataclasses.replace(config, explainer=str(best), reason_epochs=REASON_EPOCHS)
    return runs.RunConfig(
        data="sketchbirds",
        variant=row,
        units=192,
        dropout=0.1,
        batch_size=64,
        learning_rate=4e-3,
        epochs=8,
        cool_down=3,
        classifier_epochs=14,
        minimum_count=1,
        backbone=None if out / row == best else str(best),
    )


def draw_birds(out: Path, splits: Sequence[ExplanationDataset]) -> list[str]:
    """Draws eight test birds, with the sentence that says the reason and what carried the decision.

    Args:
        out: folder of the runs, in which the picture is written.
        splits: the training, validation and test examples.

    Returns:
        What is said of three of the birds: greedily by the network that learned people's sentences, and by
        `Reasons` with the one that was trained on.
    """
    from interpnet_tf import runs
    from interpnet_tf.analysis.pictures import save_figure
    from interpnet_tf.speakers import Reasons

    train, _, test = splits
    birds = test.subset(range(0, len(test), len(test) // 8)[:8])
    people, reasons = (runs.read(out / row)[1] for row in ("interpnet-2", REASONS))
    speaker = Reasons(reasons, train)
    said = speaker.explain(birds.inputs, seed=0)
    why = carried(speaker.scores, birds.inputs, said)
    names = [birds.class_names[label] for label in birds.labels]
    save_figure(out / "explanations.png", birds.inputs, said, names, why)
    width = max(len(name) for name in birds.class_names)
    return [
        line
        for one, reason in zip(people.explain(birds.inputs[:3]), said, strict=False)
        for line in (f"{one.label:{width}}  people   {one.text}", f"{'':{width}}  reasons  {reason.text}")
    ]


def carried(scores: ReasonScores, x: Any, said: Sequence[Explanation]) -> list[str]:
    """Returns a line for each example: the two phrases of its ten best sentences that carried it most.

    Args:
        scores: of the network.
        x: the examples.
        said: of each its best sentence, with others as alternatives.
    """
    found = scores.phrases(x, [[one.text, *(other.text for other in one.alternatives[:9])] for one in said])
    strongest = [sorted(of_one, key=of_one.__getitem__, reverse=True)[:2] for of_one in found]
    return [f"carried by: {', '.join(of_one)}" for of_one in strongest]


def export_and_run(out: Path) -> list[str]:
    """Exports the network that says reasons for servers and for phones, and explains a picture with each.

    Args:
        out: folder of the runs, in which the exports are written.

    Returns:
        What the model, the SavedModel and the LiteRT file said.
    """
    import keras
    import tensorflow as tf

    from interpnet_tf import runs
    from interpnet_tf.data import sketchbirds

    _, model = runs.read(out / REASONS)
    valid, bird = sketchbirds.load("validation").subset(range(48)), sketchbirds.load("test").inputs[:1]
    picture, servable, phone_file = out / "bird.png", out / "export" / "birds" / "1", out / "birds.tflite"
    keras.utils.save_img(picture, bird[0], scale=False)
    model.export(servable, overwrite=True)
    model.export(phone_file, format="litert", quantize="float16", samples=valid, overwrite=True)

    def said(outputs: dict[str, Any]) -> str:
        label, text = (outputs[name].numpy()[0].decode() for name in ("label", "explanation"))
        return f"{label} ({100 * float(outputs['probability'][0]):.1f} %): {text}"

    served = tf.saved_model.load(servable).signatures["serving_bytes"]
    client = [sys.executable, str(PHONE_CLIENT), str(phone_file), str(picture)]
    on_the_phone = subprocess.run(client, check=True, capture_output=True, text=True).stdout
    return [
        f"{'model.explain':15} {model.explain(bird)[0]}",
        f"{'SavedModel':15} {said(served(image_bytes=tf.constant([picture.read_bytes()])))}",
        f"{'LiteRT, 16 bits':15} {on_the_phone.split(': ', 1)[1].strip()}",
    ]


if __name__ == "__main__":
    main()
