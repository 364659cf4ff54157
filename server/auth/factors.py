"""Passwords by argon2id, and second factors: codes that change with the time (RFC 6238), and recovery codes."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import unicodedata

import pyotp
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

SHORTEST, LONGEST = 12, 256
"""Characters of a password."""
STEP = 30
"""Seconds for which a code is shown."""
AROUND = (0, -1, 1)
"""Steps by which clocks may differ."""
RECOVERIES = 8

_HASHER = PasswordHasher()  # argon2id with the parameters of RFC 9106 for machines with little memory
_NOBODYS = _HASHER.hash(secrets.token_hex())
"""Of no account: checked where there is none, so that it takes as long."""


def hashed(password: str) -> str:
    """What is kept of a password."""
    return _HASHER.hash(_plain(password))


def fits(password: str, kept: str | None) -> bool:
    """Whether it is the password of which `kept` is kept; as much work where nothing is."""
    try:
        _HASHER.verify(kept or _NOBODYS, _plain(password))
    except (VerificationError, InvalidHashError):
        return False
    return kept is not None


def _plain(password: str) -> str:
    """One form of what keyboards write in several."""
    return unicodedata.normalize("NFKC", password)


def step(secret: str, code: str, now: float, after: int, digits: int = 6) -> int | None:
    """The step of time that a code is of, None where it is of none around now, or of one up to `after`.

    `after` is the step of the code that was taken last: none is taken twice.
    """
    totp, found = pyotp.TOTP(secret, digits=digits, interval=STEP), None
    at = int(now) // STEP
    for shift in AROUND:
        same = hmac.compare_digest(totp.generate_otp(max(at + shift, 0)).encode(), code.encode())
        if same and at + shift > after:
            found = at + shift
    return found


def recovery_codes() -> list[str]:
    """Codes for whoever has lost the second factor, each good once: 80 random bits in groups of five."""
    drawn = [secrets.token_hex(10) for _ in range(RECOVERIES)]
    return ["-".join(each[at : at + 5] for at in range(0, 20, 5)) for each in drawn]


def recovery_digest(account: str, code: str) -> str:
    """What is kept of a recovery code: it is random, so a plain hash cannot be guessed back."""
    plain = "".join(code.split()).lower().replace("-", "")
    return hashlib.sha256(f"{account}:{plain}".encode()).hexdigest()
