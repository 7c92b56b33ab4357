"""Words for an attribute that has no template, made of its name."""

from __future__ import annotations

import re
from collections.abc import Sequence

from interpnet_tf.data.verbalizer.attributes import Attribute
from interpnet_tf.data.verbalizer.templates import Saying, Templates

# What names of attributes end in that is not said: the crown of "crown_color" is red.
_KINDS = ("color", "colour", "shape", "pattern", "size", "texture", "material")


def sayings_of(attributes: Sequence[Attribute], templates: Templates) -> dict[str, Saying]:
    """Returns how attributes are said, by name: those of the templates first and in their order.

    Args:
        attributes: of a table.
        templates: of some of them.
    """
    listed = {name: place for place, name in enumerate(templates.attributes)}
    found = {}
    for attribute in sorted(attributes, key=lambda one: listed.get(one.name, len(listed))):
        saying = templates.attributes.get(attribute.name)
        if saying is None and attribute.name in listed:
            continue
        derived = derive(attribute.name, attribute.kind, attribute.values, templates.subject)
        if saying is not None:
            words = derived.words if saying.words is None else saying.words
            said = {value: words[value] for value in attribute.values if value in words}
            derived = Saying(saying.phrases, said)
        found[attribute.name] = derived
    return found


def derive(attribute: str, kind: str, values: Sequence[str], subject: str) -> Saying:
    """Returns how an attribute is said that nobody wrote a template for.

    Args:
        attribute: its name, such as `"has_crown_color"` or `"alcohol"`.
        kind: of its column, see `columns.KINDS`.
        values: it may have.
        subject: what the examples are.

    Example:

    >>> derive("has_crown_color", "category", ["red"], "bird").phrases
    ('a {value} crown',)
    >>> derive("colour", "category", ["red"], "wine").phrases
    ('a {value} wine',)
    >>> derive("habitat", "category", ["forest"], "bird").phrases
    ('its habitat is {value}',)
    >>> derive("alcohol", "number", ["low", "high"], "wine").phrases
    ('{value} alcohol',)
    >>> derive("is_domestic", "boolean", ["yes", "no"], "animal").words
    {'yes': ('it is domestic',), 'no': ('it is not domestic',)}
    """
    name = readable(attribute)
    if tuple(values) == ("yes", "no"):
        return Saying(("{value}",), _yes_and_no(name))
    words = {value: (readable(value),) for value in values if readable(value)}
    name = re.sub(r"^has ", "", name)
    if kind == "number":
        return Saying((f"{{value}} {name}",), words)
    noun, _, last = name.rpartition(" ")
    if last in _KINDS:
        noun = noun or subject
        return Saying((f"{{value}} {noun}" if _is_plural(noun) else f"a {{value}} {noun}",), words)
    return Saying((f"its {name} {'are' if _is_plural(name) else 'is'} {{value}}",), words)


def readable(name: str) -> str:
    """Returns a name of a column or a value as it is said.

    Example:

    >>> readable("petalLength (cm)"), readable("very_small_(3_-_5_in)")
    ('petal length', 'very small')
    """
    name = re.sub(r"(?<=[a-z])(?=[A-Z][a-z])", " ", name).replace("_", " ")
    without = re.sub(r"[(\[].*?[)\]]", " ", name)
    return " ".join((without if without.strip() else name).split()).lower()


def _yes_and_no(name: str) -> dict[str, tuple[str, ...]]:
    verb, _, rest = name.partition(" ")
    if verb == "is" and rest:
        return {"yes": (f"it is {rest}",), "no": (f"it is not {rest}",)}
    noun = re.sub(r"^has ", "", name)
    return {"yes": (noun,), "no": (f"no {noun}",)}


def _is_plural(noun: str) -> bool:
    return bool(re.search(r"[^siu]s$", noun))
