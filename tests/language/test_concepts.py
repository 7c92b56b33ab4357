import numpy as np

from interpnet_tf.language.concepts import Concepts

# Each bird has a crown and a bill; two people call the bill by two names, and nobody by both at once.
KINDS = [(crown, bill) for crown in ("red", "blue", "black") for bill in ("short", "long")]
BIRDS = [
    [
        f"a {crown} crown and a {bill} bill.",
        f"the beak of this bird is {bill}.",
        f"its crown is {crown}.",
        f"a bird with a {bill} bill.",
        f"a {bill} beak, and a {crown} crown.",
    ]
    for crown, bill in KINDS * 4
]


def test_words_that_mean_the_same_are_one_concept():
    concepts = Concepts.learn(BIRDS)
    found = {frozenset(map(str, of_one)) for of_one in concepts.phrases}
    assert found == {
        frozenset({"red crown"}),
        frozenset({"blue crown"}),
        frozenset({"black crown"}),
        frozenset({"short bill", "short beak"}),
        frozenset({"long bill", "long beak"}),
    }
    assert concepts.read("this beak is short and its crown is red.") == concepts.read(
        "a short bill and a red crown."
    )


def test_alternatives_are_about_the_same_thing_and_never_of_one_example():
    concepts = Concepts.learn(BIRDS)
    names = concepts.names
    others = {
        name: {names[other] for other in concepts.alternatives[index]} for index, name in enumerate(names)
    }
    assert others["red crown"] == {"blue crown", "black crown"}
    (long,) = (name for name in names if name.startswith("long"))
    (short,) = (name for name in names if name.startswith("short"))
    assert others[long] == {short}


def test_mentions_are_of_any_sentence_of_the_example():
    concepts = Concepts.learn(BIRDS)
    red = concepts.names.index("red crown")
    np.testing.assert_array_equal(concepts.mentions[:, red], [crown == "red" for crown, _ in KINDS * 4])
    np.testing.assert_array_equal(concepts.mentioned(BIRDS), concepts.mentions)


def test_where_nothing_is_told_nothing_is_known():
    concepts = Concepts.learn(BIRDS)
    red, blue, black = (concepts.names.index(f"{colour} crown") for colour in ("red", "blue", "black"))
    (short,) = (number for number, name in enumerate(concepts.names) if name.startswith("short"))
    told = concepts.mentioned([["a red crown."], ["a red crown."], ["a blue crown."], ["a short bill."]])
    # Of the three crowns that are spoken of, two are red and one is blue.
    np.testing.assert_allclose(
        concepts.known(told)[:, [red, blue, black]], [[1, 0, 0], [1, 0, 0], [0, 1, 0], [2 / 3, 1 / 3, 0]]
    )
    # The one bill that is spoken of is short.
    np.testing.assert_array_equal(concepts.known(told)[:, short], [1, 1, 1, 1])


def test_what_has_no_alternative_is_absent_where_it_is_not_stated():
    birds = [["a red crown.", "its crown is red."], ["a bird."]] * 10
    concepts = Concepts.learn(birds)
    assert concepts.alternatives[concepts.names.index("red crown")] == ()
    np.testing.assert_array_equal(concepts.known(concepts.mentions), concepts.mentions)


def test_what_is_said_twice_is_read_twice():
    concepts = Concepts.learn(BIRDS)
    crown = concepts.names.index("red crown")
    assert concepts.read_all("a red crown and a red crown.") == (crown, crown)
    assert concepts.read("a red crown and a red crown.") == (crown,)


def test_rare_phrases_are_no_concept():
    assert "green crown" not in Concepts.learn([*BIRDS, ["a green crown."] * 9]).names
    assert "green crown" in Concepts.learn([*BIRDS, ["a green crown."] * 10]).names


def test_sentences_without_phrases_give_none():
    concepts = Concepts.learn([["."], []])
    assert (len(concepts), concepts.mentions.shape, concepts.read("a red crown.")) == (0, (2, 0), ())


def test_nouns_that_mean_the_same_are_one():
    concepts = Concepts.learn(BIRDS)
    by_name = dict(zip(concepts.names, concepts.nouns, strict=True))
    assert {noun for name, noun in by_name.items() if name.endswith("crown")} == {"crown"}
    (bill,) = {noun for name, noun in by_name.items() if not name.endswith("crown")}
    assert bill in ("beak", "bill")
