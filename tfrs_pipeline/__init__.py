"""Learn user and video vectors from `videos` and `likes`.

The packages import in one direction: data, features, models, training, evaluation; then `export`; then the commands.
"""
