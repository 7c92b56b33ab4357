"""The words that people use of birds, and the attributes of CUB-200-2011 that they speak of.

Attributes are named `<group>::<value>`, as in `attributes.txt`. Where the table has no attribute for what a
word says of a part ("a pointy beak"), the word is listed without one: what nobody annotated is not judged.
"""

from __future__ import annotations

# What a word of colour may be called in the table.
COLORS: dict[str, tuple[str, ...]] = {
    "amber": ("orange", "yellow", "rufous", "brown"),
    "aqua": ("blue", "green"),
    "beige": ("buff", "white", "brown"),
    "black": ("black",),
    "blackish": ("black", "grey"),
    "blue": ("blue",),
    "blueish": ("blue", "grey"),
    "bluish": ("blue", "grey"),
    "bronze": ("brown", "rufous", "iridescent"),
    "brown": ("brown", "rufous"),
    "brownish": ("brown", "buff", "rufous"),
    "browns": ("brown", "rufous"),
    "buff": ("buff",),
    "burgundy": ("red", "purple", "rufous"),
    "charcoal": ("grey", "black"),
    "copper": ("rufous", "brown", "orange"),
    "cream": ("buff", "white"),
    "creamy": ("buff", "white"),
    "gold": ("yellow", "orange", "buff"),
    "golden": ("yellow", "orange", "buff"),
    "gray": ("grey",),
    "grayish": ("grey", "buff"),
    "green": ("green", "olive"),
    "greenish": ("green", "olive", "yellow"),
    "grey": ("grey",),
    "greyish": ("grey", "buff"),
    "iridescent": ("iridescent",),
    "maroon": ("red", "purple", "rufous", "brown"),
    "navy": ("blue",),
    "olive": ("olive", "green"),
    "orange": ("orange", "rufous"),
    "orangish": ("orange", "rufous"),
    "peach": ("orange", "buff", "pink"),
    "pink": ("pink", "red"),
    "pinkish": ("pink", "red"),
    "purple": ("purple",),
    "purplish": ("purple", "pink"),
    "red": ("red", "rufous"),
    "reddish": ("red", "rufous", "orange", "pink"),
    "rose": ("red", "pink"),
    "rosy": ("red", "pink"),
    "rufous": ("rufous",),
    "russet": ("rufous", "brown"),
    "rust": ("rufous", "brown", "orange"),
    "rusty": ("rufous", "brown", "orange"),
    "silver": ("grey", "white"),
    "tan": ("buff", "brown"),
    "taupe": ("grey", "brown", "buff"),
    "teal": ("blue", "green"),
    "turquoise": ("blue", "green"),
    "violet": ("purple",),
    "white": ("white",),
    "whitish": ("white", "buff", "grey"),
    "yellow": ("yellow",),
    "yellowish": ("yellow", "buff", "olive"),
}

# The groups of attributes that hold the colours of a part; none where the table has none.
COLOR_GROUPS: dict[str, tuple[str, ...]] = {
    "bird": ("primary_color", "upperparts_color", "underparts_color"),
    "upperparts": ("upperparts_color", "back_color"),
    "underparts": ("underparts_color", "belly_color", "breast_color"),
    "back": ("back_color", "upperparts_color"),
    "belly": ("belly_color", "underparts_color"),
    "bill": ("bill_color",),
    "breast": ("breast_color", "underparts_color"),
    "crown": ("crown_color", "forehead_color"),
    "eye": ("eye_color",),
    "face": (),
    "forehead": ("forehead_color", "crown_color"),
    "head": ("crown_color", "forehead_color", "nape_color"),
    "leg": ("leg_color",),
    "nape": ("nape_color",),
    "neck": ("nape_color", "throat_color"),
    "tail": ("upper_tail_color", "under_tail_color"),
    "throat": ("throat_color",),
    "wing": ("wing_color",),
    "other": (),
}

