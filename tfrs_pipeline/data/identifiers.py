"""Ids for rows that an import brings in: UUIDs that are the same each time and sort as the numbers they stand for."""

import hashlib
from dataclasses import dataclass
from uuid import UUID

LARGEST_NUMBER = 2**48 - 1

_VERSION = 0x8 << 12  # RFC 9562, section 5.8: version 8 leaves its 122 other bits to whoever makes the id.
_VARIANT = 0b10 << 62
_VIDEO, _USER = 1, 2


@dataclass(frozen=True)
class Source:
    """One data set that rows come from.

    An id is, from the left: 48 bits that tell this data set from others, the version, 12 bits for the kind of row, the
    variant, 14 zero bits, and the 48 bits of the row's number. So ids of two data sets do not meet, and within one the
    order of the ids, as bytes and as text, is the order of the numbers.
    """

    fingerprint: int

    @staticmethod
    def of(*what_identifies_it: object) -> "Source":
        """The source with a fingerprint of these values: equal values give an equal source."""
        digest = hashlib.sha256("\0".join(str(part) for part in what_identifies_it).encode()).digest()
        return Source(int.from_bytes(digest[:6], "big"))

    def video(self, number: int) -> UUID:
        """The id of the video with this number, 0 to 2^48 - 1."""
        return UUID(int=self.video_bits << 64 | LOW_BITS | number)

    def user(self, number: int) -> UUID:
        """The id of the user with this number, 0 to 2^48 - 1."""
        return UUID(int=self.user_bits << 64 | LOW_BITS | number)

    @property
    def video_bits(self) -> int:
        """The upper 64 bits that all videos of this source share."""
        return self.fingerprint << 16 | _VERSION | _VIDEO

    @property
    def user_bits(self) -> int:
        """The upper 64 bits that all users of this source share."""
        return self.fingerprint << 16 | _VERSION | _USER


LOW_BITS = _VARIANT
"""The lower 64 bits of number 0; a number is added to them."""
