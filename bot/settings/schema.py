"""The JSON schema of the configuration, from its models; `python -m bot.settings.schema` writes the file."""

from __future__ import annotations

import json
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema

from bot.model.manifest import Platform
from bot.settings.fields import duration_text
from bot.settings.load import Settings

FILE: Final = Path(__file__).parents[2] / "config" / "schemas" / "config.schema.json"


class _Plain(GenerateJsonSchema):
    """Defaults as a file writes them, and no titles that only repeat the keys (`Ca File` for `ca_file`)."""

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ARG002 - the library's signature
        """No field has a title of its own."""
        return False

    def encode_default(self, dft: Any) -> Any:
        """A default as a configuration file would have it; that of a section is the empty section."""
        if isinstance(dft, BaseModel):
            return {}
        if isinstance(dft, tuple):
            return [self.encode_default(one) for one in dft]
        if isinstance(dft, timedelta):
            return duration_text(dft)
        return str(dft) if isinstance(dft, Platform) else super().encode_default(dft)


def config_schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of a configuration file."""
    made = Settings.model_json_schema(by_alias=True, schema_generator=_Plain)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **made,
        "title": "Refit configuration",
        "description": "config/bot.example.yaml explains every key.",
    }


def text() -> str:
    """The file as it is committed."""
    return json.dumps(config_schema(), indent=2, ensure_ascii=False) + "\n"


def main() -> None:
    """Write the schema into `config/schemas/`."""
    FILE.write_text(text(), encoding="utf-8")
    sys.stdout.write(f"{FILE}\n")


if __name__ == "__main__":
    main()
