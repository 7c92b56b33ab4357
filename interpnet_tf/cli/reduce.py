"""The command `interpnet reduce`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from interpnet_tf.support import terminal

DESCRIPTION = """Join files of features of the same images, and project them on their principal components:
thousands of features in which images hardly differ become few, which a network learns from in less time and
less by heart. The basis is kept beside OUT, as OUT.basis.npz, for the features of other images (--basis)."""


def add_parser(commands: Any) -> None:
    """Adds the command to those of `interpnet`."""
    reduce = commands.add_parser(
        "reduce", help="join features and project them on principal components", description=DESCRIPTION
    )
    reduce.add_argument("files", nargs="+", metavar="FILE.npz", help="as `interpnet features` writes them")
    reduce.add_argument("--out", required=True, type=Path, metavar="FILE.npz")
    kind = reduce.add_mutually_exclusive_group(required=True)
    kind.add_argument("--components", type=int, metavar="N", help="find the basis of so many directions")
    kind.add_argument("--basis", type=Path, metavar="FILE.npz", help="project on a basis found before")
    reduce.add_argument(
        "--cub", metavar="DIR", help="find the basis on the training photographs of CUB in DIR only"
    )
    reduce.set_defaults(run_command=run)


def run(options: argparse.Namespace) -> None:
    """Joins, projects and writes."""
    import numpy as np

    from interpnet_tf.backbones.principal_components import PrincipalComponents
    from interpnet_tf.data.feature_files import read_features, read_ids
    from interpnet_tf.support.atomic import replacing

    if options.out.suffix != ".npz":
        raise ValueError(f"--out must end in .npz, got {str(options.out)!r}")
    ids = read_ids(Path(options.files[0]))
    # Half the width of float32, as the files themselves: together they may be many gigabytes.
    features = np.concatenate(
        [read_features(Path(file), ids, "the images").astype("float16") for file in options.files], axis=1
    )
    if options.basis is not None:
        components = PrincipalComponents.read(options.basis)
    else:
        rows = _training_rows(options.cub, ids) if options.cub else slice(None)
        components = PrincipalComponents.fit(features[rows], options.components, _say)
        components.save(options.out.with_suffix(".basis.npz"))
        # What is read later is what other images are projected with.
        components = PrincipalComponents.read(options.out.with_suffix(".basis.npz"))
    _say("projections")
    reduced = components(features).astype("float16")
    with replacing(options.out) as temporary:
        np.savez(temporary, features=reduced, ids=np.array(ids))
    terminal.show(f"{options.out}: {reduced.shape[1]} of {features.shape[1]} features of {len(ids)} images")


def _training_rows(root: str, ids: list[str]) -> list[int]:
    from interpnet_tf.data import cub

    paths, _ = cub.image_paths(root, "trainval")
    training = {"/".join(path.parts[-2:]) for path in paths}
    return [row for row, name in enumerate(ids) if name in training]


def _say(step: str) -> None:
    terminal.show(f"reduce: {step}", sys.stderr)
