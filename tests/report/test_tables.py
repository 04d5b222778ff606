"""Tables as files: CSV that reads back, LaTeX that a paper takes."""

from io import BytesIO

import pandas as pd

from homoplasy.report import contents, published_tables
from homoplasy.report.contents import Column, Section, Table
from homoplasy.report.page import sections


def test_every_table_has_its_two_files_and_a_name_of_its_own(inputs):
    found = sections(inputs)
    names = [one.name for one in found]
    assert len(names) == len(set(names))
    for one in found:
        files = one.files()
        assert set(files) == {f"{one.name}.csv", f"{one.name}.tex"}
        back = pd.read_csv(BytesIO(files[f"{one.name}.csv"]), keep_default_na=False, dtype=str)
        assert len(back) == len(one.table.rows)


def test_latex_escapes_what_it_must():
    table = Table([Column("a_b"), Column("p", right=True)], [["50 % & {more}", "−1.0 × 10⁻¹²"], ["\\x", "0.1"]])
    said = contents.latex(Section("t", "T", "A note.", table))
    assert r"\begin{tabular}{lr}" in said
    assert r"a\_b & p \\" in said
    assert r"50 \% \& \{more\} & $-$1.0 $\times$ 10$^{-}$$^{1}$$^{2}$ \\" in said
    assert r"\textbackslash{}x & 0.1 \\" in said
    assert said.index(r"\toprule") < said.index(r"\midrule") < said.index(r"\bottomrule")


def test_printed_numbers_that_do_not_come_out_are_counted(again):
    checks = again["printed_checks"]
    assert f"{len(checks)} of {len(checks)}" in published_tables.checks(checks).note
    one_off = checks.assign(agrees=[False] + [True] * (len(checks) - 1))
    assert f"{len(checks) - 1} of {len(checks)}" in published_tables.checks(one_off).note


def test_pearson_and_spearman_stand_on_one_row(again):
    section = published_tables.by_benchmark(again["associations"], "n", "t", "")
    (row,) = [row for row in section.table.rows if row[:4] == ["sigma=36", "language", "leaderboard2_avg", "–"]]
    assert (row[4], row[5], row[9]) == ("36", "0.89", "0.88")
