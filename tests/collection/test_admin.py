"""The researcher's page: where it is, and what it is told."""

from __future__ import annotations

import socket

import pytest

from bgs._errors import BgsError
from collection.conftest import CLIPS


def test_the_short_address_leads_there(serve, study_path, tmp_path):
    from fastapi.testclient import TestClient

    from bgs.collection.web.app import create_app

    served = serve(study_path)
    (tmp_path / "page").mkdir()
    (tmp_path / "page/admin.html").write_text("the admin page")
    app = create_app(served.study, served.database, served.secrets, tmp_path / "page", clock=served.clock)
    with TestClient(app) as client:
        assert client.get("/admin", follow_redirects=False).headers["location"] == "admin.html"
        assert client.get("/admin").text == "the admin page"


def test_rows_of_the_matrix_have_names(serve, study_path):
    served = serve(study_path)
    asked = {"authorization": f"Bearer {served.admin}"}
    found = served.client.get("/api/admin/status", headers=asked).json()
    assert found["clips"] == list(CLIPS)
    assert len(found["coverage"]) == len(CLIPS)


def test_squares_of_several_clips_name_the_first_and_last():
    from bgs.collection.web.admin import _names

    ids = [f"c{k}" for k in range(251)]
    found = _names(ids)
    assert (len(found), found[0], found[-1]) == (84, "c0 to c2", "c249 to c250")


def test_a_taken_port_is_said_once():
    from bgs.collection.serving import _listen

    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(BgsError) as error:
        _listen("127.0.0.1", taken.getsockname()[1])
    where = f"127.0.0.1:{taken.getsockname()[1] if taken.fileno() >= 0 else ''}"
    assert str(error.value).startswith(where.rstrip(":"))
    assert str(error.value).endswith(
        "cannot listen here: Address already in use (another --port, or 0 for a free one)"
    )


@pytest.mark.parametrize("what", [("status",), ("export", "--out", "x.csv"), ("prepare",), ("serve",)])
def test_a_mistyped_folder_is_no_data_set(tmp_path, capsys, what):
    from collection.served_process import command

    assert command(what[0], str(tmp_path / "my-stduy"), *what[1:]) == 2
    said = capsys.readouterr().err
    assert "there is no such study folder" in said
    assert "garcia-isik-2025" not in said


def test_without_answers_the_export_is_named(study_path):
    import bgs

    with pytest.raises(
        BgsError, match=r"no odd-one-out trials \(`bgs collect export .* --out .*trials\.csv`"
    ):
        bgs.audit(study_path)
