"""`tfrs-pipeline`, also `python -m tfrs_pipeline`."""

from tfrs_pipeline.commands import main

if __name__ == "__main__":
    main()
