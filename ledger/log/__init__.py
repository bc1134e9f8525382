"""The verifiable log: bytes in, proofs out; RFC 6962 trees and C2SP notes, nothing of donations."""
