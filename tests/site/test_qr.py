"""QR codes: what is drawn is what is read, no module too small, with its quiet zone."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.receipt.compact import MAX_COMPACT_BYTES, decode_compact, encode_compact
from public_site import certificate, qr
from tests.receipt.kept import receipt
from tests.support.qr import drawings

MODULE_MM = 0.4


@settings(deadline=None, max_examples=25)
@given(
    st.binary(min_size=1, max_size=MAX_COMPACT_BYTES)
    | st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=80)
)
def test_a_code_says_to_a_foreign_reader_what_it_was_given(content: str | bytes) -> None:
    (drawn,) = drawings(qr.drawn(content, module_um=500, side_um=200_000))
    assert drawn.content == (content.encode() if isinstance(content, str) else content)
    assert drawn.quiet == qr.QUIET


@pytest.mark.parametrize("paper", certificate.PAPERS)
def test_the_longest_proof_there_can_be_fits_each_paper_with_modules_that_a_telephone_reads(paper: str) -> None:
    sizes = {"module_um": certificate.PROOF_MODULE_UM[paper], "side_um": certificate.PROOF_SIDE_UM[paper]}
    proof = encode_compact(receipt())
    for content in (bytes(MAX_COMPACT_BYTES), proof):
        (drawn,) = drawings(qr.drawn(content, **sizes))
        assert drawn.module_mm >= MODULE_MM
        assert drawn.side_mm <= certificate.PROOF_SIDE_UM[paper] / 1000
        assert drawn.content == content
    assert decode_compact(proof).entry == receipt().entry


def test_the_link_of_the_longest_address_is_read_easily() -> None:
    host = "-".join(["yangguang"] * 6) + ".redcross-example.org.cn"
    (drawn,) = drawings(certificate.link_drawn(f"https://{host}:65535/en/r#7K3M-9XQ2-F4HT-B8WY"))
    assert drawn.module_mm >= MODULE_MM
    assert drawn.side_mm <= certificate.LINK_SIDE_UM / 1000


def test_what_no_code_of_that_width_holds_is_refused_and_not_drawn_smaller() -> None:
    with pytest.raises(ValueError, match="wider than"):
        qr.drawn(bytes(2_000), module_um=500, side_um=40_000)


def test_a_code_has_no_style_of_its_own_so_that_the_strict_policy_lets_it_be_seen() -> None:
    drawn = qr.drawn("https://ledger.example/r#7K3M-9XQ2-F4HT-B8WY", module_um=500, side_um=40_000)
    assert "style" not in drawn
    assert "class" not in drawn
