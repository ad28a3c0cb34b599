"""`eodata sandbox serve --earthengine`."""

from __future__ import annotations

import pytest

from eodata.cli.app import main


def test_the_command_line_serves_an_earth_engine(capsys):
    with pytest.raises(SystemExit) as ended:
        main(["sandbox", "serve", "--earthengine", "--port", "0", "--seconds", "0.1"])
    assert ended.value.code == 0
    said = capsys.readouterr().err
    assert "SYNTHETIC" in said
    assert "ee.Initialize(AnonymousCredentials()" in said


@pytest.mark.parametrize(
    ("more", "message"),
    [(["--flavour", "cdse"], "Give one of the two"), (["--faults", "skip=1"], 'no fault "skip"')],
)
def test_what_it_cannot_do_is_said(capsys, more, message):
    with pytest.raises(SystemExit) as ended:
        main(["sandbox", "serve", "--earthengine", "--port", "0", "--seconds", "0.1", *more])
    assert ended.value.code == 2
    assert message in capsys.readouterr().err
