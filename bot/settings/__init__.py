"""The configuration: pydantic models, loading with errors that help, and its JSON schema."""

from bot.settings.fields import Secret
from bot.settings.load import Settings, load
from bot.settings.sections import ForgeKind, ProjectSettings, RuleSettings, TargetSettings

__all__ = ["ForgeKind", "ProjectSettings", "RuleSettings", "Secret", "Settings", "TargetSettings", "load"]
