"""The reference has an entry for every public function and class."""

import importlib
import inspect
import re

import pages
import pytest

import interpnet_tf

ENTRIES = [
    entry
    for page in pages.PAGES
    if page.startswith("docs/reference/")
    for entry in re.findall(r"^::: (\S+)$", pages.read(page), flags=re.MULTILINE)
]
PACKAGES = (
    "interpnet_tf",
    "interpnet_tf.analysis",
    "interpnet_tf.analysis.plot",
    "interpnet_tf.analysis.faithfulness_metrics",
    "interpnet_tf.analysis.report",
    "interpnet_tf.classifiers",
    "interpnet_tf.data",
    "interpnet_tf.data.sketchbirds",
    "interpnet_tf.data.verbalizer",
    "interpnet_tf.decoders",
    "interpnet_tf.experiments.gve",
    "interpnet_tf.experiments.reasons",
    "interpnet_tf.metrics",
    "interpnet_tf.speakers",
)


def named(path):
    """Returns what a user gets by this path: an attribute where there is one, else a module."""
    found = interpnet_tf
    for name in path.split(".")[1:]:
        if hasattr(found, name):
            found = getattr(found, name)
        else:
            found = importlib.import_module(f"{found.__name__}.{name}")
    return found


@pytest.mark.parametrize("package", PACKAGES)
def test_every_public_name_has_an_entry(package):
    entries = {id(named(entry)) for entry in ENTRIES}
    for name in importlib.import_module(package).__all__:
        public = named(f"{package}.{name}")
        if inspect.isclass(public) or inspect.isfunction(public):
            advice = f"{name}: add the line `::: {package}.{name}` to a page in docs/reference"
            assert id(public) in entries, advice


@pytest.mark.parametrize("entry", ENTRIES)
def test_entries_say_what_they_are(entry):
    assert named(entry).__doc__, f"{entry} has no docstring of its own"


@pytest.mark.parametrize("page", pages.PAGES)
def test_names_within_a_line_exist(page):
    """A name such as `metrics.score` in the text is one that users can reach."""
    first = "itf|interpnet_tf|data|decoders|experiments|metrics|speakers|testing|training"
    for name in re.findall(rf"`((?:{first})(?:\.\w+)+)", pages.prose(page)):
        named(f"interpnet_tf.{name.removeprefix('itf.').removeprefix('interpnet_tf.')}")


def test_entries_are_there_once():
    assert len(ENTRIES) == len(set(ENTRIES)) > 40
