"""Fine annotation (the paper's 3.4.1): labelled regions in reading order."""
