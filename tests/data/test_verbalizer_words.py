"""Words of the verbalizer: templates, names of columns, writing and reading."""

import json
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from interpnet_tf.data.verbalizer import Fact, Saying, Templates
from interpnet_tf.data.verbalizer.derived import derive, readable
from interpnet_tf.data.verbalizer.reading import Reader, Reading
from interpnet_tf.data.verbalizer.vocabulary import Form, Vocabulary, before
from interpnet_tf.data.verbalizer.writing import Writer

COLOURS = {"red": ("red",), "black": ("black",), "grey": ("grey", "gray"), "orange": ("orange",)}
BILL = ("a {value} bill", "its bill is {value}")
SAYINGS = {
    "size": Saying(("a {value} bird",), {"S": ("small", "little"), "XS": ("small", "little", "tiny")}),
    "length": Saying(BILL, {"short": ("short",), "long": ("long", "very long")}),
    "bill": Saying(BILL, COLOURS),
    "crown": Saying(("a {value} crown", "a {value} cap"), COLOURS),
    "nape": Saying(("a {value} nape",), COLOURS),
    "legs": Saying(("{value} legs",), COLOURS),
    "crest": Saying(("{value}",), {"yes": ("a crest",), "no": ("no crest",)}),
    "home": Saying(("it lives in the {value}",), {"sea": ("sea",), "wood": ("wood", "dark forest")}),
}
FRAMES = ("this {subject} has {phrases}.", "a {subject} with {phrases}.", "this is a {subject}.")
BIRD = Vocabulary.of("bird", FRAMES, SAYINGS)
PLAIN = Vocabulary.of(  # with no choice of words
    "bird",
    FRAMES[1:],
    {
        name: Saying(saying.phrases[:1], {value: words[-1:] for value, words in saying.words.items()})
        for name, saying in SAYINGS.items()
    },
)
READER = Reader(BIRD)


def facts(*pairs):
    return [Fact(*pair) for pair in pairs]


def read(sentence):
    return READER.read(sentence)


class TestTemplates:
    def test_names_stand_for_what_several_attributes_share(self):
        templates = Templates.from_config(
            {
                "phrases": {"bill": ["a {value} bill", "a {value} beak"]},
                "words": {"colours": {"grey": ["grey", "gray"], "red": "red"}},
                "attributes": {
                    "bill": {"say": "bill", "words": "colours"},
                    "length": "bill",
                    "legs": ["{value}  legs"],
                    "id": None,
                },
            }
        )
        bill = ("a {value} bill", "a {value} beak")
        assert templates.attributes == {
            "bill": Saying(bill, {"grey": ("grey", "gray"), "red": ("red",)}),
            "length": Saying(bill),
            "legs": Saying(("{value} legs",)),
            "id": None,
        }
        assert Templates.from_config(json.loads(json.dumps(templates.get_config()))) == templates

    @pytest.mark.parametrize(
        ("config", "message"),
        [
            ({"atributes": {}}, "templates have no field atributes, only subject, frames"),
            ({"attributes": []}, "attributes must be an object"),
            ({"subject": 3}, "subject must be a noun, such as 'bird', got 3"),
            ({"frames": ["this {bird} has {phrases}."]}, "got {bird} in 'this {bird} has {phrases}.'"),
            ({"frames": ["a bird."]}, "frames must hold {subject} or {phrases}, got 'a bird.'"),
            ({"frames": ["a {subject}."]}, "one with {subject} and {phrases} once each"),
            ({"frames": []}, "frames must be a text or a list of texts"),
            ({"attributes": {"crown": ["a crown"]}}, "a phrase of 'crown' must hold {value} once"),
            ({"attributes": {"crown": ["{value} {x}"]}}, "once and no other brace, got '{value} {x}'"),
            ({"attributes": {"crown": {"words": {}}}}, "'crown' must be a list of phrases or"),
            ({"attributes": {"crown": 5}}, "'crown' must be a list of phrases or"),
            (
                {"attributes": {"crown": {"say": "{value}", "words": "hues"}}},
                "the words of 'crown' are 'hues', which the field words has no entry for, only none",
            ),
            (
                {"attributes": {"crown": {"say": "{value}", "words": {"red": []}}}},
                "the words of 'crown' for 'red' must be a text or a list of texts, got []",
            ),
        ],
    )
    def test_says_what_is_wrong(self, config, message):
        with pytest.raises(ValueError, match=re.escape(message)):
            Templates.from_config(config)

    def test_file_is_named(self, tmp_path):
        path = tmp_path / "birds.json"
        path.write_text('{"subject": ""}')
        with pytest.raises(ValueError, match=r"birds\.json: subject must be a noun"):
            Templates.read(path)
        with pytest.raises(FileNotFoundError):
            Templates.read(tmp_path / "none.json")

    def test_templates_of_cub_say_each_fact_in_words_of_its_own(self):
        templates = Templates.read("cub")
        said = {name: saying for name, saying in templates.attributes.items() if saying}
        assert len(said) == 26
        vocabulary = Vocabulary.of(templates.subject, templates.frames, said)
        reader = Reader(vocabulary)  # refuses what two facts are said in
        writer, random = Writer(vocabulary), np.random.default_rng(0)
        for fact in vocabulary.words:
            assert reader.read(writer.write([fact], random)) == Reading((fact,), ())


