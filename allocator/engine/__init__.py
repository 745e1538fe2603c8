"""Solving: the one HiGHS wrapper, its child process, and the engine that solves a program whole."""
