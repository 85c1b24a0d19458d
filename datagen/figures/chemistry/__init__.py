"""Chemical structures and their SMILES."""
