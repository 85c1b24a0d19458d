"""Formulas: LaTeX that is drawn, parsed and compared with ink."""
