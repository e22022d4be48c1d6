"""Encryption of identity, account and phone numbers: SM4-GCM, and HMAC-SM3 blind indexes.

Keys come from settings.FIELD_KEYS, JSON: {"current": id, "keys": {id: 32 hex digits}, "index": 64 hex digits}.
A production county replaces `provider` by one over its 密码机 (GB/T 39786); callers know only the three functions.
"""

import json
import os
from functools import cache
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.hmac import HMAC
from django.conf import settings

NONCE = 12
TAG = 16


class DecryptionError(Exception):
    """A stored value cannot be read with the present keys."""


class Provider(Protocol):
    """What a cryptographic module must offer."""

    def encrypt(self, plain: bytes) -> bytes: ...
    def decrypt(self, stored: bytes) -> bytes: ...
    def digest(self, plain: bytes) -> bytes: ...


class SoftwareProvider:
    """SM4-GCM in software. Stored form: key id, ':', nonce (12), ciphertext, tag (16)."""

    def __init__(self, current: str, keys: dict[str, str], index: str) -> None:
        self.configuration = {"current": current, "keys": keys, "index": index}
        self.current = current.encode()
        self.keys = {name.encode(): algorithms.SM4(bytes.fromhex(key)) for name, key in keys.items()}
        self.index = HMAC(bytes.fromhex(index), hashes.SM3())

    def encrypt(self, plain: bytes) -> bytes:
        nonce = os.urandom(NONCE)
        encryptor = Cipher(self.keys[self.current], modes.GCM(nonce)).encryptor()
        body = encryptor.update(plain) + encryptor.finalize()
        return self.current + b":" + nonce + body + encryptor.tag

    def decrypt(self, stored: bytes) -> bytes:
        name, _, rest = stored.partition(b":")
        if name not in self.keys:
            raise DecryptionError("密钥编号不在当前密钥文件中")
        nonce, body, tag = rest[:NONCE], rest[NONCE:-TAG], rest[-TAG:]
        decryptor = Cipher(self.keys[name], modes.GCM(nonce, tag)).decryptor()
        try:
            return decryptor.update(body) + decryptor.finalize()
        except InvalidTag as error:
            raise DecryptionError("密文被改动或密钥不符") from error

    def digest(self, plain: bytes) -> bytes:
        mac = self.index.copy()
        mac.update(plain)
        return mac.finalize()


@cache
def provider() -> Provider:
    """The provider configured for this process."""
    return SoftwareProvider(**json.loads(settings.FIELD_KEYS))


def encrypt(text: str) -> bytes:
    """Encrypt a short text; '' stays b''."""
    return provider().encrypt(text.encode()) if text else b""


def decrypt(stored: bytes | memoryview) -> str:
    """Return the text of a stored value; b'' is ''. Raises DecryptionError."""
    return provider().decrypt(bytes(stored)).decode() if stored else ""


def blind_index(text: str) -> bytes:
    """Keyed digest (32 bytes) under which equal texts can be found without being read; '' stays b''."""
    return provider().digest(text.encode()) if text else b""
