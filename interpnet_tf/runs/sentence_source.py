"""Where the sentences of a run come from, where people did not write them."""

from __future__ import annotations

import json
import os
from pathlib import Path

from interpnet_tf.data.dataset import ExplanationDataset
from interpnet_tf.support.atomic import write_atomically
from interpnet_tf.support.json_files import read_record

_FILE, _VERBALIZER = "sentences.json", "verbalizer.json"


def keep_source(run: str | os.PathLike, data: str, dataset: ExplanationDataset) -> None:
    """Notes in a run folder where the sentences come from, and keeps the verbalizer that made them.

    Args:
        run: the folder.
        data: of the run; `interpnet verbalize` leaves the verbalizer beside such a file.
        dataset: the training data.
    """
    if dataset.source is None:
        return
    write_atomically(Path(run) / _FILE, json.dumps({"source": dataset.source}) + "\n")
    verbalizer = Path(data).with_suffix(f".{_VERBALIZER}")
    if verbalizer.is_file():
        write_atomically(Path(run) / _VERBALIZER, verbalizer.read_bytes())


def read_source(run: str | os.PathLike) -> str | None:
    """Returns where the sentences of a run come from, such as `"verbalized"`; `None` if from people."""
    path = Path(run) / _FILE
    if not path.exists():
        return None
    return read_record(path, "the source of a run's sentences", "train again, into another folder").get(
        "source"
    )
