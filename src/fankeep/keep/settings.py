"""How this installation runs: the fields, read from the environment once and held against the rules."""

from __future__ import annotations

from typing import Any, Final

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from fankeep.errors import ConfigurationError
from fankeep.keep.environment import read_environment, variable
from fankeep.keep.fields import SECRET_FIELDS, Fields
from fankeep.keep.rules import broken_rules

__all__ = ["Settings"]

_CONSEQUENCE: Final = "default_factory_not_called"  # of another field's complaint


class Settings(Fields):
    """The settings of one process; made from ``FANKEEP_*`` variables, or from arguments that win over them.

    Raises:
        ConfigurationError: a setting is missing, unknown, or does not fit. The message is one line, names
            the variables and says what to do; it never holds a value.
    """

    def __init__(self, **values: object) -> None:
        given: dict[str, Any] = {**read_environment(Fields.model_fields, SECRET_FIELDS), **values}
        complaint = ""
        try:
            super().__init__(**given)
        except ValidationError as error:
            # Raised below, outside of the handler: the original error holds the values.
            complaint = _one_line(error.errors(include_url=False, include_input=False))
        if complaint:
            raise ConfigurationError(complaint)
        broken = broken_rules(self)
        if broken:
            raise ConfigurationError("; ".join(broken))


def _one_line(errors: list[ErrorDetails]) -> str:
    return "; ".join(_complaint(error) for error in errors if error["type"] != _CONSEQUENCE)


def _complaint(error: ErrorDetails) -> str:
    field = str(error["loc"][0])
    name = variable(field)
    context = error.get("ctx", {})
    match error["type"]:
        case "missing":
            return f"{name} is missing: set it" + (f" or {name}_FILE" if field in SECRET_FIELDS else "")
        case "extra_forbidden":
            return f"{field} is not a setting"
        case "literal_error":
            return f"{name} must be {context['expected']}"
        case "value_error" if type(context["error"]) is ValueError:
            complaint = str(context["error"])
            return complaint if complaint.startswith(name) else f"{name} {complaint}"
        case _:
            return f"{name} does not fit"
