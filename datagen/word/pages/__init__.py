"""The pages of a Word document, and what each shows."""
