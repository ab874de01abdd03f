"""The screening list as a file: the shipped one is whole, and a site's own can only make it stricter."""

from pathlib import Path

import pytest

from controller.session import screening
from controller.session.faults import ProtocolRefused
from safety.screening import Asks, Kind, When

pytestmark = pytest.mark.hazard("H50")

GOOD = """site: Ward 3
for_version: 1
stricter:
  - {id: epilepsy, kind: block}
add:
  - id: fever
    kind: block
    question: "Fever today?"
    source: "Ward 3, hygiene rule 4"
    since: 1
"""


@pytest.fixture
def site(tmp_path):
    def write(text):
        path = tmp_path / "screening.yaml"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write


def refused(path):
    with pytest.raises(ProtocolRefused) as caught:
        screening.load(path)
    return caught.value


def test_the_shipped_list_says_for_each_row_where_it_comes_from():
    found = screening.shipped()
    assert found.version == 1
    assert len({row.id for row in found.rows}) == len(found.rows)
    assert all(row.source and 1 <= row.since <= found.version for row in found.rows)
    kinds = {kind: [row.id for row in found.rows if row.kind is kind] for kind in Kind}
    assert {"active_implant", "pregnancy", "placement", "cannot_report"} <= set(kinds[Kind.BLOCK])
    assert {"epilepsy", "dysreflexia", "numb", "other_implant"} <= set(kinds[Kind.SIGN_OFF])
    assert {"identity", "side", "skin_before", "pads_own", "stop_rule"} <= set(kinds[Kind.EVERY_SESSION])
    assert [row.id for row in found.rows if row.asks is Asks.DATE] == ["botulinum"]
    assert [row.when for row in found.rows][-2:] == [When.TWO_MINUTES, When.AFTER]
    assert screening.load(None) is found


def test_a_sites_file_moves_rows_to_block_and_adds_its_own(site):
    found = screening.load(site(GOOD))
    rows = {row.id: row for row in found.rows}
    assert rows["epilepsy"].kind is Kind.BLOCK
    assert rows["fever"].question == "Fever today?"
    assert len(rows) == len(screening.shipped().rows) + 1
    assert (found.site, found.version, found.sha256) == ("Ward 3", 1, screening.shipped().sha256)
    assert found.site_sha256 != screening.load(site(GOOD + "# more\n")).site_sha256


@pytest.mark.parametrize(
    ("old", "new", "line", "says"),
    [
        ("{id: epilepsy, kind: block}", "{id: pregnancy, kind: sign_off}", 4, "soften"),
        ("{id: epilepsy, kind: block}", "{id: epilepsy, kind: every_session}", 4, "soften"),
        ("{id: epilepsy, kind: block}", "{id: skin_before, kind: block}", 4, "soften"),
        ("{id: epilepsy, kind: block}", "{id: epilepsi, kind: block}", 4, 'did you mean "epilepsy"'),
        ("{id: epilepsy, kind: block}", "{id: epilepsy, kind: never}", 4, "is no kind"),
        ("{id: epilepsy, kind: block}", "{id: epilepsy, kind: block, question: x}", 4, "no key here"),
        ("{id: epilepsy, kind: block}", "epilepsy", 4, "a row is a list"),
        ("for_version: 1", "for_version: 2", 2, "never goes back"),
        ("for_version: 1", "for_version: 0", 2, "is no version"),
        ("for_version: 1", "version: 1", 2, "no key here"),
        ("stricter:", "strict:", 3, 'did you mean "stricter"'),
        ("stricter:\n  - {id: epilepsy, kind: block}", "remove: [epilepsy]", 3, "no key here"),
        ("stricter:\n  - {id: epilepsy, kind: block}", "stricter: all", 3, "is no list"),
        ("id: fever", "id: pregnancy", 6, "names of their own"),
        ("kind: block\n    question", "kind: sign_of\n    question", 7, 'did you mean "sign_off"'),
        ('    source: "Ward 3, hygiene rule 4"\n', "", 6, '"source" is missing'),
        ('"Fever today?"', '"' + "Fever? " * 12 + '"', 8, "shorten it"),
        ("since: 1", "since: last", 10, "is no version"),
        ("since: 1", "since: 1\n    when: after", 6, "every_session alone"),
        ("since: 1", "since: 1\n    asks: pads", 6, "every_session alone"),
        ("since: 1", "since: 1\n    asks: colour", 11, "is no asks"),
        ("site: Ward 3\n", "", 1, '"site" is missing'),
        ("site: Ward 3", "site: [a]", 1, '"site" is missing'),
        ("site: Ward 3", "site: &a Ward 3", 1, "anchor"),
        ("site: Ward 3", "site: x\nsite: y", 2, "stands twice"),
    ],
)
def test_what_is_wrong_is_said_with_its_line_and_a_fix(site, old, new, line, says):
    assert old in GOOD
    found = refused(site(GOOD.replace(old, new)))
    assert says in str(found)
    assert line in [fault.line for fault in found.faults]
    assert all(fault.fix and fault.where.count(":") >= 2 for fault in found.faults)


def test_all_that_is_wrong_is_said_together(site):
    text = GOOD.replace("for_version: 1", "for_version: 9").replace("id: epilepsy, kind: block", "id: cancer, kind: x")
    assert len(refused(site(text.replace("since: 1", "since: 0"))).faults) == 3


@pytest.mark.parametrize(
    "content", [b"", b"\0\1\2", b"\xff\xfe", b"- a\n- b\n", b"[" * 5000, b"x: " * 90_000, b"a: *b\n"]
)
def test_odd_files_end_in_a_sentence(site, content):
    assert refused(site(content)).faults


def test_a_file_that_cannot_be_read(tmp_path):
    assert "cannot be read" in str(refused(tmp_path / "none.yaml"))
    assert "cannot be read" in str(refused(tmp_path))


def test_too_many_rows(site):
    row = '  - {id: r%d, kind: block, question: "Q?", source: s, since: 1}\n'
    assert "are the most" in str(refused(site(GOOD + "".join(row % number for number in range(60)))))


def test_a_sites_file_is_found_beside_the_records(tmp_path):
    named = Path("/somewhere/else.yaml")
    assert screening.found(tmp_path) is None
    assert screening.found(tmp_path, named) == named
    (tmp_path / "screening.yaml").write_text(GOOD)
    assert screening.found(tmp_path) == tmp_path / "screening.yaml"
    assert screening.found(tmp_path, named) == named
