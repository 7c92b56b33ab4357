"""Every link of the documents leads somewhere, as far as that can be seen without a network."""

import re
import urllib.parse

import pages
import pytest
from pages import PAGES, ROOT

# A path in these folders that the documents name is there.
FOLDERS = ("benchmarks", "docs", "export", "interpnet_tf", "notebooks", "results", "tests")
# Files that a reader makes.
MADE = re.compile("export/birds|export/phone/web/dist|.*(flags|last_word|tiny|unigram_recall)[.]py")


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page):
    for link in pages.links(page):
        target = urllib.parse.urlsplit(link)
        if target.scheme:
            assert target.scheme == "https", link
            assert "." in target.netloc, link
            continue
        path = ((ROOT / page).parent / target.path).resolve() if target.path else ROOT / page
        assert path.is_file(), link
        if target.fragment:
            assert target.fragment in pages.anchors(str(path.relative_to(ROOT))), link


@pytest.mark.parametrize("page", [page for page in PAGES if page != "CHANGELOG.md"])
def test_named_files_are_there(page):
    """A path that begins with a folder of the repository, such as `tests/docs`, is in it."""
    named = re.findall(rf"`((?:{'|'.join(FOLDERS)})/[^\s`]*)`", pages.prose(page))
    for path in named:
        assert (ROOT / path).exists() or MADE.match(path), path


def test_the_readme_is_short():
    lines = pages.read("README.md").splitlines()
    assert len(lines) <= 150
    screen = "\n".join(lines[:40])
    for what in ("InterpNET", "66.3 %", "docs/explanations.png", "pip install", "make demo", "make test"):
        assert what in screen