PARTS: dict[str, str] = {
    word: part
    for part, words in {
        "bird": "bird birds body bodied plumage feathers feathered torso coat",
        "upperparts": "upperparts",
        "underparts": "underparts",
        "back": "back backed dorsal",
        "belly": "belly bellied abdomen stomach tummy",
        "bill": "bill billed beak beaked beaks bills bid beck",
        "breast": "breast breasts breasted chest chested",
        "crown": "crown crowned cap capped",
        "eye": "eye eyes eyed",
        "face": "face cheek cheeks malar lores faced",
        "forehead": "forehead",
        "head": "head headed",
        "leg": "leg legs legged foot feet footed tarsus tarsuses tarsals tarsi claws talons",
        "nape": "nape naped",
        "neck": "neck necked",
        "tail": "tail tailed tailfeathers rectrices rectrice rectricles",
        "throat": "throat throated chin",
        "wing": "wing wings winged primaries secondaries coverts covert wingbar",
        # Parts whose colour nobody annotated, so that it is not taken for the next part's.
        "other": "eyering eyebrow eyepatch superciliary crest tuft mohawk mask vent rump flank flanks side "
        "sides thigh thighs collar hood fur hair tip tips edges base line outline pupil pupils whiskers",
    }.items()
    for word in words.split()
}

_BILL = "has_bill_shape::"
_HOOKED = (_BILL + "curved_(up_or_down)", _BILL + "hooked", _BILL + "hooked_seabird")
_LONG = ("has_bill_length::longer_than_head", "has_bill_length::about_the_same_as_head")
_SHORT = ("has_bill_length::shorter_than_head",)
_SIZE = "has_size::"
_SMALL = (_SIZE + "small_(5_-_9_in)", _SIZE + "very_small_(3_-_5_in)")
_MEDIUM = (_SIZE + "medium_(9_-_16_in)",)
# People call a crow large, whose annotators chose 9 to 16 inches.
_LARGE = (*_MEDIUM, _SIZE + "large_(16_-_32_in)", _SIZE + "very_large_(32_-_72_in)")
_TAIL = "has_tail_shape::"

# What other words say of a part.
SHAPES: dict[tuple[str, str], tuple[str, ...]] = {
    **{(word, "bird"): _LARGE for word in ("large", "big", "huge")},
    **{(word, "bird"): _SMALL for word in ("small", "tiny", "little", "smallish", "petite")},
    **{(word, "bird"): _MEDIUM for word in ("medium", "mid", "average")},
    ("hooked", "bill"): _HOOKED,
    **{(word, "bill"): (_BILL + "cone",) for word in ("conical", "triangular", "cone")},
    ("dagger", "bill"): (_BILL + "dagger",),
    ("needle", "bill"): (_BILL + "needle",),
    **{(word, "bill"): _LONG for word in ("long", "elongated")},
    **{(word, "bill"): _SHORT for word in ("short", "stubby", "small", "tiny", "stumpy", "little")},
    ("forked", "tail"): (_TAIL + "forked_tail", _TAIL + "notched_tail"),
    ("notched", "tail"): (_TAIL + "forked_tail", _TAIL + "notched_tail"),
    ("rounded", "tail"): (_TAIL + "rounded_tail", _TAIL + "fan-shaped_tail"),
    ("fanned", "tail"): (_TAIL + "rounded_tail", _TAIL + "fan-shaped_tail"),
    ("pointed", "tail"): (_TAIL + "pointed_tail",),
}

# Spots and streaks are hard to tell apart, for annotators as for those who describe.
_MARKED = ("spotted", "striped", "multi-colored")
PATTERNS: dict[str, tuple[str, ...]] = {
    word: patterns
    for words, patterns in (
        ("spotted speckled mottled dotted flecked spots speckles dots specks flecks", _MARKED),
        ("striped streaked stripes streaks barred bars stripe banded", _MARKED),
        ("multicolored variegated", ("multi-colored",)),
        ("solid", ("solid",)),
    )
    for word in words.split()
}
PATTERN_GROUPS = {part: f"{part}_pattern" for part in ("back", "belly", "breast", "tail", "wing")}

# A part whose mere mention says something.
MENTIONS: dict[str, str] = {
    "crested": "has_head_pattern::crested",
    "tuft": "has_head_pattern::crested",
    "tufted": "has_head_pattern::crested",
    "mohawk": "has_head_pattern::crested",
    "mask": "has_head_pattern::masked",
    "capped": "has_head_pattern::capped",
}
