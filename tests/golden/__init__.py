"""The compiled rows of every law on one tiny structure, as text that a change of a law must show."""
