"""The built-in models, built for data of given sizes."""

from pipeline.data.data_spec import ImageSpec, TextSpec
from pipeline.models.build import build_model


def recurrent(cell, *, sequence_length, vocabulary_size, classes, **options):
    data = TextSpec(
        (sequence_length,),
        "int32",
        classes,
        vocabulary_size=vocabulary_size,
        sequence_length=sequence_length,
    )
    return build_model(cell, data, options)


def convolutional(*, input_shape, classes, **options):
    return build_model("cnn", ImageSpec(input_shape, "float32", classes), options)
