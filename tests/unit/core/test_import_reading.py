"""Files as people have them: every one is read as it was meant, or refused with a sentence that says where."""

import codecs

import pytest

from core.imports.reading import MAX_BYTES, Shape, Unreadable, outline, records, sniff

TEXT = "Number;Name;Amount\nA1;Käthe Söhne;1.234,50\nA2;Œuvre “Paris” €;2,00\n"


def read(data: bytes) -> list[list[str]]:
    shape = sniff(data)
    outline(data, shape)
    return [cells for _number, cells in records(data, shape)]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"])
def test_an_encoding_is_found(encoding: str) -> None:
    assert read(TEXT.encode(encoding))[1:] == [
        ["A1", "Käthe Söhne", "1.234,50"],
        ["A2", "Œuvre “Paris” €", "2,00"],
    ]


def test_letters_far_behind_decide_as_well() -> None:
    rows = "".join(f"A{n};plain;1\n" for n in range(20_000))
    data = ("Number;Name;Amount\n" + rows + "B1;Käthe;1\n").encode("cp1252")
    assert read(data)[-1] == ["B1", "Käthe", "1"]


def test_polish_is_not_taken_for_german() -> None:
    text = "Numer;Nazwa\n" + "1;Łódź, Żółć i Gęś spółka z ograniczoną odpowiedzialnością\n" * 20
    assert read(text.encode("cp1250"))[1][1].startswith("Łódź, Żółć")


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_a_separator_is_found_beside_commas_in_text(delimiter: str) -> None:
    data = f'Number{delimiter}Name{delimiter}Amount\nA1{delimiter}"Moss, Wexley"{delimiter}"1,50"\n'.encode()
    assert read(data)[1] == ["A1", "Moss, Wexley", "1,50"]


def test_line_ends_may_be_mixed_and_lines_blank() -> None:
    data = b"Number,Name\r\nA1,x\n\nA2,y\rA3,z\r\n , \r\n"
    assert [number for number, _cells in records(data, Shape("utf-8", ","))] == [1, 2, 4, 5]


def test_headings_on_two_lines_come_back_from_a_form() -> None:
    data = b'Number,"Amount\n(EUR)"\nA1,5\n'
    assert outline(data, sniff(data)).headers == ["Number", "Amount (EUR)"]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "empty"),
        (b" \r\n\t\n", "empty"),
        (codecs.BOM_UTF8, "empty"),
        (b"Number,Name\n", "no rows"),
        (b"Number,Name,Number\nA,b,c\n", "Two columns are called “Number”"),
        (b"Number,,Name\nA,b,c\n", "Column 2 has no name"),
        (b'Number,Name\nA1,"open\nA2,b\n', "After line 1 the file breaks off"),
        (b"Number,Name\nA1," + b"x" * 30_000 + b"\n", "After line 1 the file breaks off"),
        (b"Number,Name\nA1,x\0y\n", "Line 2 is not text"),
        (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + bytes(range(256)) * 9, ""),
        (b"PK\x03\x04" + b"\x00\x14\x00\x08" * 99, ""),
        (b"a" * (MAX_BYTES + 1), "larger than 32 MB"),
        (b"Number,Name\n" + b"A1,x\n" * 200_001, "more than 200000 rows"),
        (",".join(f"c{n}" for n in range(201)).encode() + b"\n1\n", "at most 200"),
        (b"N" * 201 + b",Name\nA,b\n", "longer than 200 characters"),
    ],
)  # fmt: skip
def test_what_is_no_table_is_refused(data: bytes, said: str) -> None:
    with pytest.raises(Unreadable) as refused:
        read(data)
    assert said in refused.value.message


@pytest.mark.parametrize(
    ("data", "encoding"),
    [
        (TEXT.encode("cp1252"), "utf-8"),
        (b"N,M\nA\n", "utf-16"),
        (b"N,M\na,b\n", "no-such"),
        ("N,M\na,\ud800\n".encode("utf-16-le", "surrogatepass"), "utf-16-le"),
    ],
)
def test_the_wrong_encoding_is_refused_with_the_line(data: bytes, encoding: str) -> None:
    with pytest.raises(Unreadable, match="Choose another encoding"):
        outline(data, Shape(encoding, ","))
