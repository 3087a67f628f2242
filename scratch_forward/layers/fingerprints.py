"""The 64-bit hashes of strings that TensorFlow computes: FarmHash and SipHash.

All functions return unsigned integers below 2**64.
"""

from __future__ import annotations

_ALL = (1 << 64) - 1
_K0, _K1, _K2 = 0xC3A5C85C97CB3127, 0xB492B66FBE98F273, 0x9AE16A3B2F90404F
_CAT = 0xC6A4A7935BD1E995


def farm_hash(text: bytes) -> int:
    """Return `farmhash::Fingerprint64` of a string (github.com/google/farmhash)."""
    size = len(text)
    if size <= 16:
        return _hash_to_16(text)
    mul = _K2 + 2 * size
    if size <= 32:
        return _hash_ends(text, _word(text, 0) * _K1, mul)[1]
    if size <= 64:
        return _hash_to_64(text, mul)
    return _hash_long(text)


def joined(first: int, second: int) -> int:
    """Return the fingerprint of two fingerprints, TensorFlow's `FingerprintCat64`."""
    result = (first ^ _CAT ^ (_mixed(second * _CAT) * _CAT)) * _CAT
    return _mixed(_mixed(result) * _CAT)


def sip_hash(text: bytes, key: tuple[int, int]) -> int:
    """Return SipHash-2-4 of a string (Aumasson and Bernstein, 2012).

    Args:
        text: The string.
        key: The two halves of the key.
    """
    low, high = (half & _ALL for half in key)
    state = [
        *(low ^ 0x736F6D6570736575, high ^ 0x646F72616E646F6D),
        *(low ^ 0x6C7967656E657261, high ^ 0x7465646279746573),
    ]
    padded = text + bytes(-(len(text) + 1) % 8) + bytes([len(text) % 256])
    for start in range(0, len(padded), 8):
        word = _word(padded, start)
        state[3] ^= word
        _sip_rounds(state, 2)
        state[0] ^= word
    state[2] ^= 0xFF
    _sip_rounds(state, 4)
    return state[0] ^ state[1] ^ state[2] ^ state[3]


def _sip_rounds(state: list[int], count: int) -> None:
    a, b, c, d = state
    for _ in range(count):
        a, c = (a + b) & _ALL, (c + d) & _ALL
        b, d = _left(b, 13) ^ a, _left(d, 16) ^ c
        a, c = (_left(a, 32) + d) & _ALL, (c + b) & _ALL
        b, d = _left(b, 17) ^ c, _left(d, 21) ^ a
        c = _left(c, 32)
    state[:] = a, b, c, d


def _hash_to_16(text: bytes) -> int:
    size = len(text)
    mul = _K2 + 2 * size
    if size >= 8:
        a, b = _word(text, 0) + _K2, _word(text, size - 8)
        return _pair(_right(b, 37) * mul + a, (_right(a, 25) + b) * mul, mul)
    if size >= 4:
        first, last = (int.from_bytes(part, "little") for part in (text[:4], text[-4:]))
        return _pair(size + (first << 3), last, mul)
    if size:
        y, z = text[0] + (text[size >> 1] << 8), size + (text[-1] << 2)
        return _mixed(y * _K2 ^ z * _K0) * _K2 & _ALL
    return _K2


def _hash_ends(text: bytes, a: int, mul: int) -> tuple[int, int]:
    """Hash the first and the last 16 bytes. Returns the first argument of the hash, and the hash.

    `a` is the first word multiplied by a constant.
    """
    b, c, d = _word(text, 8), _word(text, len(text) - 8) * mul, _word(text, len(text) - 16) * _K2
    y = _right(a + b, 43) + _right(c, 30) + d
    return y, _pair(y, a + _right(b + _K2, 18) + c, mul)


def _hash_to_64(text: bytes, mul: int) -> int:
    size, a = len(text), _word(text, 0) * _K2
    y, z = _hash_ends(text, a, mul)
    e, f = _word(text, 16) * mul, _word(text, 24)
    g, h = (y + _word(text, size - 32)) * mul, (z + _word(text, size - 24)) * mul
    return _pair(_right(e + f, 43) + _right(g, 30) + h, e + _right(f + a, 18) + g, mul)


def _hash_long(text: bytes) -> int:
    """Hash more than 64 bytes: all blocks of 64 but the last, then the last 64 bytes."""
    rest = (len(text) - 1) % 64
    x, y = 81 * _K2 + _word(text, 0), 81 * _K1 + 113
    z = _mixed(y * _K2 + 113) * _K2
    v, w = (0, 0), (0, 0)
    for at in range(0, len(text) - 1 - rest, 64):
        x, y, z, v, w = _block(text, at, x, y, z, v, w, _K1, 1)
    mul = _K1 + ((z & 0xFF) << 1)
    w_first = w[0] + rest
    v_first = v[0] + w_first
    v, w = (v_first, v[1]), (w_first + v_first, w[1])
    x, y, z, v, w = _block(text, len(text) - 64, x, y, z, v, w, mul, 9)
    return _pair(_pair(v[0], w[0], mul) + _mixed(y) * _K0 + z, _pair(v[1], w[1], mul) + x, mul)


def _block(
    text: bytes,
    at: int,
    x: int,
    y: int,
    z: int,
    v: tuple[int, int],
    w: tuple[int, int],
    mul: int,
    weight: int,
) -> tuple[int, int, int, tuple[int, int], tuple[int, int]]:
    """Mix 64 bytes into the state of `_hash_long`."""
    x = _right(x + y + v[0] + _word(text, at + 8), 37) * mul
    y = _right(y + v[1] + _word(text, at + 48), 42) * mul
    x = (x ^ w[1] * weight) & _ALL
    y += v[0] * weight + _word(text, at + 40)
    z = _right(z + w[0], 33) * mul
    v = _weak(text, at, v[1] * mul, x + w[0])
    w = _weak(text, at + 32, z + w[1], y + _word(text, at + 16))
    return z & _ALL, y & _ALL, x, v, w


def _weak(text: bytes, at: int, a: int, b: int) -> tuple[int, int]:
    """Hash 32 bytes with two seeds to two words."""
    first, second, third, fourth = (_word(text, at + 8 * index) for index in range(4))
    a += first
    b = _right(b + a + fourth, 21)
    total = a + second + third
    return (total + fourth) & _ALL, (b + _right(total, 44) + a) & _ALL


def _pair(u: int, v: int, mul: int) -> int:
    """Hash two words to one."""
    a = _mixed((u ^ v) * mul)
    return _mixed((v ^ a) * mul) * mul & _ALL


def _word(text: bytes, at: int) -> int:
    return int.from_bytes(text[at : at + 8], "little")


def _mixed(value: int) -> int:
    value &= _ALL
    return value ^ (value >> 47)


def _right(value: int, by: int) -> int:
    """Rotate to the right."""
    value &= _ALL
    return (value >> by) | (value << (64 - by) & _ALL)


def _left(value: int, by: int) -> int:
    """Rotate to the left."""
    return _right(value, 64 - by)
