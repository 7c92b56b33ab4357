"""Templates: how attributes are put into words, in a form that a user can write."""

from __future__ import annotations

import dataclasses
import os
import re
from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any

from interpnet_tf.support.json_files import read_record

SHIPPED = ("cub",)
SUBJECT, PHRASES, VALUE = "{subject}", "{phrases}", "{value}"
_FRAMES = (
    "this {subject} has {phrases}.",
    "the {subject} has {phrases}.",
    "a {subject} with {phrases}.",
    "this is a {subject} with {phrases}.",
    "this is a {subject}.",
)
_ADVICE = "mend it as the message says; docs/verbalizer.md describes the form"


@dataclasses.dataclass(frozen=True)
class Saying:
    """How one attribute is said.

    Args:
        phrases: ways to say a value, each with `{value}` once, the plainest first. A phrase that begins with
            "it" or "its" is a clause of its own, any other follows "has".
        words: of each value that is said, its words, the plainest first; `None` for every value by its name.
            Values that share a word mean it both.
    """

    phrases: tuple[str, ...]
    words: Mapping[str, tuple[str, ...]] | None = None


@dataclasses.dataclass(frozen=True)
class Templates:
    """How facts are put into sentences.

    Args:
        subject: what the examples are, such as `"bird"`.
        frames: sentences with `{subject}` and `{phrases}`, where noun phrases stand. One without `{phrases}`
            is for what is said of the subject alone ("a small bird").
        attributes: how each attribute is said; `None` for one that is never said. What is not listed is said
            in words made of its name.

    Raises:
        ValueError: if a frame or a phrase lacks its placeholder.

    Example:

    >>> templates = Templates.from_config({
    ...     "subject": "bird",
    ...     "words": {"colours": {"grey": ["grey", "gray"], "red": "red"}},
    ...     "attributes": {
    ...         "crown": {"say": ["a {value} crown", "a {value} cap"], "words": "colours"},
    ...         "legs": ["{value} legs"],
    ...     },
    ... })
    >>> templates.attributes["crown"].words["grey"]
    ('grey', 'gray')
    """

    subject: str = "example"
    frames: tuple[str, ...] = _FRAMES
    attributes: Mapping[str, Saying | None] = dataclasses.field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.subject.strip():
            raise ValueError("subject must be a noun, such as 'bird', got nothing")
        for frame in self.frames:
            if unknown := set(re.findall(r"\{.*?\}", frame)) - {SUBJECT, PHRASES}:
                raise ValueError(
                    f"frames may hold {SUBJECT} and {PHRASES}, got {', '.join(sorted(unknown))} in {frame!r}"
                )
            if SUBJECT not in frame and PHRASES not in frame:
                raise ValueError(f"frames must hold {SUBJECT} or {PHRASES}, got {frame!r}")
        if not any(SUBJECT in frame and frame.count(PHRASES) == 1 for frame in self.frames):
            raise ValueError(f"frames must include one with {SUBJECT} and {PHRASES} once each")
        if not any(SUBJECT in frame and PHRASES not in frame for frame in self.frames):
            object.__setattr__(self, "frames", (*self.frames, _FRAMES[-1]))
        for attribute, saying in self.attributes.items():
            for phrase in saying.phrases if saying else ():
                if phrase.count(VALUE) != 1 or re.search(r"[{}]", phrase.replace(VALUE, "")):
                    raise ValueError(
                        f"attributes: a phrase of {attribute!r} must hold {VALUE} once and no other brace, "
                        f"got {phrase!r}"
                    )

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Templates:
        """Makes templates of what a user writes in JSON.

        Args:
            config: with the fields of this class. Beside `{"say": [...], "words": {...}}` an attribute may be
                a list of phrases. `say` and `words` may be the name of an entry in the fields `phrases` and
                `words`, for what several attributes share; attributes with the same phrases are said together
                ("a short black bill").

        Raises:
            ValueError: if a field is unknown or of another form.
        """
        known = ("subject", "frames", "attributes", "phrases", "words")
        if unknown := sorted(config.keys() - set(known)):
            raise ValueError(f"templates have no field {', '.join(unknown)}, only {', '.join(known)}")
        for name, kind in (("attributes", Mapping), ("phrases", Mapping), ("words", Mapping)):
            if not isinstance(config.get(name, {}), kind):
                raise ValueError(f"{name} must be an object {{…}}, got {config[name]!r:.80}")
        subject, frames = config.get("subject", cls.subject), config.get("frames", _FRAMES)
        if not isinstance(subject, str):
            raise ValueError(f"subject must be a noun, such as 'bird', got {subject!r:.80}")
        shared = config.get("phrases", {}), config.get("words", {})
        return cls(
            subject=subject,
            frames=_texts("frames", frames),
            attributes={
                name: None if given is None else _saying(name, given, *shared)
                for name, given in config.get("attributes", {}).items()
            },
        )

    def get_config(self) -> dict[str, Any]:
        """Returns what `from_config` takes, ready for JSON."""
        return {
            "subject": self.subject,
            "frames": list(self.frames),
            "attributes": {
                name: saying
                and {
                    "say": list(saying.phrases),
                    **({} if saying.words is None else {"words": _lists(saying.words)}),
                }
                for name, saying in self.attributes.items()
            },
        }

    @classmethod
    def of(cls, given: Any, subject: str | None = None) -> Templates:
        """Returns templates, from whatever form they are given in.

        Args:
            given: templates, what `from_config` or what `read` takes, or `None` for none.
            subject: what the examples are, instead of theirs.
        """
        if given is None:
            given = cls()
        elif isinstance(given, Mapping):
            given = cls.from_config(given)
        elif not isinstance(given, Templates):
            given = cls.read(given)
        return given if subject is None else dataclasses.replace(given, subject=subject)

    @classmethod
    def read(cls, path: str | os.PathLike) -> Templates:
        """Reads templates from a JSON file, or those that come with the package by their name, `"cub"`.

        Raises:
            FileNotFoundError: if there is no such file.
            ValueError: if it holds something else.
        """
        if path in SHIPPED:
            path = Path(str(resources.files(__package__).joinpath(f"{path}.json")))
        fields = read_record(path, "templates", _ADVICE)
        try:
            return cls.from_config(fields)
        except ValueError as error:
            raise ValueError(f"{os.fspath(path)}: {error}") from None


