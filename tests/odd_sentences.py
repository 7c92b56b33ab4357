"""Sentences with everything that may be spelt in more than one way."""

WRITTEN = [
    "un oiseau tre\u0301s noir avec une te\u0302te bleue",
    "un oiseau tr\u00e9s noir avec une t\u00eate bleue",
    "a bird, e.g. a crow, with a white wing",
    "it lives in the U.S., i.e. far away",
    "a bird w/ red crown and wing",
    "the \ufb01n is black and long",
    "its bill ( black )is 2.5 cm ; why ?",
    "the bird\u2019s \u201cbill\u201d",
    "\ufeffa red\u200b bird\u00ad s wing",
    "a red\0 bird with wings.",
    "a\u00a0red\u2003bird\u2028with wings\tand\r\nlegs.",
    "a bird \u2764\ufe0f of 50% blue/white, #1",
    "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645 \u200c bird",
    "STRASSE Stra\u00dfe \u0130stanbul \u2167 \u2121 \u33a5",
    "\uff26\uff35\uff2c\uff2c width \u4e2d\u6587\u3002",
    "\u039f\u0394\u039f\u03a3 \u03a3.",
]
