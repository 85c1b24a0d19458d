"""A page's lines as labelled regions in reading order, by a small network that learned from pages of known truth."""