class TestNames:
    @pytest.mark.parametrize(
        ("name", "expected"),
        [
            ("petal length (cm)", "petal length"),
            ("alcalinity_of_ash", "alcalinity of ash"),
            ("petalLength", "petal length"),
            ("(cm)", "(cm)"),
            ("  two   spaces ", "two spaces"),
        ],
    )
    def test_readable(self, name, expected):
        assert readable(name) == expected

    @pytest.mark.parametrize(
        ("attribute", "kind", "values", "phrases", "words"),
        [
            ("has_wings_colour", "weights", ["red"], ("{value} wings",), {"red": ("red",)}),
            ("size", "weights", ["very_small"], ("a {value} bird",), {"very_small": ("very small",)}),
            ("grapes", "category", ["Merlot"], ("its grapes are {value}",), {"Merlot": ("merlot",)}),
            ("has_fur", "boolean", ["yes", "no"], ("{value}",), {"yes": ("fur",), "no": ("no fur",)}),
            ("ash", "number", ["low"], ("{value} ash",), {"low": ("low",)}),
        ],
    )
    def test_words_are_made_of_names(self, attribute, kind, values, phrases, words):
        assert derive(attribute, kind, values, "bird") == Saying(phrases, words)


@pytest.mark.parametrize(
    ("following", "article"),
    [("orange crown", "an"), ("red crown", "a"), ("unique bird", "a"), ("hourly song", "an"), ("Iris", "an")],
)
def test_article_suits_what_follows(following, article):
    assert before("this is a ", following) == f"this is {article} "
    assert before("this is an ", following) == f"this is {article} "


@pytest.mark.parametrize(
    ("before_", "after", "kind"),
    [
        ("a ", " crown", "noun"),
        ("", " legs", "noun"),
        ("its ", " crown", "noun"),
        ("its crown is ", "", "predicate"),
        ("", "", "whole"),
        ("a bill with a ", " tip", "whole"),
        ("a ", "-bellied coat", "whole"),
    ],
)
def test_kind_of_form(before_, after, kind):
    assert Form(before_, after).kind == kind


class TestWriting:
    @pytest.mark.parametrize(
        ("said", "expected"),
        [
            ([("crown", "red")], "a bird with a red crown."),
            ([("crown", "orange")], "a bird with an orange crown."),
            ([("crown", "red"), ("crown", "black")], "a bird with a red and black crown."),
            (
                [("bill", "red"), ("length", "short")],
                "a bird with a short red bill.",
            ),  # in the templates' order
            ([("crown", "red"), ("nape", "red")], "a bird with a red crown and nape."),
            ([("crown", "red"), ("legs", "red")], "a bird with a red crown and red legs."),
            ([("size", "tiny"), ("legs", "black")], "a tiny bird with black legs."),
            ([("size", "tiny")], "this is a tiny bird."),
            ([("crest", "no crest"), ("legs", "black")], "a bird with no crest and black legs."),
            ([("home", "sea")], "this bird lives in the sea."),
            ([("legs", "black"), ("home", "sea")], "a bird with black legs, and it lives in the sea."),
            ([("size", "tiny"), ("home", "sea")], "this is a tiny bird, and it lives in the sea."),
            (
                [("legs", "black"), ("crown", "red"), ("nape", "red")],
                "a bird with black legs, and a red crown and nape.",
            ),
        ],
    )
    def test_one_way(self, said, expected):
        assert Writer(PLAIN).write(facts(*said), np.random.default_rng(0)) == expected

    def test_frame_with_two_lists(self):
        frame = "this {subject} shows {phrases} above and {phrases} below."
        vocabulary = Vocabulary.of("bird", [frame, "a {subject} with {phrases}."], {"legs": SAYINGS["legs"]})
        one = Writer(vocabulary).write(facts(("legs", "red")), np.random.default_rng(0))
        assert one == "a bird with red legs."  # the frame needs two phrases
        vocabulary = Vocabulary.of("bird", [frame], {name: SAYINGS[name] for name in ("legs", "nape")})
        two = Writer(vocabulary).write(facts(("legs", "red"), ("nape", "orange")), np.random.default_rng(0))
        assert two == "this bird shows red legs above and an orange nape below."


