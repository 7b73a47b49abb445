"""TensorFlow is imported by some of these tests, and has to find Keras 2 when it is."""

import os

os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
