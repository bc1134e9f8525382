"""As much of DER (X.690) as timestamp tokens need: elements within an element, and a SET OF put in its order."""

SEQUENCE = 0x30
CERTIFICATES = 0xA0
"""Of SignedData (RFC 5652, section 5.1): [0] IMPLICIT SET OF; no signature covers it."""


def sequence(*elements: bytes) -> bytes:
    """A SEQUENCE of what is DER already."""
    content = b"".join(elements)
    size = len(content)
    if size < 0x80:
        return bytes((SEQUENCE, size)) + content
    length = size.to_bytes((size.bit_length() + 7) // 8)
    return bytes((SEQUENCE, 0x80 | len(length))) + length + content


def elements(data: bytes) -> list[bytes]:
    """What stands in the one element that this is. Raises ValueError."""
    start, end = _content(data, 0)
    if end != len(data):
        raise ValueError(f"{len(data) - end} bytes after its end")
    found = []
    while start < end:
        _, after = _content(data, start)
        found.append(data[start:after])
        start = after
    return found


def in_order(token: bytes) -> bytes:
    """The token with its certificates in the order of DER. Raises ValueError.

    Much software, openssl among it, sends them as they come; readers of DER refuse that.
    """
    _, wrapped = elements(token)  # ContentInfo: type, [0] EXPLICIT
    (signed,) = elements(wrapped)
    for element in elements(signed):
        if element[0] == CERTIFICATES:
            certificates = elements(element)
            return token.replace(b"".join(certificates), b"".join(sorted(certificates)), 1)
    return token


def _content(data: bytes, at: int) -> tuple[int, int]:
    """Where the content of the element at this place begins and ends. One-byte tags, definite lengths."""
    header = data[at : at + 2]
    if len(header) < 2:
        raise ValueError("cut off")
    start, size = at + 2, header[1]
    if size >= 0x80:
        count = size & 0x7F
        start, size = start + count, int.from_bytes(data[start : start + count])
        if not 1 <= count <= 4:
            raise ValueError("no definite length of at most four bytes")
    if start + size > len(data):
        raise ValueError("cut off")
    return start, start + size
