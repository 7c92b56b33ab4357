"""The page at `/`, in a browser without a window."""

import json

import numpy as np
import pytest
from headless_chromium import PROGRAM, Browser
from PIL import Image
from serving_models import running, write_toy

pytestmark = pytest.mark.skipif(PROGRAM is None, reason="needs Chromium")


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    with Browser(tmp_path_factory.mktemp("profile")) as browser:
        yield browser


def text(browser, name):
    return browser.value(f"document.getElementById('{name}').textContent")


def test_a_dropped_picture_is_explained(browser, tmp_path):
    browser.requested.clear()
    (tmp_path / "models").mkdir()
    write_toy(tmp_path / "models", 3)
    Image.fromarray(np.full((20, 30, 3), 255, "uint8")).save(tmp_path / "white.png")
    Image.fromarray(np.zeros((20, 30, 3), "uint8")).save(tmp_path / "black.jpg")
    (tmp_path / "notes.txt").write_text("no picture")
    with running(tmp_path / "models", model_name="birds & <i>") as endpoints:
        browser.call("Page.navigate", url=f"{endpoints.rest}/")
        browser.wait_for("document.getElementById('invitation')?.textContent.startsWith('Drop a picture')")
        assert browser.value("document.querySelector('h1').textContent") == "birds & <i>"
        assert text(browser, "version") == "Version 3."
        for name, label in (("white.png", "white"), ("black.jpg", "black")):
            browser.drop(tmp_path / name, "#drop")
            browser.wait_for(f"document.getElementById('label').textContent == '{label}'")
            browser.wait_for("!document.getElementById('answer').hidden")
            assert text(browser, "probability") == "87.5 %"
            # what a model says is text, never markup
            assert text(browser, "explanation") == "this is a <b>bright</b> picture."
            rows = "[...document.querySelectorAll('#words tr')]"
            cells = f"{rows}.map(row => [...row.cells].slice(0, 2).map(cell => cell.textContent))"
            assert browser.value(cells) == [["this", "100.0 %"], ["is", "50.0 %"]]
            assert browser.value("document.getElementById('picture').naturalWidth") == 30
        browser.drop(tmp_path / "notes.txt", "#drop")
        assert "JPEG or PNG" in browser.wait_for("document.getElementById('error').textContent")
        assert browser.value("document.getElementById('answer').hidden")
        foreign = [
            url for url in browser.requested if not url.startswith((endpoints.rest, "about:", "blob:"))
        ]
        assert not foreign  # nothing leaves the machine


def test_a_model_of_numbers_takes_a_json_file(browser, tmp_path):
    import tensorflow as tf

    class Features(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec((None, 2), tf.float32, name="x")])
        def explain(self, x):
            return {
                "label": tf.where(x[:, 0] > 0, "up", "down"),
                "explanation": tf.repeat("so.", tf.shape(x)[0]),
            }

    module = Features()
    tf.saved_model.save(module, str(tmp_path / "models" / "1"), {"serving_default": module.explain})
    (tmp_path / "example.json").write_text(json.dumps([0.5, 1]))
    with running(tmp_path / "models") as endpoints:
        browser.call("Page.navigate", url=f"{endpoints.rest}/")
        browser.wait_for("document.getElementById('invitation')?.textContent.includes('.json')")
        browser.drop(tmp_path / "example.json", "#drop")
        browser.wait_for("document.getElementById('label').textContent == 'up'")
        assert text(browser, "explanation") == "so."
        assert text(browser, "probability") == ""


def test_a_model_of_texts_has_a_text_box(browser, tmp_path):
    import tensorflow as tf

    class Texts(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec((None, 1), tf.string, name="x")])
        def explain(self, x):
            return {"label": tf.strings.upper(x[:, 0]), "explanation": tf.repeat("so.", tf.shape(x)[0])}

    module = Texts()
    tf.saved_model.save(module, str(tmp_path / "models" / "1"), {"serving_default": module.explain})
    with running(tmp_path / "models") as endpoints:
        browser.call("Page.navigate", url=f"{endpoints.rest}/")
        browser.wait_for("document.querySelector('#columns textarea') != null")
        browser.value("document.querySelector('#columns textarea').value = 'a \"great\" film'")
        browser.value("document.querySelector('#columns button').click()")
        browser.wait_for("document.getElementById('label').textContent == 'A \"GREAT\" FILM'")
