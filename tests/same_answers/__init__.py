"""Tests that both stores give the same answers, to the last byte."""
