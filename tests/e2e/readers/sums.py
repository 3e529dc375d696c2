# SPDX-License-Identifier: BSD-2-Clause
"""What pandas reads in an exported tree: a line per column of numbers, "table<TAB>column<TAB>sum<TAB>count<TAB>largest"."""

import glob
import os
import sys

import pandas as pd

for path in sorted(glob.glob(os.path.join(sys.argv[1], "run=*", "host=*", "*.csv"))):
    table = os.path.basename(path)[:-4]
    frame = pd.read_csv(path, keep_default_na=False, na_values=[""])
    for column in frame.columns:
        values = frame[column].dropna()
        if pd.api.types.is_numeric_dtype(values):
            largest = abs(values).max() if len(values) else 0
            print(table, column, repr(values.sum().item() if len(values) else 0), len(values), repr(largest), sep="\t")
        else:
            print(table, column, "text", len(values), "text", sep="\t")
