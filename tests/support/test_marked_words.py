from interpnet_tf.support.marked_words import COLORS, color_of, legend_html, table_html, words_html


def test_words_are_text_and_punctuation_follows():
    page = words_html(["<b>", "&", "."], [None, 1, None], [0, 0.5, 0], ["", 'say "x"', ""])
    assert page.startswith('<span>&lt;b&gt;</span> <span title="say &quot;x&quot;" style=')
    assert page.endswith("&amp;</span><span>.</span>")


def test_a_mark_is_a_tint_and_a_line():
    """Number 1 is orange, #E69F00 = (230, 159, 0), with a dashed line; half of the most opaque is 0.22."""
    page = words_html(["red"], [1], [0.5])
    assert "background:rgba(230,159,0,0.23)" in page or "background:rgba(230,159,0,0.22)" in page
    assert "border-bottom:2px dashed #E69F00" in page


def test_marks_differ_by_colour_and_line():
    looks = {legend_html(["x"] * count).rsplit("style=")[-1] for count in range(1, 1 + len(COLORS) * 4)}
    assert len(looks) == len(COLORS) * 4
    assert color_of(len(COLORS)) == COLORS[0]


def test_tables_have_headings():
    page = table_html(["<a>"], ["layer"], [["+1.00"]])
    assert '<th scope="row">&lt;a&gt;</th><td style="text-align:right">+1.00</td>' in page
    assert '<th scope="col">layer</th>' in page
