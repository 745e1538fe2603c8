"""Item by item against prices of what the items share: networks that no single program can hold (docs/priced.md)."""
