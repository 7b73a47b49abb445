from tfrs_pipeline.errors import InputError


def test_the_message_is_all_that_is_said() -> None:
    assert str(InputError("What is wrong, where, what would be right.")) == "What is wrong, where, what would be right."


def test_it_is_no_error_that_a_broad_net_for_bugs_or_disks_would_catch() -> None:
    assert not issubclass(InputError, ValueError | OSError)
