"""The worked notebook runs from its first cell to its last."""

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NOTEBOOK = ROOT / "docs" / "notebook.ipynb"


@pytest.mark.long
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_the_worked_notebook_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every cell runs without an error or a warning of ours, plots and cards are shown, and the plan is written."""
    nbformat = pytest.importorskip("nbformat", reason="needs nbclient and ipykernel (the dev extra)")
    nbclient = pytest.importorskip("nbclient", reason="needs nbclient and ipykernel (the dev extra)")
    pytest.importorskip("ipykernel", reason="needs ipykernel (the dev extra)")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT), str(ROOT / "models")]))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    assert not any(cell.get("outputs") for cell in notebook.cells), (
        "keep the notebook free of outputs: git diffs stay readable"
    )
    client = nbclient.NotebookClient(
        notebook, timeout=120, kernel_name="python3", resources={"metadata": {"path": str(tmp_path)}}
    )
    client.execute()
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    assert not [output for output in outputs if output.get("name") == "stderr"]
    assert sum("image/png" in output.get("data", {}) for output in outputs) == 3
    assert sum("a plan worth" in output.get("data", {}).get("text/html", "") for output in outputs) == 1
    assert list(tmp_path.glob("*/plan/manifest.json"))
    assert "plan.xlsx" in outputs[-1]["data"]["text/plain"]
