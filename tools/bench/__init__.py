"""Figures of the product's speed, each a ratio against a peer or limit measured in the same run."""
