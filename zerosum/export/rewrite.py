"""The same function as another ONNX graph, in operators that a processor has in whole numbers.

ONNX Runtime multiplies convolutions and matrices in 8 bits, and transposed convolutions in floats alone. A transposed
convolution of stride 2 is a plain one that makes the four pixels of each 2 x 2 as channels, with the same number of products
(Shi et al. 2016, "Is the deconvolution layer the same as a convolutional layer?"); the pixels are then put in their places.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from onnx import ModelProto, NodeProto, helper, numpy_helper


class Graph:
    """A model that is being rewritten: its constants by name, and new nodes and constants named after an old output."""

    def __init__(self, model: ModelProto) -> None:
        self.model, self.graph = model, model.graph
        self.constants = {one.name: one for one in self.graph.initializer}

    def array(self, name: str) -> np.ndarray | None:
        """A constant's values; None where the name is no constant's."""
        return numpy_helper.to_array(self.constants[name]) if name in self.constants else None

    def keep(self, name: str, values: Any) -> str:
        """Add a constant; its name."""
        self.constants[name] = numpy_helper.from_array(np.asarray(values), name)
        self.graph.initializer.append(self.constants[name])
        return name

    def put(self, nodes: list[NodeProto]) -> None:
        """Take these for the graph's nodes, and forget the constants that none of them uses."""
        del self.graph.node[:]
        self.graph.node.extend(nodes)
        used = {name for node in nodes for name in node.input} | {one.name for one in self.graph.output}
        kept = [one for name, one in self.constants.items() if name in used]
        del self.graph.initializer[:]
        self.graph.initializer.extend(kept)
        self.constants = {one.name: one for one in kept}


def attributes(node: NodeProto) -> dict[str, Any]:
    """A node's attributes by name."""
    return {one.name: helper.get_attribute_value(one) for one in node.attribute}


def exactly(model: ModelProto) -> ModelProto:
    """The model after every rewriting here, each of which changes at most the order of sums. The model itself is changed."""
    graph = Graph(model)
    graph.put([part for node in graph.graph.node for part in untransposed(graph, node)])
    merge(graph)
    return model


def untransposed(graph: Graph, node: NodeProto) -> list[NodeProto]:
    """A transposed convolution of stride 2 as a convolution whose four groups of channels are interleaved; else the node.

    Output pixel o takes input i with tap k = o + pad - 2i. Pixels of one parity r take the taps of that parity: with o + pad =
    2m + r and k = 2t + r that is i = m - t, a plain convolution with ceil(kernel / 2) taps.
    """
    told = attributes(node)
    weight = graph.array(node.input[1]) if node.op_type == "ConvTranspose" else None
    plain = told.get("group", 1) == 1 and not any(told.get("output_padding", ())) and "output_shape" not in told
    even = told.get("strides") == [2, 2] and {*told.get("dilations", (1,))} == {1} and len({*told.get("pads", (0,))}) == 1
    if weight is None or weight.ndim != 4 or not plain or not even or weight.shape[2] != weight.shape[3]:
        return [node]
    _, after, kernel, _ = weight.shape
    taps, pad, y = -(-kernel // 2), told.get("pads", [0])[0], node.output[0]
    four = np.zeros((2, 2, after, weight.shape[0], taps, taps), weight.dtype)
    for row in range(2):
        for column in range(2):
            part = weight[:, :, row::2, column::2][:, :, ::-1, ::-1].transpose(1, 0, 2, 3)
            four[row, column, :, :, taps - part.shape[2] :, taps - part.shape[3] :] = part
    inputs = [node.input[0], graph.keep(f"{y}/weight", four.reshape(4 * after, *four.shape[3:]))]
    bias = graph.array(node.input[2]) if len(node.input) > 2 else None
    if bias is not None:
        inputs.append(graph.keep(f"{y}/bias", np.tile(bias, 4)))
    made: list[NodeProto] = []

    def then(op: str, inputs: list[str], name: str, **told: Any) -> str:
        made.append(helper.make_node(op, inputs, [name], name=f"{name}/node", **told))
        return name

    number = lambda name, *values: graph.keep(f"{y}/{name}", np.array(values, np.int64))
    x = then("Conv", inputs, f"{y}/four", kernel_shape=[taps, taps], pads=[taps - 1] * 4, strides=[1, 1])
    # Channels are innermost while pixels move, so that blocks of memory stay whole: [n, h, w, 2, 2c] -> [n, h, 2, w, 2c].
    x = then("Transpose", [x], f"{y}/inner", perm=[0, 2, 3, 1])
    shape = then("Shape", [x], f"{y}/shape")
    size = then("Slice", [shape, number("first", 0), number("third", 3)], f"{y}/size")
    x = then("Reshape", [x, then("Concat", [size, number("pair", 2, 2 * after)], f"{y}/apart", axis=0)], f"{y}/rows")
    x = then("Transpose", [x], f"{y}/woven", perm=[0, 1, 3, 2, 4])
    double = then("Mul", [size, number("twice", 1, 2, 2)], f"{y}/double")
    x = then("Reshape", [x, then("Concat", [double, number("after", after)], f"{y}/together", axis=0)], f"{y}/large")
    end = 2 * taps - kernel + pad
    if pad or end:
        low, high = number("low", pad, pad), number("high", *[-end if end else 2**31] * 2)
        x = then("Slice", [x, low, high, number("sides", 1, 2)], f"{y}/cut")
    then("Transpose", [x], y, perm=[0, 3, 1, 2])
    return made


def merge(graph: Graph) -> None:
    """Matrices that are multiplied by the same vectors as one: a generator's modulations, a call each, cost mostly calls."""
    nodes = list(graph.graph.node)
    by: dict[str, list[NodeProto]] = {}
    for node in nodes:
        if _merges(graph, node):
            by.setdefault(node.input[0], []).append(node)
    for x, alike in by.items():
        if len(alike) < 2:
            continue
        weights, biases = ([values for node in alike if (values := graph.array(node.input[i])) is not None] for i in (1, 2))
        inputs = [x, graph.keep(f"{x}/weights", np.concatenate(weights)), graph.keep(f"{x}/biases", np.concatenate(biases))]
        sizes = graph.keep(f"{x}/sizes", np.array([len(one) for one in biases], np.int64))
        gone = [node.output[0] for node in alike]
        one = helper.make_node("Gemm", inputs, [f"{x}/all"], name=f"{x}/all/node", transB=1)
        parts = helper.make_node("Split", [f"{x}/all", sizes], gone, name=f"{x}/parts", axis=1)
        nodes = [node for node in nodes if node.output[0] not in gone]
        at = max((i + 1 for i, node in enumerate(nodes) if x in node.output), default=0)
        nodes[at:at] = [one, parts]
    graph.put(nodes)


def _merges(graph: Graph, node: NodeProto) -> bool:
    """Whether a node is x W' + b with constants W [out, in] and b [out]."""
    told = attributes(node)
    plain = told.get("transB", 0) == 1 and not told.get("transA", 0) and told.get("alpha", 1) == told.get("beta", 1) == 1
    known = len(node.input) == 3 and {*node.input[1:]} <= set(graph.constants)
    return node.op_type == "Gemm" and plain and known
