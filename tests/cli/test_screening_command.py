"""`stimloop screening`: the list with its sources, and a site's file that is checked."""

import json

import pytest

from controller.cli.main import main

pytestmark = pytest.mark.hazard("H50")


def test_the_list_and_a_sites_file(tmp_path, capsys):
    assert main(["screening", "--data", str(tmp_path)]) == 0
    out = capsys.readouterr().out
    assert "blocks       pregnancy" in out
    assert "Endomed 484" in out
    path = tmp_path / "screening.yaml"
    path.write_text("site: Ward 3\nfor_version: 1\nstricter:\n  - {id: epilepsy, kind: block}\n")
    assert main(["screening", "--data", str(tmp_path), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["site"] == "Ward 3"
    assert {row["id"]: row["kind"] for row in told["rows"]}["epilepsy"] == "block"
    path.write_text("site: Ward 3\nfor_version: 1\nstricter:\n  - {id: pregnancy, kind: sign_off}\n")
    assert main(["screening", str(path)]) == 1
    err = capsys.readouterr().err
    assert "screening.yaml:4:" in err
    assert "fix:" in err
