"""The written pages: current, linked, and true where they show code."""
