"""Coarse extraction (the paper's 3.4.1, fitz): what the file of a PDF says of its pages."""
