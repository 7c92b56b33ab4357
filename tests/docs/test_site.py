"""The site of `make docs`."""

import os
import re
import subprocess
import sys

import pages
import pytest
from pages import PAGES, ROOT


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    build = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)]
    environment = os.environ | {"NO_MKDOCS_2_WARNING": "1"}
    result = subprocess.run(build, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    assert "WARNING" not in result.stdout + result.stderr
    return folder


def test_every_page_is_on_the_site(site):
    for page in PAGES:
        path = re.sub(r"(^|/)README\.md$", r"\1index.html", page).replace(".md", ".html")
        html = (site / path).read_text("utf-8")
        assert re.sub(r"[#`]", "", pages.read(page).split("\n")[0]).strip() in html


def test_the_reference_has_the_verbs_of_a_model(site):
    html = (site / "docs/reference/model.html").read_text("utf-8")
    for verb in ("fit", "evaluate", "explain", "predict", "score_sentences", "attention", "introspect"):
        assert f'id="interpnet_tf.InterpNet.{verb}"' in html, verb


def test_the_site_asks_no_other_server(site):
    for path in site.glob("**/*.html"):
        html = path.read_text("utf-8")
        assert not re.findall(r"<(?:script|img|link)[^>]*(?:src|href)=\"(?:https?:)?//[^\"]*", html)
