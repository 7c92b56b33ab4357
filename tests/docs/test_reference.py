"""The reference has an entry for every public function and class."""

import importlib
import inspect
import pkgutil
import re

import pages
import pytest

ENTRIES = [
    entry
    for page in pages.PAGES
    if page.startswith("docs/reference/")
    for entry in re.findall(r"^::: (\S+)$", pages.read(page), flags=re.MULTILINE)
]
PACKAGES = (
    "interpnet_tf",
    "interpnet_tf.classifiers",
    "interpnet_tf.data",
    "interpnet_tf.data.sketchbirds",
    "interpnet_tf.decoders",
    "interpnet_tf.experiments.gve",
    "interpnet_tf.metrics",
    "interpnet_tf.speakers",
)


@pytest.mark.parametrize("package", PACKAGES)
def test_every_public_name_has_an_entry(package):
    entries = {id(pkgutil.resolve_name(entry)) for entry in ENTRIES}
    for name in importlib.import_module(package).__all__:
        public = pkgutil.resolve_name(f"{package}.{name}")
        if inspect.isclass(public) or inspect.isfunction(public):
            assert id(public) in entries, name


@pytest.mark.parametrize("entry", ENTRIES)
def test_entries_say_what_they_are(entry):
    assert inspect.getdoc(pkgutil.resolve_name(entry))


def test_entries_are_there_once():
    assert len(ENTRIES) == len(set(ENTRIES)) > 40
