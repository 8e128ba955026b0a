"""How often something may be tried: counted in the cache, which all processes share."""

import math
import time
from ipaddress import ip_address, ip_network

from django.http import HttpResponse

from atlas.cache import counted


class TooManyError(Exception):
    """Something was tried too often: a sentence for who tried, and after how many seconds it may go on."""

    def __init__(self, sentence: str, seconds: int) -> None:
        super().__init__(sentence)
        self.seconds = seconds


def within(name: str, most: int, seconds: int, count: int = 1) -> bool:
    """Count tries of `name`; whether they are among the first `most` of this stretch of so many seconds."""
    key = f"tries:{name}:{int(time.time() // seconds)}"
    return counted(key, count, 2 * seconds) <= most


def require_within(name: str, most: int, seconds: int, sentence: str, count: int = 1) -> None:
    """Raises TooManyError with the sentence, and the time to the next stretch."""
    if not within(name, most, seconds, count):
        raise TooManyError(sentence, math.ceil(seconds - time.time() % seconds))


def network_of(address: str | None, of_four: int = 32, of_six: int = 64) -> str:
    """What an IP address counts as: its network of so many bits. One visitor by IPv6 has a whole /64."""
    if address is None:
        return ""
    ip = ip_address(address)
    ip = getattr(ip, "ipv4_mapped", None) or ip
    return str(ip_network((ip, of_four if ip.version == 4 else of_six), strict=False))


def refused(response: HttpResponse, error: TooManyError) -> HttpResponse:
    """The response as one that says: not now."""
    response.status_code = 429
    response["Retry-After"] = str(error.seconds)
    return response
