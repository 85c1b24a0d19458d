"""The pages of a Word document and their content."""
