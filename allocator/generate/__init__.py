"""Made-up networks of any size, for scale tests and benchmarks: `generate`."""

from allocator.generate.generating import generate

__all__ = ["generate"]
