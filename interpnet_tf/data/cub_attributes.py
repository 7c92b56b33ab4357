"""The 312 attributes of CUB-200-2011: what share of a species' annotators saw each."""

from __future__ import annotations

import dataclasses
import os
import re
from pathlib import Path

import numpy as np

from interpnet_tf.data.cub import find_folder, read_list, read_text

_TABLE = Path("attributes", "class_attribute_labels_continuous.txt")


@dataclasses.dataclass(frozen=True)
class AttributeTable:
    """How often an attribute was seen in the pictures of a class.

    Args:
        names: one name an attribute, `<group>::<value>` such as `has_bill_color::red`.
        percent: `(classes, attributes)`, 0..100; classes in the order of the data set's `class_names`.

    Raises:
        ValueError: if the parts do not fit together.

    Example:

    >>> table = AttributeTable(["has_leg_color::red", "has_leg_color::pink"], np.array([[90.0, 20.0]]))
    >>> table.values("has_leg_color")
    {'red': 0, 'pink': 1}
    """

    names: list[str]
    percent: np.ndarray

    def __post_init__(self) -> None:
        object.__setattr__(self, "percent", np.asarray(self.percent, "float64"))
        if self.percent.ndim != 2 or self.percent.shape[1] != len(self.names):
            raise ValueError(
                f"percent must be (classes, {len(self.names)}), a column a name, got {self.percent.shape}"
            )
        for name in self.names:
            if not re.fullmatch(r"[^\s:]+::[^\s:]+", name):
                raise ValueError(f"names must look like 'has_bill_color::red', got {name!r}")
        if len(set(self.names)) != len(self.names):
            raise ValueError("names must differ from one another")
        if not ((self.percent >= 0) & (self.percent <= 100)).all():  # nan is neither
            row, column = np.argwhere(~((self.percent >= 0) & (self.percent <= 100)))[0]
            raise ValueError(
                f"percent must lie in 0..100, got {self.percent[row, column]} for class {row}, "
                f"attribute {self.names[column]!r}"
            )

    def values(self, group: str) -> dict[str, int]:
        """Returns the values of a group, such as `has_bill_color`, and their columns; empty if none."""
        prefix = f"{group}::"
        return {
            name.removeprefix(prefix): column
            for column, name in enumerate(self.names)
            if name.startswith(prefix)
        }


def load(root: str | os.PathLike) -> AttributeTable:
    """Loads the attributes of the 200 species.

    Args:
        root: as `cub.load` takes it. `attributes.txt` may lie beside `CUB_200_2011`, where the archive puts
            it, or inside that folder or its folder `attributes`.

    Returns:
        The table, classes in the order of `classes.txt`, and so of `cub.load(root, …).class_names`.

    Raises:
        FileNotFoundError: if a file or folder is missing.
        ValueError: if the contents of a file are wrong.

    Example:

    >>> table = load("data/cub")  # doctest: +SKIP
    >>> table.percent.shape  # doctest: +SKIP
    (200, 312)

    References:
        - [Wah et al., 2011: The Caltech-UCSD Birds-200-2011 Dataset](
          https://www.vision.caltech.edu/datasets/cub_200_2011/), section 3.3
    """
    folder = find_folder(Path(root))
    places = [folder.absolute().parent, folder, folder / "attributes"]
    names_path = next((p / "attributes.txt" for p in places if (p / "attributes.txt").is_file()), None)
    if names_path is None:
        raise FileNotFoundError(
            f"attributes.txt is neither in {folder.parent} nor in {folder} nor in {folder / 'attributes'}; "
            "unpack CUB_200_2011.tgz again"
        )
    names = list(read_list(names_path, r"\S+::\S+", "<attribute id> <group>::<value>").values())
    classes = len(read_list(folder / "classes.txt", r"\S.*", "<class id> <number>.<species>"))
    rows = [line.split() for line in read_text(folder / _TABLE).split("\n") if line.strip()]
    if len(rows) != classes:
        raise ValueError(f"{folder / _TABLE} must have a line for each of {classes} species, got {len(rows)}")
    for number, row in enumerate(rows, start=1):
        if len(row) != len(names):
            raise ValueError(
                f"{folder / _TABLE}:{number}: expected {len(names)} numbers, one a line of {names_path}, "
                f"got {len(row)}"
            )
    try:
        return AttributeTable(names, np.array(rows, "float64"))
    except ValueError as error:
        raise ValueError(f"{folder / _TABLE}: {error}") from None
