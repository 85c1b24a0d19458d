"""Figures (the paper's 3.4.2, OCR 2.0), drawn here with their labels."""
