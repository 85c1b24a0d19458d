"""Bulk labelling: a model is asked about each page, its answer is judged against the page, and becomes a label or a drop."""
