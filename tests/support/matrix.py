"""The options of every layer that the contract against Keras combines.

Plain data, without Keras: each entry gives a layer's inputs and the values of its options, the
plainest first. Combinations that Keras itself refuses are named in `refused`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

FLAG = (False, True)
DATA_FORMATS = ("channels_last", "channels_first")
UNMASKED = ("none",)
MASKS = ("none", "right", "left", "holes", "rows")
ACTIVATIONS = (None, "relu", "tanh")
WIDE_ACTIVATIONS = (
    *("linear", "relu", "relu6", "elu", "selu", "celu"),
    *("sigmoid", "sparse_sigmoid", "hard_sigmoid", "log_sigmoid"),
    *("tanh", "tanh_shrink", "hard_tanh", "softplus", "sparse_plus", "squareplus", "softsign"),
    *("silu", "hard_silu", "mish", "glu", "exponential", "hard_shrink", "soft_shrink"),
    *("softmax", "log_softmax", "sparsemax", "swish", "hard_swish"),
)
GATES = {
    "units": (3, 1),
    "activation": ("tanh", "relu", "linear"),
    "use_bias": (True, False),
    "return_sequences": FLAG,
    "return_state": FLAG,
    "go_backwards": FLAG,
    "unroll": FLAG,
    "zero_output_for_mask": FLAG,
}
EXTRA_GATES = {"recurrent_activation": ("sigmoid", "hard_sigmoid")}


@dataclass(frozen=True)
class Subject:
    """A layer under the contract.

    Attributes:
        layer: Class name.
        shapes: Shape of each input without the batch; several for a layer that merges.
        options: Values by option, the plainest first.
        masks: Patterns of the inputs' masks.
        arguments: Values of the call's other arguments; `random` stands for a mask of scores.
        separate: Whether each input is an argument of its own, as query and value are.
        batches: Numbers of examples; the kernels with the batch as last axis begin at 12.
        ids: Whether inputs are integers below 10 instead of normal numbers.
        words: What the elements of the inputs are drawn from, for layers that look values up.
        refused: Says which combinations Keras refuses.
        title: What tells this subject from others of the same layer.
        in_float64: Whether Keras computes the layer in float64; else ours in float64 is the truth,
            and Keras has to be near it.
        float64_agreement: How near Keras's float64 is to exact; it has float32 constants in places.
    """

    layer: str
    shapes: Sequence[tuple[int, ...]]
    options: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    masks: Sequence[str] = UNMASKED
    arguments: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    separate: bool = False
    batches: Sequence[int] = (7, 1)
    ids: bool = False
    words: Sequence[Any] = ()
    refused: Callable[[dict[str, Any]], bool] = lambda _: False
    title: str = ""
    in_float64: bool = True
    float64_agreement: float = 1e-12

    @property
    def name(self) -> str:
        """The layer's class, with what tells this subject from others of it."""
        return f"{self.layer} {self.title}".strip()


def _strided_and_dilated(options: dict[str, Any]) -> bool:
    strides, rate = options["strides"], options["dilation_rate"]
    return max(_pair(strides)) > 1 and max(_pair(rate)) > 1


def _pair(value: Any) -> tuple[int, ...]:
    return value if isinstance(value, tuple) else (value,)


def _no_room_for_output_padding(options: dict[str, Any]) -> bool:
    """Whether Keras or TensorFlow refuses an `output_padding`."""
    more, stride, size = options["output_padding"], options["strides"], options["kernel_size"]
    if more is None:
        return False
    return more >= stride or (options["padding"] == "same" and not 1 <= size % 2 + more <= stride)


def _length_of_a_vector(options: dict[str, Any]) -> bool:
    return options["output_mode"] != "int" and options["output_sequence_length"] is not None


def _convolution(**others: Sequence[Any]) -> dict[str, Sequence[Any]]:
    return {
        "padding": ("valid", "same"),
        "activation": ACTIVATIONS,
        "use_bias": (True, False),
        **others,
    }


