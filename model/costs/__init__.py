"""The memory and time of trainings, by formula."""
