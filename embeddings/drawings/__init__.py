"""Emoji as drawings with captions: the pictures `mini` learns from and the sample dataset shows."""