_POOLING = {"padding": ("valid", "same"), "data_format": DATA_FORMATS}
_GLOBAL = {"keepdims": FLAG, "data_format": DATA_FORMATS}
_ATTENTION_CALL = {
    "return_attention_scores": FLAG,
    "use_causal_mask": FLAG,
    "attention_mask": (None, "random"),
}
_WORDS = ("a", "b", "c", "zebra", "", "a b", "É x", "12345678901234567")
_NUMBERS = (7, -2, 0, 9, 12, 3_000_000_000)
_TEXTS = ("A b, a", "", "b  b\tc a b", "É a-b!", "a", "?")
_SAME_SHAPES = ((5, 4), (5, 4))


def layer(class_name: str, **options: Any) -> dict[str, Any]:
    """Describe a layer inside another one, for both libraries to build."""
    return {"class_name": class_name, "options": options}


def _stack(*cells: dict[str, Any]) -> dict[str, Any]:
    return layer("StackedRNNCells", cells=list(cells))


_CELLS = (
    layer("SimpleRNNCell", units=3),
    _stack(layer("LSTMCell", units=3), layer("GRUCell", units=2)),
    _stack(layer("GRUCell", units=3, reset_after=False), layer("LSTMCell", units=2)),
)

SUBJECTS = (
    Subject(
        "Dense",
        [(5, 4)],
        {"units": (3, 1), "activation": (*ACTIVATIONS, "softmax"), "use_bias": (True, False)},
        MASKS,
    ),
    Subject("Dense", [(4,)], {"units": (3,), "activation": ACTIVATIONS}, title="2-D"),
    Subject(
        "Embedding", [(5,)], {"input_dim": (10,), "output_dim": (3, 1), "mask_zero": FLAG}, ids=True
    ),
    *(
        Subject(
            "EinsumDense",
            [shape],
            {
                "equation": (equation,),
                "output_shape": (sizes,),
                "activation": ACTIVATIONS,
                "bias_axes": (None, *biases),
            },
            title=equation,
        )
        for equation, shape, sizes, biases in (
            ("ab,bc->ac", (4,), 3, ("c",)),
            ("abc,cd->abd", (5, 4), (None, 3), ("d",)),
            ("abc,bcd->abd", (5, 4), (5, 3), ("d", "b")),
            ("abc,bde->acde", (5, 4), (4, 2, 3), ("de", "ce", "cde")),
            ("abcd,cde->abe", (5, 4, 3), (5, 6), ("e", "be")),
            ("...x,xy->...y", (5, 4), 3, ("y",)),
            ("...cd,cde->...e", (5, 4, 3), 6, ("e",)),
            ("ab...,bc->ac...", (4, 5, 3), 6, ("c",)),
        )
    ),
    *(
        Subject(
            name,
            shapes,
            {**options, "dropout": (0.0, 0.5)},
            (*MASKS, "first"),
            {"return_attention_scores": FLAG, "use_causal_mask": FLAG},
            title=title,
        )
        for name, options in (
            ("Attention", {"use_scale": FLAG, "score_mode": ("dot", "concat")}),
            ("AdditiveAttention", {"use_scale": (True, False)}),
        )
        for title, shapes in (
            ("", ((5, 4), (6, 4))),
            ("with a key", ((5, 4), (6, 3), (6, 4))),
        )
    ),
    *(
        Subject(
            "MultiHeadAttention",
            shapes,
            {
                "num_heads": (2, 1),
                "key_dim": (4,),
                "value_dim": (None, 5),
                "dropout": (0.0, 0.5),
                "use_bias": (True, False),
                "output_shape": (None, 6, (2, 3)),
                "sliding_window": (None, 2),
                "use_gate": FLAG,
            },
            (*MASKS, "first"),
            _ATTENTION_CALL,
            separate=True,
            title=title,
        )
        for title, shapes in (
            ("", ((5, 4), (6, 3))),
            ("with a key", ((5, 4), (6, 3), (6, 2))),
        )
    ),
    Subject(
        "MultiHeadAttention",
        ((3, 4, 5), (3, 6, 5)),
        {
            "num_heads": (2,),
            "key_dim": (4,),
            "attention_axes": ((2,), 2, -2),
            "use_gate": FLAG,
        },
        arguments={"return_attention_scores": FLAG},
        separate=True,
        title="over one axis of two",
    ),
    Subject(
        "MultiHeadAttention",
        ((3, 4, 5), (2, 6, 5)),
        {"num_heads": (2,), "key_dim": (4,), "attention_axes": (None, (1, 2)), "use_gate": FLAG},
        arguments={"return_attention_scores": FLAG},
        separate=True,
        title="over two axes",
    ),
    *(
        Subject(
            "GroupQueryAttention",
            shapes,
            {
                "head_dim": (4,),
                "num_query_heads": (4,),
                "num_key_value_heads": (2, 1, 4),
                "dropout": (0.0, 0.5),
                "use_bias": (True, False),
                "sliding_window": (None, 2),
                "use_gate": FLAG,
            },
            (*MASKS, "first"),
            _ATTENTION_CALL,
            separate=True,
            title=title,
        )
        for title, shapes in (
            ("", ((5, 4), (6, 4))),
            ("with a key", ((5, 4), (6, 4), (6, 2))),
        )
    ),
    Subject("Masking", [(5, 4)], {"mask_value": (0.0, 1.5)}, MASKS),
    Subject("Identity", [(5, 4)], {}, MASKS),
    Subject("ActivityRegularization", [(5, 4)], {"l1": (0.0, 0.5), "l2": (0.0, 0.5)}, MASKS),
    Subject("SimpleRNN", [(5, 4)], GATES, MASKS),
    Subject("LSTM", [(5, 4)], {**GATES, **EXTRA_GATES, "unit_forget_bias": (True, False)}, MASKS),
    Subject("GRU", [(5, 4)], {**GATES, **EXTRA_GATES, "reset_after": (True, False)}, MASKS),
    Subject(
        "LSTM",
        [(5, 4)],
        {"units": (3,), "recurrent_dropout": (0.5,), "dropout": (0.5,)},
        MASKS,
        title="with dropout",
    ),
    Subject(
        "RNN",
        [(5, 4)],
        {
            "cell": _CELLS,
            "return_sequences": FLAG,
            "go_backwards": FLAG,
            "zero_output_for_mask": FLAG,
        },
        MASKS,
    ),
    *(
        Subject(
            f"ConvLSTM{rank}D",
            [(4, *sizes, 3)],
            {
                "filters": (2, 1),
                "kernel_size": (3, 2),
                "strides": (1, 2),
                "padding": ("valid", "same"),
                "activation": ("tanh", "relu"),
                "recurrent_activation": ("sigmoid", "hard_sigmoid"),
                "use_bias": (True, False),
                "return_sequences": FLAG,
                "return_state": FLAG,
                "go_backwards": FLAG,
            },
            MASKS,
        )
        for rank, sizes in ((1, (6,)), (2, (5, 6)), (3, (3, 4, 3)))
    ),
    Subject(
        "ConvLSTM2D",
        [(4, 5, 6, 3)],
        {"filters": (6,), "kernel_size": (2,), "dilation_rate": (2, (1, 2)), "dropout": (0.0, 0.5)},
        title="dilated",
    ),
    Subject(
        "Bidirectional",
        [(4, 5, 6, 3)],
        {
            "layer": tuple(
                layer("ConvLSTM2D", filters=2, kernel_size=3, return_sequences=sequences)
                for sequences in FLAG
            ),
            "merge_mode": ("concat", "sum"),
        },
        MASKS,
        title="images",
    ),
    Subject(
        "Bidirectional",
        [(5, 4)],
        {
            "layer": tuple(
                # enough units that the largest of Keras's errors says how large they are
                layer(cell, units=12, return_sequences=sequences, return_state=state)
                for cell, sequences, state in (
                    *(("LSTM", False, False), ("LSTM", True, True)),
                    *(("GRU", False, True), ("GRU", True, False)),
                    *(("SimpleRNN", False, False), ("SimpleRNN", True, True)),
                )
            ),
            "merge_mode": ("concat", "sum", "mul", "ave", None),
        },
        MASKS,
    ),
    Subject(
        "Bidirectional",
        [(5, 4)],
        {
            "layer": (layer("LSTM", units=3, return_sequences=True),),
            "backward_layer": (
                layer("LSTM", units=3, return_sequences=True, go_backwards=True, use_bias=False),
                layer("GRU", units=3, return_sequences=True, go_backwards=True),
            ),
        },
        MASKS,
        title="with a backward layer",
    ),
    Subject(
        "TimeDistributed",
        [(5, 4)],
        {"layer": (layer("Dense", units=3), layer("BatchNormalization"), layer("ReLU"))},
        MASKS,
    ),
    Subject(
        "TimeDistributed",
        [(3, 6, 6, 2)],
        {"layer": (layer("Conv2D", filters=2, kernel_size=3), layer("Flatten"))},
        title="images",
    ),
    Subject(
        "Conv1D",
        [(9, 4)],
        {
            **_convolution(kernel_size=(3, 1, 4), strides=(1, 2), dilation_rate=(1, 2)),
            "padding": ("valid", "same", "causal"),
            "filters": (4, 2),
            "groups": (1, 2),
        },
        batches=(7, 1, 20),
        refused=_strided_and_dilated,
    ),
    Subject(
        "Conv2D",
        [(9, 10, 4)],
        _convolution(
            filters=(4, 2),
            kernel_size=(3, (2, 5), 1),
            strides=(1, 2, (2, 1)),
            dilation_rate=(1, 2, (1, 2)),
            groups=(1, 2),
        ),
        batches=(7, 1, 20),
        refused=_strided_and_dilated,
    ),
    Subject(
        "Conv2D",
        [(18, 20, 20)],
        {"filters": (64,), "kernel_size": (3,), "padding": ("valid", "same")},
        batches=(20,),
        title="of many filters",
    ),
    Subject(
        "DepthwiseConv2D",
        [(9, 8, 3)],
        _convolution(
            data_format=DATA_FORMATS,
            kernel_size=(3, (2, 4)),
            strides=(1, 2),
            dilation_rate=(1, 2),
            depth_multiplier=(1, 2),
        ),
        batches=(7, 1, 20),
    ),
    Subject(
        "SeparableConv2D",
        [(9, 8, 3)],
        _convolution(
            data_format=DATA_FORMATS,
            filters=(4, 2),
            kernel_size=(3, (2, 4)),
            strides=(1, 2),
            dilation_rate=(1, 2),
            depth_multiplier=(1, 2),
        ),
        batches=(7, 1, 20),
    ),
    Subject(
        "Conv3D",
        [(5, 6, 4, 4)],
        _convolution(
            data_format=("channels_last",),
            filters=(4, 2),
            kernel_size=(2, (3, 1, 2)),
            strides=(1, 2),
            dilation_rate=(1, 2),
            groups=(1, 2),
        ),
        refused=_strided_and_dilated,
    ),
    *(
        Subject(
            f"Conv{rank}DTranspose",
            [(*sizes, 3)],
            {
                **_convolution(filters=(4, 2), kernel_size=(3, 2, 1), strides=(1, 2, 3)),
                "output_padding": (None, 0, 1),
                "activation": (None, "relu"),
            },
            refused=_no_room_for_output_padding,
        )
        for rank, sizes in ((1, (5,)), (2, (5, 4)), (3, (3, 4, 2)))
    ),
    Subject(
        "DepthwiseConv1D",
        [(9, 3)],
        _convolution(
            kernel_size=(3, 2), strides=(1, 2), dilation_rate=(1, 2), depth_multiplier=(1, 2)
        ),
        refused=_strided_and_dilated,
    ),
    Subject(
        "SeparableConv1D",
        [(9, 3)],
        _convolution(
            filters=(4, 2),
            kernel_size=(3, 2),
            strides=(1, 2),
            dilation_rate=(1, 2),
            depth_multiplier=(1, 2),
        ),
        refused=_strided_and_dilated,
    ),
    *(
        Subject(
            f"{kind}Pooling3D",
            [(5, 6, 4, 3)],
            {"pool_size": (2, (3, 2, 1)), "strides": (None, 1, (2, 3, 1)), **_POOLING},
            in_float64=False,
        )
        for kind in ("Max", "Average")
    ),
    *(
        Subject(
            f"Adaptive{kind}Pooling{rank}D",
            [(*sizes, 3)],
            {"output_size": outputs, "data_format": DATA_FORMATS},
            in_float64=rank < 3,
        )
        for kind in ("Max", "Average")
        for rank, sizes, outputs in (
            (1, (8,), (3, 5, 8)),
            (2, (8, 6), (3, (5, 4))),
            (3, (5, 6, 4), (2, (3, 4, 2))),
        )
    ),
    *(
        Subject(
            f"{kind}Pooling1D",
            [(9, 4)],
            {"pool_size": (2, 3), "strides": (None, 1, 2, 4), **_POOLING},
        )
        for kind in ("Max", "Average")
    ),
    *(
        Subject(
            f"{kind}Pooling2D",
            [(9, 8, 3)],
            {"pool_size": (2, (3, 2)), "strides": (None, 1, (2, 3)), **_POOLING},
        )
        for kind in ("Max", "Average")
    ),
    Subject("GlobalMaxPooling1D", [(5, 4)], _GLOBAL),
    Subject("GlobalMaxPooling2D", [(5, 6, 4)], _GLOBAL),
    Subject("GlobalMaxPooling3D", [(5, 6, 3, 4)], _GLOBAL),
    Subject("GlobalAveragePooling3D", [(5, 6, 3, 4)], _GLOBAL),
    Subject("GlobalAveragePooling1D", [(5, 4)], {"keepdims": FLAG}, MASKS),
    Subject("GlobalAveragePooling1D", [(5, 4)], _GLOBAL, title="unmasked"),
    Subject("GlobalAveragePooling2D", [(5, 6, 4)], _GLOBAL),
    Subject("Flatten", [(3, 4, 2)], {"data_format": DATA_FORMATS}),
    Subject("Reshape", [(3, 4)], {"target_shape": ((12,), (2, 6), (-1, 3), (2, -1, 2))}),
    Subject("Permute", [(3, 4, 2)], {"dims": ((2, 1, 3), (3, 1, 2), (1, 2, 3))}),
    Subject("RepeatVector", [(4,)], {"n": (3, 1)}),
    Subject(
        "ZeroPadding1D",
        [(5, 3)],
        {"padding": (1, 0, (2, 1)), "data_format": DATA_FORMATS},
    ),
    Subject(
        "ZeroPadding2D",
        [(5, 4, 3)],
        {
            "padding": (1, (2, 0), ((1, 2), (3, 0))),
            "data_format": DATA_FORMATS,
        },
    ),
    Subject(
        "ZeroPadding3D",
        [(2, 3, 4, 2)],
        {"padding": (1, (2, 0, 1), ((1, 2), (3, 0), (0, 0))), "data_format": DATA_FORMATS},
    ),
    Subject("Cropping1D", [(5, 3)], {"cropping": (1, 0, (2, 1))}),
    Subject(
        "Cropping2D",
        [(6, 5, 3)],
        {"cropping": (1, (2, 0), ((1, 2), (3, 0))), "data_format": DATA_FORMATS},
    ),
    Subject(
        "Cropping3D",
        [(4, 6, 5, 2)],
        {"cropping": (1, (1, 2, 0), ((1, 2), (3, 0), (0, 4))), "data_format": DATA_FORMATS},
    ),
    Subject("UpSampling1D", [(3, 2)], {"size": (2, 1, 3)}),
    Subject(
        "UpSampling2D",
        [(4, 5, 2)],
        {
            "size": (2, (3, 1), 1, 5),
            "data_format": DATA_FORMATS,
            "interpolation": ("nearest", "bilinear", "bicubic", "lanczos3", "lanczos5"),
        },
        in_float64=False,
    ),
    Subject(
        "Resizing",
        [(6, 9, 3)],
        {
            "height": (4, 7),
            "width": (5, 13),
            "interpolation": ("bilinear", "nearest", "bicubic", "lanczos3", "lanczos5"),
            "antialias": FLAG,
            "data_format": DATA_FORMATS,
        },
        in_float64=False,
    ),
    *(
        Subject(
            "Resizing",
            [(6, 9, 3)],
            {"height": (4, 7), "width": (5, 13), option: (True,), "data_format": DATA_FORMATS},
            in_float64=False,
            title=option,
        )
        for option in ("crop_to_aspect_ratio", "pad_to_aspect_ratio")
    ),
    Subject("AutoContrast", [(5, 6, 3)], {"value_range": ((0, 255), (0, 1), [-1, 1])}),
    Subject(
        "CenterCrop",
        [(6, 9, 3)],
        {"height": (4, 7), "width": (5, 13), "data_format": DATA_FORMATS},
        in_float64=False,
    ),
    *(
        Subject(name, [(5, 6, 3)], options)
        for name, options in (
            ("RandomFlip", {"mode": ("horizontal", "vertical")}),
            ("RandomRotation", {"factor": (0.2,)}),
            ("RandomZoom", {"height_factor": (0.2,)}),
            ("RandomTranslation", {"height_factor": (0.2,), "width_factor": (0.1,)}),
            ("RandomShear", {"x_factor": (0.2,)}),
            ("RandomPerspective", {"factor": (1.0,)}),
            ("RandomElasticTransform", {"factor": (1.0,)}),
            ("RandomErasing", {"factor": (1.0,)}),
            ("RandomGaussianBlur", {"factor": (1.0,)}),
            ("RandomColorJitter", {"brightness_factor": (0.2,)}),
            ("RandomContrast", {"factor": (0.2,)}),
            ("RandomBrightness", {"factor": (0.2,)}),
            ("RandomHue", {"factor": (0.2,)}),
            ("RandomSaturation", {"factor": (0.2,)}),
            ("RandomSharpness", {"factor": (0.2,)}),
            ("RandomColorDegeneration", {"factor": (0.2,)}),
            ("RandomPosterization", {"factor": (3,)}),
            ("RandomInvert", {"factor": (1.0,)}),
            ("RandomGrayscale", {"factor": (1.0,)}),
            ("RandomCrop", {"height": (5,), "width": (6,)}),
            ("Solarization", {"addition_factor": (0.2,), "value_range": ((0, 1),)}),
            ("Equalization", {"bins": (256, 16)}),
            ("MixUp", {"alpha": (0.2,)}),
            ("CutMix", {"factor": (1.0,)}),
            ("RandAugment", {"num_ops": (2,)}),
            ("AugMix", {"num_chains": (2,)}),
        )
    ),
    *(
        Subject(
            "CategoryEncoding",
            [shape],
            {"num_tokens": (10, 12), "output_mode": ("multi_hot", "one_hot", "count")},
            ids=True,
            title=title,
        )
        for title, shape in (("", (5,)), ("of single ids", (1,)))
    ),
    Subject(
        "Discretization",
        [(5,)],
        {
            "bin_boundaries": ([-1.0, 0.0, 0.5],),
            "output_mode": ("int", "one_hot", "multi_hot", "count"),
        },
    ),
    Subject(
        "StringLookup",
        [(5,)],
        {
            "vocabulary": (["a", "b"],),
            "num_oov_indices": (1, 3),
            "mask_token": (None, "", "c"),
            "output_mode": ("int", "one_hot", "multi_hot", "count"),
            "salt": (None, [3, 4]),
            "max_tokens": (9,),
            "pad_to_max_tokens": FLAG,
        },
        words=_WORDS,
    ),
    Subject(
        "StringLookup",
        [(5,)],
        {
            "vocabulary": (["a", "b"],),
            "num_oov_indices": (3,),
            "mask_token": ("",),
            "salt": (None, [3, 4]),
        },
        words=_WORDS,
        title="of unknown words",
    ),
    Subject(
        "IntegerLookup",
        [(5,)],
        {
            "vocabulary": ([7, -2],),
            "num_oov_indices": (1, 3),
            "mask_token": (None, 0, 9),
            "output_mode": ("int", "one_hot", "multi_hot", "count"),
            "oov_method": ("floormod", "farmhash"),
            "max_tokens": (9,),
            "pad_to_max_tokens": FLAG,
        },
        words=_NUMBERS,
    ),
    *(
        Subject(
            name,
            [(5,)],
            {
                "vocabulary": (vocabulary,),
                "idf_weights": ([0.5, 0.3],),
                "output_mode": ("tf_idf",),
                "num_oov_indices": (1, 3),
                "max_tokens": (9,),
                "pad_to_max_tokens": FLAG,
            },
            words=words,
            title="by frequency",
        )
        for name, vocabulary, words in (
            ("StringLookup", ["a", "b"], _WORDS),
            ("IntegerLookup", [7, -2], _NUMBERS),
        )
    ),
    *(
        Subject(
            "Hashing",
            [(5,)],
            {
                "num_bins": (5, 1),
                "mask_value": (None, mask),
                "salt": (None, 133, [3, 4]),
                "output_mode": ("int", "one_hot", "multi_hot", "count"),
            },
            words=words,
            title=title,
        )
        for title, mask, words in (("", "a", _WORDS), ("of integers", 7, _NUMBERS))
    ),
    *(
        Subject(
            "HashedCrossing",
            [(1,), (1,), (1,)],
            {"num_bins": (5, 1), "output_mode": ("int", "one_hot")},
            words=words,
            title=title,
        )
        for title, words in (("", _WORDS), ("of integers", _NUMBERS))
    ),
    Subject(
        "TextVectorization",
        [(1,)],
        {
            "vocabulary": (["a", "b", "a b", "É"],),
            "standardize": ("lower_and_strip_punctuation", "lower", "strip_punctuation", None),
            "split": ("whitespace", "character"),
            "ngrams": (None, 2, (3, 1)),
            "output_mode": ("int", "multi_hot", "count"),
            "output_sequence_length": (None, 3),
            "max_tokens": (9,),
            "pad_to_max_tokens": FLAG,
        },
        words=_TEXTS,
        refused=_length_of_a_vector,
    ),
    Subject(
        "TextVectorization",
        [(1,)],
        {
            "vocabulary": (["a", "b", "a b"],),
            "idf_weights": ([0.5, 0.3, 1.5],),
            "output_mode": ("tf_idf",),
            "ngrams": (None, 2),
        },
        words=_TEXTS,
        title="by frequency",
    ),
    Subject(
        "TextVectorization",
        [(4,)],
        {
            "vocabulary": (["a", "b"],),
            "split": (None,),
            "output_mode": ("int", "one_hot", "multi_hot", "count"),
            "output_sequence_length": (None, 3, 6),
        },
        words=_WORDS,
        refused=_length_of_a_vector,
        title="of tokens",
    ),
    Subject(
        "ReversibleEmbedding",
        [(5,)],
        {
            "input_dim": (10,),
            "output_dim": (3, 1),
            "mask_zero": FLAG,
            "tie_weights": (True, False),
        },
        ids=True,
    ),
    Subject(
        "ReversibleEmbedding",
        [(5, 3)],
        {
            "input_dim": (10,),
            "output_dim": (3,),
            "tie_weights": (True, False),
            "logit_soft_cap": (None, 2.0),
        },
        arguments={"reverse": (True,)},
        title="in reverse",
    ),
    Subject(
        "Pipeline",
        [(5, 6, 3)],
        {
            "layers": (
                [layer("Rescaling", scale=0.5), layer("RandomFlip")],
                [layer("Resizing", height=3, width=4), layer("CenterCrop", height=2, width=2)],
            )
        },
        in_float64=False,
    ),
    Subject(
        "STFTSpectrogram",
        [(40, 2)],
        {
            "mode": ("log", "magnitude", "psd", "real", "imag", "angle", "stft"),
            "frame_length": (8, 12),
            "frame_step": (None, 5),
            "fft_length": (None, 32),
            "padding": ("valid", "same"),
            "expand_dims": FLAG,
            "data_format": DATA_FORMATS,
        },
        in_float64=False,
    ),
    Subject("LayerScale", [(5, 4)], {"init_values": (1e-6,), "projection_dim": (4,)}),
    Subject("StochasticDepth", [(5, 4)], {"drop_path_rate": (0.5,)}),
    Subject("CustomScaleLayer", _SAME_SHAPES, {"scale": (0.5, 0.17)}),
    Subject("UpSampling3D", [(2, 3, 2, 2)], {"size": (2, (3, 1, 2)), "data_format": DATA_FORMATS}),
    Subject(
        "BatchNormalization",
        [(5, 4)],
        {"renorm": (True,), "scale": (True, False)},
        MASKS,
        title="after renormalization",
    ),
    Subject(
        "GroupNormalization",
        [(5, 6)],
        {
            "groups": (2, 3, -1, 1),
            "axis": (-1, 2),
            "epsilon": (1e-3, 0.1),
            "center": (True, False),
            "scale": (True, False),
        },
        MASKS,
    ),
    Subject(
        "GroupNormalization", [(4, 3, 6)], {"groups": (2,), "axis": (1, -3, -1)}, title="images"
    ),
    Subject("RMSNormalization", [(5, 4)], {"axis": (-1, 2, [1, 2]), "epsilon": (1e-6, 0.1)}),
    Subject("UnitNormalization", [(5, 4)], {"axis": (-1, 1, [1, 2])}, MASKS),
    Subject(
        "SpectralNormalization",
        [(5, 4)],
        {"layer": (layer("Dense", units=3), layer("Conv1D", filters=2, kernel_size=3))},
    ),
    Subject(
        "BatchNormalization",
        [(5, 4)],
        {
            "axis": (-1, 1, 2),
            "epsilon": (1e-3, 0.1),
            "center": (True, False),
            "scale": (True, False),
        },
        MASKS,
    ),
    Subject("BatchNormalization", [(5, 6, 3)], {"axis": (-1, 1)}, title="images"),
    Subject(
        "LayerNormalization",
        [(5, 4)],
        {"rms_scaling": (True,), "axis": (-1, [1, 2]), "scale": (True, False), "epsilon": (0.1,)},
        MASKS,
        title="by the variance alone",
    ),
    Subject(
        "LayerNormalization",
        [(5, 4)],
        {
            "axis": (-1, 1, [1, 2], [-1, -2]),
            "epsilon": (1e-3, 0.1),
            "center": (True, False),
            "scale": (True, False),
        },
        MASKS,
    ),
    Subject(
        "Rescaling",
        [(5, 3)],
        {"scale": (0.5, [1.0, 2.0, 3.0]), "offset": (0.0, -1.0, [1.0, 0.0, 2.0])},
        MASKS,
    ),
    Subject("Normalization", [(5, 3)], {"axis": (-1, None, 1, (1, 2)), "invert": FLAG}, MASKS),
    Subject(
        "Normalization",
        [(5, 3)],
        {"mean": ([1.0, 2.0, 3.0],), "variance": ([4.0, 1.0, 0.0],), "invert": FLAG},
        title="with given moments",
    ),
    *(
        Subject(name, [(5, 4)], {"rate": (0.0, 0.5)}, MASKS)
        for name in ("Dropout", "SpatialDropout1D", "GaussianDropout", "AlphaDropout")
    ),
    Subject("SpatialDropout2D", [(5, 6, 4)], {"rate": (0.5,)}),
    Subject("SpatialDropout3D", [(3, 5, 6, 4)], {"rate": (0.5,)}),
    Subject("GaussianNoise", [(5, 4)], {"stddev": (0.0, 0.5)}, MASKS),
    Subject(
        "ReLU",
        [(5, 4)],
        {"max_value": (None, 1.0, 6.0), "negative_slope": (0.0, 0.25), "threshold": (0.0, 0.5)},
        MASKS,
    ),
    Subject("LeakyReLU", [(5, 4)], {"negative_slope": (0.25, 0.0, 1.5)}, MASKS),
    Subject("ELU", [(5, 4)], {"alpha": (1.0, 0.5)}, MASKS),
    Subject("PReLU", [(5, 4)], {"shared_axes": (None, [1], [1, 2])}, MASKS),
    Subject("Softmax", [(5, 4)], {"axis": (-1, 1, (1, 2))}),
    Subject("Softmax", [(5,)], {"axis": (-1,)}, MASKS, title="masked"),
    Subject("Activation", [(40,)], {"activation": WIDE_ACTIVATIONS}, title="wide"),
    Subject(
        "Activation",
        [(40,)],
        {"activation": ("gelu", "leaky_relu")},
        title="with a constant",
        float64_agreement=1e-7,
    ),
    *(
        Subject(name, _SAME_SHAPES, {}, (*MASKS, "first"))
        for name in ("Add", "Multiply", "Average", "Maximum", "Minimum", "Subtract")
    ),
    *(
        Subject(name, ((5, 4), (5, 1), (4,)), {}, title="broadcast")
        for name in ("Add", "Multiply", "Average", "Maximum", "Minimum")
    ),
    Subject("Concatenate", _SAME_SHAPES, {"axis": (-1, 1)}, (*MASKS, "first")),
    Subject("Dot", _SAME_SHAPES, {"axes": (1, 2, (1, 1), -1), "normalize": FLAG}),
    Subject("Dot", ((4,), (4,)), {"axes": (1, -1), "normalize": FLAG}, title="vectors"),
)
