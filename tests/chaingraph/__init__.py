"""Tests of chaingraph."""
