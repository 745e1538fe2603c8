"""Admission control: how much each channel may book ahead of demand that is served before it."""

from allocator.policy.booking import Classes, booking_limits, fraction_kept, protect

__all__ = ["Classes", "booking_limits", "fraction_kept", "protect"]
