"""Our schemas are the SDKs' own where those are accepted, and say why where they differ."""

from typing import Annotated, Any, Literal, Union

import pytest
from pydantic import BaseModel, Field

from pr1.llm.json_schema import anthropic_schema, openai_schema


class Fact(BaseModel):
    """One fact."""

    kind: Literal["length", "angle"]
    only: Literal["one"]
    quote: str
    value: float | None
    count: int = Field(ge=1, le=9, description="how many")
    code: Annotated[str, Field(pattern="^[A-Z]+$")]


class Facts(BaseModel):
    facts: Annotated[list[Fact], Field(min_length=1, max_length=20)]
    done: bool


class Node(BaseModel):
    name: str
    children: list["Node"]


class Circle(BaseModel):
    shape: Literal["circle"]
    radius: float


class Square(BaseModel):
    shape: Literal["square"]
    side: float


class Figure(BaseModel):
    figure: Annotated[Union[Circle, Square], Field(discriminator="shape")]  # noqa: UP007


class WithDefaults(BaseModel):
    default: str = "a property of this name is not the keyword"
    title: int = 3
    facts: list[str] = []
    short: Annotated[str, Field(max_length=5)] = ""


@pytest.mark.parametrize("model", [Facts, Fact, Circle])
def test_openai_schema_is_the_sdks(model):
    from openai.lib._pydantic import to_strict_json_schema

    assert openai_schema(model) == to_strict_json_schema(model)


@pytest.mark.parametrize("model", [Facts, Fact, Circle])
def test_anthropic_schema_is_the_sdks(model):
    from anthropic import transform_schema

    assert anthropic_schema(model) == transform_schema(model)


@pytest.mark.parametrize("schema_of", [openai_schema, anthropic_schema])
def test_every_property_is_required_and_none_has_a_default(schema_of):
    schema = schema_of(WithDefaults)
    assert schema["required"] == ["default", "title", "facts", "short"]
    assert schema["additionalProperties"] is False
    assert all("default" not in node for node in schema["properties"].values())
    assert schema["properties"]["short"]["description"] == "{maxLength: 5}"


@pytest.mark.parametrize("schema_of", [openai_schema, anthropic_schema])
def test_a_recursive_model_has_an_object_on_top(schema_of):
    schema = schema_of(Node)
    assert schema["type"] == "object"
    assert schema["properties"]["children"]["items"] == {"$ref": "#/$defs/Node"}
    assert schema["$defs"]["Node"]["required"] == ["name", "children"]


@pytest.mark.parametrize("schema_of", [openai_schema, anthropic_schema])
def test_a_union_is_any_of(schema_of):
    node = schema_of(Figure)["properties"]["figure"]
    assert node["anyOf"] == [{"$ref": "#/$defs/Circle"}, {"$ref": "#/$defs/Square"}]
    assert not node.keys() & {"oneOf", "discriminator"}


def test_properties_keep_their_order():
    assert list(openai_schema(Fact)["properties"]) == list(Fact.model_fields)


class FreeDict(BaseModel):
    facts: dict[str, str]


class Pair(BaseModel):
    pair: tuple[int, int]


class Whatever(BaseModel):
    value: Any


@pytest.mark.parametrize("model", [FreeDict, Pair, Whatever])
@pytest.mark.parametrize("schema_of", [openai_schema, anthropic_schema])
def test_what_no_strict_schema_expresses_is_refused(schema_of, model):
    with pytest.raises(TypeError, match="no strict schema can express"):
        schema_of(model)
