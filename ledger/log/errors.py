"""What can be wrong with something shown as evidence. Whoever verifies catches `VerificationError`."""


class VerificationError(Exception):
    """The evidence does not show what it claims; the message names what was expected and what was found."""


class MalformedError(VerificationError):
    """The bytes do not follow their format, so they say nothing at all."""


class ProofError(VerificationError):
    """A Merkle proof does not lead from what it starts at to the root it claims."""

    def __init__(self, claim: str, *, expected: object, found: object) -> None:
        super().__init__(f"{claim}: expected {expected}, found {found}")
        self.claim = claim
        self.expected = expected
        self.found = found


class SignatureError(VerificationError):
    """A signature by a known key is wrong, or no known key signed."""


class QuorumError(VerificationError):
    """The log signed, but fewer witnesses cosigned than the policy asks for."""
