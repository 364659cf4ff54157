"""Tests of agreements: how they come about and end, what they mean, requests for names, their exchange."""
