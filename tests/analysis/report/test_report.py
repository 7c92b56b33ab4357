"""The page of a report, also in a browser."""

import dataclasses
import itertools

import keras
import pytest
from headless_chromium import PROGRAM, Browser

from interpnet_tf import ExplanationTokenizer, InterpNet, LRCNDecoder
from interpnet_tf.analysis.report import Audit, AuditRow, Carried, write_report
from interpnet_tf.data import sketchbirds

SCORES = {
    "accuracy": 0.5,
    "examples": 24,
    "accuracy_explained": 0.5,
    "explained": 24,
    "rows": {"<model>": {"10": {"meteor": 0.25, "bleu_4": None}}},
    "facts": {"<model>": {"attribute_precision": float("nan")}},
}
HISTORY = {"classifier": {"loss": [2.0, 1.0], "accuracy": [0.1, 0.2], "val_accuracy": [0.1, 0.1]}}


@pytest.fixture(scope="module")
def pictures():
    return sketchbirds.load("test", per_species=1, image_size=16)


@pytest.fixture(scope="module")
def model(pictures):
    """An untrained network whose r(x) holds maps."""
    keras.utils.set_random_seed(0)
    image = keras.Input((16, 16, 3), name="image")
    maps = keras.layers.Conv2D(3, 3, strides=2, padding="same", name="maps")(image)
    pooled = keras.layers.GlobalAveragePooling2D(name="pooled")(maps)
    output = keras.layers.Dense(24, "softmax", name="probabilities")(pooled)
    tokenizer = ExplanationTokenizer().adapt(pictures.explanations)
    return InterpNet(
        keras.Model(image, output),
        tokenizer,
        layers=["maps", "probabilities"],
        decoder=LRCNDecoder(tokenizer.vocabulary_size, embedding_dim=4, units=4, seed=0),
        class_names=[*pictures.class_names[:-1], "<b>"],
        max_length=9,
    )


@pytest.fixture(scope="module")
def page(model, pictures, tmp_path_factory):
    path = tmp_path_factory.mktemp("report") / "report.html"
    said = pictures.explanations[0][0]
    explanations = [
        explanation if place else type(explanation)(**{**vars(explanation), "text": said})
        for place, explanation in enumerate(model.explain(pictures))
    ]
    write_report(
        path,
        model,
        pictures,
        "birds & <more>",
        explanations=explanations,
        scores=SCORES,
        histories=HISTORY,
        carried=Carried("It was measured.", [{"crown": 0.25, "wings": 0.5}] * len(pictures)),
        audit=Audit(
            [AuditRow("gain from r", "1.2 bits", "1.1 to 1.3", "more is better")], "It says the reason."
        ),
        examples=2,
    )
    return path


def test_page_shows_every_part(page, pictures):
    html = page.read_text("utf-8")
    assert "birds &amp; &lt;more&gt;" in html
    assert "&lt;model&gt;" in html
    for text in (
        "It says the reason.",
        "It was measured.",
        "1.1 to 1.3",
        "classifier: loss by epoch; at the end",
    ):
        assert text in html, text
    for section in ("audit", "examples", "layers", "confused", "scores", "training"):
        assert html.count(f'<section id="{section}"') == html.count(f'href="#{section}"') == 1
    first = html[html.index('<article class="card" aria-labelledby="example-1"') :]
    first = first[: first.index("</article>")]
    assert first.count("<img") == 3  # the picture, where the decision lies, where a word comes from
    assert first.count("✓ true") == len(sketchbirds.parse_facts(pictures.explanations[0][0]))
    assert first.index("wings") < first.index("50 %") < first.index("25 %")  # the largest effect first
    assert list(page.parent.iterdir()) == [page]


@pytest.mark.skipif(PROGRAM is None, reason="needs Chromium")
def test_page_in_a_browser(page, tmp_path):
    """No request, no complaint, nothing wider than the screen, and every picture has a description."""
    screen = {"height": 900, "deviceScaleFactor": 1, "mobile": False}
    with Browser(tmp_path) as browser:
        for width in (390, 1440):
            browser.call("Emulation.setDeviceMetricsOverride", width=width, **screen)
            browser.requested.clear()
            browser.call("Page.navigate", url=page.as_uri())
            browser.wait_for("document.readyState == 'complete' && !!document.querySelector('footer')")
            assert browser.value("document.documentElement.scrollWidth") <= width
            assert browser.value("[...document.images].every(one => one.alt && one.naturalWidth)")
            levels = browser.value(
                "[...document.querySelectorAll('h1,h2,h3,h4')].map(one => +one.tagName[1])"
            )
            assert levels[0] == 1
            assert all(below - above <= 1 for above, below in itertools.pairwise(levels))
            ids = browser.value("[...document.querySelectorAll('[id]')].map(one => one.id)")
            assert len(set(ids)) == len(ids)
            own = (page.as_uri(), "data:")
            assert [url for url in browser.requested if not url.startswith(own)] == []
        assert browser.errors == []


def test_features_have_neither_pictures_nor_maps(make_model, birds, tmp_path):
    made = dataclasses.replace(birds, source="verbalized")
    write_report(tmp_path / "report.html", make_model(), made, "features", examples=2, worst="words")
    html = (tmp_path / "report.html").read_text("utf-8")
    assert "<img" not in html
    assert '<section id="scores"' not in html
    assert "least probable" in html
    assert "No person wrote" in html
    assert "A person wrote" not in html


def test_refuses_what_does_not_fit(model, pictures, tmp_path):
    path = tmp_path / "report.html"
    with pytest.raises(ValueError, match="explanations must have an entry for each of the 24"):
        write_report(path, model, pictures, "birds", explanations=[])
    with pytest.raises(ValueError, match="got none"):
        write_report(path, model, pictures.subset([]), "birds")
    with pytest.raises(ValueError, match="examples"):
        write_report(path, model, pictures, "birds", examples=0)
    assert not list(tmp_path.iterdir())
