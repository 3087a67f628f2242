"""The settings of a fit reach the compiled model."""

from pipeline.data.sharing import shared_data
from pipeline.job.run import compiled_model


def test_the_arguments_of_the_optimizer_are_those_of_the_settings(settings_for):
    settings = settings_for(
        *("model=mlp", "widths=[3]", "dataset=digits", "train_size=60"),
        *("optimizer=adamw", "++optimizer.weight_decay=0.02", "learning_rate=0.1", "clipnorm=0.5"),
    )
    optimizer = compiled_model(settings, shared_data(**settings.data)).optimizer
    assert type(optimizer).__name__ == "AdamW"
    assert (optimizer.weight_decay, optimizer.clipnorm) == (0.02, 0.5)
