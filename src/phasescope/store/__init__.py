"""Runs on disk: one directory, one SQLite file and one writer per recording."""