def _saying(name: str, given: Any, phrases: Mapping[str, Any], words: Mapping[str, Any]) -> Saying:
    """Makes a saying of what a user wrote of an attribute."""
    if isinstance(given, str | list | tuple):
        given = {"say": given}
    if not isinstance(given, Mapping) or "say" not in given or given.keys() - {"say", "words"}:
        raise ValueError(
            f"attributes: {name!r} must be a list of phrases or {{'say': …, 'words': …}}, got {given!r:.80}"
        )
    say, said_words = given["say"], given.get("words")
    if isinstance(say, str):
        say = phrases.get(say, say)
    if isinstance(said_words, str):
        if said_words not in words:
            raise ValueError(
                f"attributes: the words of {name!r} are {said_words!r}, which the field words has no entry "
                f"for, only {', '.join(words) or 'none'}"
            )
        said_words = words[said_words]
    if not (said_words is None or isinstance(said_words, Mapping)):
        raise ValueError(f"attributes: the words of {name!r} must be an object, got {said_words!r:.80}")
    return Saying(
        _texts(f"attributes: the phrases of {name!r}", say),
        None
        if said_words is None
        else {
            value: _texts(f"attributes: the words of {name!r} for {value!r}", texts)
            for value, texts in said_words.items()
        },
    )


def _texts(what: str, given: Any) -> tuple[str, ...]:
    given = (given,) if isinstance(given, str) else given
    if (
        not isinstance(given, Sequence)
        or not given
        or not all(isinstance(x, str) and x.strip() for x in given)
    ):
        raise ValueError(f"{what} must be a text or a list of texts, got {given!r:.80}")
    return tuple(dict.fromkeys(" ".join(text.split()) for text in given))


def _lists(words: Mapping[str, tuple[str, ...]]) -> dict[str, list[str]]:
    return {value: list(texts) for value, texts in words.items()}
