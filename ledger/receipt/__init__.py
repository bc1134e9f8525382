"""What a donor keeps: an entry's bytes with the proof of its place, as a file, as a QR code, as a dossier."""
