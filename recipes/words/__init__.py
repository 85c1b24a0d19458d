"""The words that recipes and verbs take. The standard library alone is imported here."""
