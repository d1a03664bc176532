"""The bench: systems under test, load, and the table. Python's standard library only; see ../README.md."""
