"""Settings of `Pragmatic` that were chosen on the validation photographs of CUB-40, as plain numbers.

`rationality` and `listening` are those of `Pragmatic`, `beams` of its `explain`.
"""

CONSISTENT = {"rationality": 0.0, "listening": 0.2, "beams": 10}
RECOGNIZABLE = {"rationality": 1.5, "listening": 3.0, "beams": 30}
