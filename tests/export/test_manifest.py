from pathlib import Path

import pytest

from export.manifest import list_files, verify_bundle
from tfrs_pipeline.errors import InputError


def test_one_flipped_byte_in_any_file_is_found(bundle_copy: Path) -> None:
    for path in ["manifest.json", *(file.path for file in list_files(bundle_copy))]:
        content = (bundle_copy / path).read_bytes()
        for place in (0, len(content) // 2, len(content) - 1):
            spoilt = bytearray(content)
            spoilt[place] ^= 1
            (bundle_copy / path).write_bytes(spoilt)
            with pytest.raises(InputError, match=f"{path} is not what was written"):
                verify_bundle(bundle_copy)
        (bundle_copy / path).write_bytes(content)
    verify_bundle(bundle_copy)


def test_every_byte_of_the_manifest_counts(bundle_copy: Path) -> None:
    content = (bundle_copy / "manifest.json").read_bytes()
    for place in range(0, len(content), 7):
        for other in (b" ", b"0"):
            if content[place : place + 1] == other:
                continue
            (bundle_copy / "manifest.json").write_bytes(content[:place] + other + content[place + 1 :])
            with pytest.raises(InputError, match="is not what was written"):
                verify_bundle(bundle_copy)


def test_a_file_that_was_cut_short_is_told_by_its_size(bundle_copy: Path) -> None:
    golden = bundle_copy / "golden.json"
    golden.write_bytes(golden.read_bytes()[:-1000])
    with pytest.raises(InputError, match=r"golden\.json has [\d,]+ bytes and its manifest says"):
        verify_bundle(bundle_copy)


def test_a_missing_file_is_named(bundle_copy: Path) -> None:
    (bundle_copy / "user_tower" / "model.json").unlink()
    with pytest.raises(InputError, match=r"lacks user_tower/model\.json"):
        verify_bundle(bundle_copy)


def test_an_extra_file_is_named(bundle_copy: Path) -> None:
    (bundle_copy / "item_tower" / "notes.txt").write_text("mine")
    with pytest.raises(InputError, match=r"holds item_tower/notes\.txt, which its manifest does not name"):
        verify_bundle(bundle_copy)


def test_a_folder_without_a_manifest_is_no_bundle(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"is not a bundle: manifest\.json is missing"):
        verify_bundle(tmp_path)
