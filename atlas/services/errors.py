"""What can go wrong while starting, said so that the reader knows what to do next."""


class ServiceError(Exception):
    """A service cannot start or has failed; the message is a sentence for the person at the terminal."""
