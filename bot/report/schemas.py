"""The JSON schemas of the outputs, generated from their models: `python -m bot.report.schemas`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel

from bot.report.audit_document import AuditDocument
from bot.report.compare_document import CompareDocument
from bot.report.shapes import CheckDocument, DiscoverDocument, ObserveDocument, RunDocument
from bot.report.size.shapes import ReportDocument

FOLDER: Final = Path(__file__).parents[2] / "config" / "schemas"
_DOCUMENTS: Final[dict[str, type[BaseModel]]] = {
    "discover": DiscoverDocument,
    "check": CheckDocument,
    "observe": ObserveDocument,
    "run": RunDocument,
    "compare": CompareDocument,
    "audit": AuditDocument,
    "report": ReportDocument,
}


def schemas() -> dict[str, dict[str, Any]]:
    """The JSON Schema (2020-12) of each command's document, by command."""
    return {
        name: {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            **model.model_json_schema(by_alias=True, mode="serialization"),
            "title": f"refit {name} --format json",
        }
        for name, model in _DOCUMENTS.items()
    }


def texts() -> dict[str, str]:
    """The files as they are committed: text by file name."""
    return {
        f"{name}.schema.json": json.dumps(schema, indent=2, ensure_ascii=False) + "\n"
        for name, schema in schemas().items()
    }


def main() -> None:
    """Write every schema into `config/schemas/`."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, text in texts().items():
        (FOLDER / name).write_text(text, encoding="utf-8")
        sys.stdout.write(f"{FOLDER / name}\n")


if __name__ == "__main__":
    main()
