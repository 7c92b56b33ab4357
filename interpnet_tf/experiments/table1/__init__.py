"""`interpnet table1`: the paper's Table 1, trained and measured row by row, beside what came after it."""
