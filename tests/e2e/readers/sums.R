# SPDX-License-Identifier: BSD-2-Clause
# What R reads in an exported tree: as sums.py.
for (path in Sys.glob(file.path(commandArgs(TRUE)[1], "run=*", "host=*", "*.csv"))) {
  frame <- read.csv(path, na.strings = "", check.names = FALSE)
  for (column in names(frame)) {
    values <- frame[[column]]
    values <- values[!is.na(values)]
    is_number <- is.numeric(values) || length(values) == 0
    cat(sub("\\.csv$", "", basename(path)), column,
      if (is_number) sprintf("%.17g", sum(as.numeric(values))) else "text", length(values),
      if (is_number) sprintf("%.17g", max(0, abs(as.numeric(values)))) else "text",
      sep = "\t"
    )
    cat("\n")
  }
}
