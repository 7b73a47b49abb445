"""What only the export needs may be missing, and then a sentence says how to get it."""

import sys
from pathlib import Path

import pytest

from export import typescript
from export.convert import convert_tower, converter
from export.typescript import deno_binary, deno_environment, run_script
from tfrs_pipeline.errors import InputError


def test_without_deno_the_sentence_names_make_and_pip(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "deno", None)
    with pytest.raises(InputError, match=r"make export-tfjs.*pip install 'tfrs-pipeline\[export\]'"):
        deno_binary()


def test_without_tensorflowjs_the_sentence_names_make_and_pip(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tensorflowjs.converters", None)
    monkeypatch.setitem(sys.modules, "tensorflowjs", None)
    with pytest.raises(InputError, match=r"make export-tfjs.*pip install 'tfrs-pipeline\[export\]'"):
        converter()


def test_without_the_edge_functions_the_sentence_says_where_they_should_be(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(typescript, "CONFIG", tmp_path / "deno.json")
    with pytest.raises(InputError, match=r"deno\.json is missing"):
        run_script(tmp_path / "check.ts", tmp_path)


def test_an_unknown_precision_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="Known: float16, float32"):
        convert_tower(None, tmp_path, "int8")


def test_a_model_that_is_not_of_tf_keras_is_refused(tmp_path: Path) -> None:
    # One of Keras 3 converts without an error, and then does not load.
    with pytest.raises(TypeError, match="TF_USE_LEGACY_KERAS"):
        convert_tower(object(), tmp_path, "float32")


def test_denos_cache_stays_in_the_projects_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("DENO_DIR", raising=False)
    monkeypatch.setenv("TFRS_HOME", str(tmp_path))
    assert deno_environment()["DENO_DIR"] == str(tmp_path / ".local" / "deno")


def test_a_script_that_fails_says_why_in_one_line(tmp_path: Path) -> None:
    pytest.importorskip("deno")
    script = tmp_path / "fails.ts"
    script.write_text('console.error("noise"); throw new TypeError("the reason");')
    with pytest.raises(InputError, match=r"^fails\.ts failed in Deno: .*the reason$"):
        run_script(script, tmp_path)


def test_a_script_reads_its_folder_and_nothing_else(tmp_path: Path) -> None:
    pytest.importorskip("deno")
    for name in ("open, to all", "shut"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").write_text(name)
    script = tmp_path / "reads.ts"
    script.write_text('console.log(await Deno.readTextFile("file"));')
    assert run_script(script, tmp_path / "open, to all") == "open, to all\n"
    script.write_text('console.log(await Deno.readTextFile("../shut/file"));')
    with pytest.raises(InputError, match="Requires read access"):
        run_script(script, tmp_path / "open, to all")
