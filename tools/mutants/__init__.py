"""Breaks one guarantee at a time and expects a test to notice."""
