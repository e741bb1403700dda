"""What only the server knows: the salt of participants' names, the key of session tokens, the admin token's hash."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import re
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from itsdangerous import BadSignature, URLSafeSerializer

from bgs._errors import DataError
from bgs._files import atomic_path, damage_as_error, read_json
from bgs.collection.refusals import Reason, Refused

FILE = "secrets.json"


@dataclass(frozen=True)
class Secrets:
    """Secrets of a study, in a file that only its owner reads.

    Attributes:
        salt: of participants' names.
        signing_key: of session tokens.
        admin_sha256: hash of the admin token, which is shown once and stored nowhere.
    """

    salt: str
    signing_key: str
    admin_sha256: str

    def participant_key(self, source: str, name: str) -> str:
        """Salted hash of a participant's name, the same at every visit."""
        return hmac.new(self.salt.encode(), f"{source}\0{name}".encode(), hashlib.sha256).hexdigest()

    def is_admin(self, token: str) -> bool:
        """Whether this is the admin token."""
        return hmac.compare_digest(_sha256(token), self.admin_sha256)

    def sign(self, payload: dict[str, Any], now: float) -> str:
        """A token that only this study's server makes."""
        return self._serializer().dumps({**payload, "at": round(now)})

    def verify(self, token: str, hours: float, now: float) -> dict[str, Any]:
        """The payload of a token. One from the future is accepted: the clock was set back since it was made.

        Raises:
            Refused: it is forged, or older than ``hours``.
        """
        try:
            payload = dict(self._serializer().loads(token))
        except BadSignature:
            raise Refused(Reason.TOKEN) from None
        if now - payload["at"] > hours * 3600:
            raise Refused(Reason.TOKEN)
        return payload

    def _serializer(self) -> URLSafeSerializer:
        return URLSafeSerializer(
            self.signing_key, salt="session", signer_kwargs={"digest_method": hashlib.sha256}
        )


def open_secrets(folder: Path) -> tuple[Secrets, str | None]:
    """The secrets of a study, made when it is first served.

    Returns:
        The secrets, and the admin token if it was just made: it cannot be shown again.

    Raises:
        BgsError: the file is damaged, or cannot be written.
    """
    found = read_secrets(folder)
    if found is not None:
        return found, None
    path = folder / FILE
    token = secrets.token_urlsafe(24)
    made = Secrets(secrets.token_hex(32), secrets.token_hex(32), _sha256(token))
    _write_privately(path, json.dumps(vars(made), indent=1) + "\n")
    return made, token


def read_secrets(folder: Path) -> Secrets | None:
    """The secrets of a study; None if it was never served.

    Raises:
        BgsError: the file is damaged.
    """
    path = folder / FILE
    if not path.is_file():
        return None
    with damage_as_error(
        path, "without the right secrets participants cannot resume: restore it from a copy"
    ):
        found = read_json(path)
        return Secrets(*(_hexadecimal(found, name) for name in ("salt", "signing_key", "admin_sha256")))


def _hexadecimal(found: dict[str, Any], name: str) -> str:
    value = found[name]
    if not isinstance(value, str) or not re.fullmatch("[0-9a-f]{64}", value):
        raise DataError(f"{name} is not a secret: expected 64 hexadecimal digits")
    return value


def _write_privately(path: Path, text: str) -> None:
    with atomic_path(path, mode=0o600) as part, part.open("w", encoding="utf-8") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
