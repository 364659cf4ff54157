"""Tests of pooled figures."""
