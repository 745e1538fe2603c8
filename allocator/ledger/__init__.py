"""The ledger: what plans and people did to stock, append-only, each transaction once, in SQLite or PostgreSQL (docs/ledger.md)."""
