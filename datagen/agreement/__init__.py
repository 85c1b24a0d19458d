"""Which label is right: readings of the same pages compared, voted on, and looked at."""
