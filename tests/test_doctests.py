"""The examples in the docstrings do what they say."""

import doctest
import importlib
import pkgutil

import pytest

import interpnet_tf

MODULES = sorted(
    module.name for module in pkgutil.walk_packages(interpnet_tf.__path__, prefix="interpnet_tf.")
)


@pytest.mark.parametrize("name", MODULES)
def test_examples(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # an example may write files
    results = doctest.testmod(
        importlib.import_module(name), optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    )
    assert results.failed == 0


def test_modules_are_found():
    assert {"interpnet_tf.model", "interpnet_tf.decoders.lrcn"} <= set(MODULES)
