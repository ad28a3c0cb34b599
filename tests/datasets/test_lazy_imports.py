"""`import eodata` is light, and a machine without torch is told what to do."""

from __future__ import annotations

import subprocess
import sys

import pytest

import eodata
from eodata import datasets
from eodata.datasets import opening

HEAVY = ("torch", "ee", "rasterio", "zarr", "dask", "distributed", "odc", "geopandas", "pandas")

WITHOUT_TORCH = """
import sys

class NoTorch:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "torch":
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, NoTorch())
import eodata
from eodata.core.errors import RecipeError

try:
    eodata.open_dataset(sys.argv[1])
except RecipeError as error:
    print(error)
    sys.exit(error.exit_code)
"""


def run(code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", code, *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)


def test_import_eodata_loads_nothing_heavy():
    code = (
        "import eodata, sys; eodata.__version__; print(*{m.partition('.')[0] for m in sys.modules})"
    )
    ran = run(code)
    assert ran.returncode == 0, ran.stderr
    assert "eodata" in ran.stdout.split()
    assert not set(HEAVY) & set(ran.stdout.split())


def test_rules_and_scalings_can_be_named_without_torch():
    code = (
        "import eodata.datasets as d, sys; d.RandomSteps(3), d.TargetSteps(), d.SCALINGS; "
        "print(*{m.partition('.')[0] for m in sys.modules})"
    )
    ran = run(code)
    assert ran.returncode == 0, ran.stderr
    assert not {"torch", "zarr", "pandas"} & set(ran.stdout.split())


def test_names_of_the_torch_layer_lead_to_where_they_live():
    assert datasets.open_dataset is opening.open_dataset
    assert {"EpochSampler", "open_dataset"} <= set(dir(datasets))
    with pytest.raises(AttributeError, match="no attribute 'EpochSample'"):
        _ = datasets.EpochSample


def test_without_torch_the_message_says_what_to_install(source):
    ran = run(WITHOUT_TORCH, str(source.path))
    assert ran.returncode == 2, ran.stderr
    assert "PyTorch is not installed" in ran.stdout
    assert "pip install eodata[train]" in ran.stdout


def test_open_dataset_and_version_are_names_of_the_package():
    assert eodata.open_dataset is opening.open_dataset
    assert eodata.__version__[0].isdigit()
    assert {"open_dataset", "__version__"} <= set(dir(eodata))
    with pytest.raises(AttributeError, match="no attribute 'open_datset'"):
        _ = eodata.open_datset
