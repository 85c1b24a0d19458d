"""Crops -> reader -> labels, round by round, each round behind a gate: languages that no reader here knows well."""
