"""Towers for words and pictures in one latent space. Knows no Django."""
