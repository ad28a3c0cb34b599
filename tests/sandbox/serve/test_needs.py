"""Without the extra there is a sentence instead of a stack trace."""

from __future__ import annotations

import pytest

from eodata.cli.app import main
from eodata.core.errors import EodataError
from eodata.sandbox.serve import needs


def test_all_packages_are_here():
    needs.check_installed()


def test_what_is_missing_is_named_with_the_extra(monkeypatch):
    monkeypatch.setattr(needs, "PACKAGES", ("json", "no_such_package"))
    with pytest.raises(EodataError) as error:
        needs.check_installed()
    assert error.value.found == "no_such_package is not installed"
    assert "eodata[sandbox]" in error.value.fix


def test_the_command_says_so_too(monkeypatch, capsys):
    monkeypatch.setattr(needs, "PACKAGES", ("no_such_package",))
    with pytest.raises(SystemExit) as ended:
        main(["sandbox", "serve", "--port", "0", "--seconds", "0.1"])
    assert ended.value.code == EodataError.exit_code
    assert "eodata[sandbox]" in capsys.readouterr().err
