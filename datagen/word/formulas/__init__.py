"""Formulas of Word documents: OMML to LaTeX."""