class TestReading:
    @pytest.mark.parametrize(
        ("sentence", "said"),
        [
            ("this bird has a red crown.", [("crown", "red")]),
            ("A LITTLE bird with gray legs", [("size", "small"), ("legs", "grey")]),
            ("a short, red and black bill", [("length", "short"), ("bill", "red"), ("bill", "black")]),
            ("its bill is very long and orange.", [("length", "long"), ("bill", "orange")]),
            ("its bill is red and the legs are long", [("bill", "red")]),
            ("a red cap and nape, black legs", [("crown", "red"), ("nape", "red"), ("legs", "black")]),
            ("a red cap and a nape", [("crown", "red")]),
            ("bill is red, black legs", [("bill", "red"), ("legs", "black")]),  # no grammar
            ("red crown black legs crest", [("crown", "red"), ("legs", "black"), ("crest", "a crest")]),
            ("this tiny bird lives in the dark forest", [("size", "tiny"), ("home", "wood")]),
            ("it lives in sea with no crest", [("home", "sea"), ("crest", "no crest")]),
            ("a bird", []),
            ("", []),
        ],
    )
    def test_facts(self, sentence, said):
        assert list(read(sentence).facts) == facts(*said)

    @pytest.mark.parametrize(
        ("sentence", "said", "unknown"),
        [
            ("a purple crown", [], ("purple crown",)),
            ("a long crown", [], ("long crown",)),  # known words that are never said together
            ("a glossy red crown", [("crown", "red")], ("glossy crown",)),
            ("its bill is purple and red", [("bill", "red")], ("bill is purple",)),
            ("a red chin, black legs", [("legs", "black")], ("red chin",)),
            ("this bird sings", [], ("sings",)),
            ("a red crest", [("crest", "a crest")], ("red crest",)),
        ],
    )
    def test_unknown_phrases(self, sentence, said, unknown):
        reading = read(sentence)
        assert list(reading.facts) == facts(*said)
        assert reading.unknown == unknown

    @pytest.mark.parametrize(
        "sentence",
        ["a bird without a red crown", "its bill is not red", "no red crown", "a bird with no red bill"],
    )
    def test_what_is_denied_is_no_fact(self, sentence):
        assert read(sentence).facts == ()
        assert len(read(sentence).unknown) == 1

    def test_two_facts_in_the_same_words_are_refused(self):
        same = {"upper": Saying(("a {value} tail",), COLOURS), "under": Saying(("a {value} tail",), COLOURS)}
        with pytest.raises(ValueError, match="says both upper = red and under = red"):
            Reader(Vocabulary.of("bird", FRAMES, same))

    @given(st.text(alphabet=st.sampled_from("ab ,.-is"), max_size=30) | st.text(max_size=30))
    @settings(max_examples=30, deadline=None)
    def test_any_text_is_read(self, text):
        assert set(read(text).facts) <= set(BIRD.words)


@given(
    said=st.lists(st.sampled_from(sorted(BIRD.words)), min_size=1, max_size=7, unique=True),
    seed=st.integers(0),
)
@settings(max_examples=150, deadline=None)
def test_what_is_written_is_read_back(said, seed):
    reading = read(Writer(BIRD).write(said, np.random.default_rng(seed)))
    assert set(reading.facts) == set(said)
    assert reading.unknown == ()
