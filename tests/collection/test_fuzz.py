"""Every route of the interface with requests made from its own description: nothing breaks, nothing unanswered is stored."""

from __future__ import annotations

import csv

import pytest

from bgs.collection.exporting import export
from collection.conftest import N_TRIALS

schemathesis = pytest.importorskip("schemathesis", reason="no schemathesis (pip install 'bgs-video[dev]')")


@pytest.mark.slow
def test_no_request_breaks_the_server_or_stores_what_was_not_answered(serve, study_path, tmp_path):
    from hypothesis import HealthCheck, Phase, given, settings

    served = serve(study_path)
    schema = schemathesis.openapi.from_asgi("/openapi.json", served.client.app)
    visitor = served.join("fuzz").consent()
    stored = 0

    for operation in (found.ok() for found in schema.get_all_operations()):

        @given(case=operation.as_strategy())
        @settings(
            max_examples=150, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck)
        )
        def ask(case):
            nonlocal stored
            case.headers = {**(case.headers or {}), "authorization": f"Bearer {visitor.token}"}
            response = case.call()
            assert response.status_code < 500
            stored += response.status_code == 200 and response.json().get("new", False) is True

        ask()
    path = tmp_path / "export.csv"
    export(served.database, served.study, path, with_excluded=True)
    assert len(list(csv.DictReader(path.read_text().splitlines()))) == stored <= N_TRIALS
