import pytest

from interpnet_tf.language.phrases import PhraseReader, places_of

READER = PhraseReader(["a bird with a white eye ring and white wing bars."] * 5)


@pytest.mark.parametrize(
    ("sentence", "phrases"),
    [
        ("a bird with a short orange bill.", ["short bill", "orange bill"]),
        (
            "the crown of this bird is red, and its bill is short and orange.",
            ["red crown", "short bill", "orange bill"],
        ),
        (
            "this small bird has no eye ring and white wing bars.",
            ["small bird", "no eye ring", "white wing bars"],
        ),
        ("you can see a red cap on this little bird.", ["red cap", "little bird"]),
        ("the bird swims on the water.", []),
        ("a red crown, a red crown.", ["red crown", "red crown"]),
        ("", []),
    ],
)
def test_phrases_of_a_sentence(sentence, phrases):
    assert [str(phrase) for phrase in READER.read(sentence)] == phrases


def test_a_noun_of_two_words_is_learnt_from_sentences():
    sentence = "this bird has a white eye ring."
    assert [str(phrase) for phrase in PhraseReader().read(sentence)] == ["white ring", "eye ring"]
    assert [str(phrase) for phrase in READER.read(sentence)] == ["white eye ring"]


@pytest.mark.parametrize(
    ("sentence", "places"),
    [
        ("a black bill and black wings", [[1, 2], [4, 5]]),
        ("its bill is short and red", [[1, 3], [1, 5]]),
        ("a red crown , a red crown", [[1, 2], [5, 6]]),
        ("it has a white eye ring", [[3, 4, 5]]),
    ],
)
def test_where_phrases_stand(sentence, places):
    assert places_of(sentence.split(), READER.read(sentence)) == places
