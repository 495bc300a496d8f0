"""Receipts: what became of jobs that any machine may have done."""

from __future__ import annotations

from datetime import datetime

from bot.model.receipt import Receipt
from bot.store.base import Rows
from bot.store.codec import decode, encode
from bot.store.tables import RECEIPTS


class ReceiptRows(Rows):
    """Receipts by the key of their job; the first one stays."""

    def receipt(self, key: str) -> Receipt | None:
        """What became of a job, or None where it has not ended."""
        row = self._get(RECEIPTS, key)
        return None if row is None else decode(Receipt, row["body"])

    def save_receipt(self, receipt: Receipt, now: datetime) -> Receipt:
        """Store a receipt; where the same job was finished before, that one stays and is given back."""
        with self._writing() as writing:
            row = writing.get(RECEIPTS, receipt.key)
            if row is not None:
                return decode(Receipt, row["body"])
            writing.add(RECEIPTS, {"key": receipt.key, "body": encode(receipt), "at": now})
            return receipt

    def forget_receipts(self, before: datetime) -> None:
        """Let go of receipts older than `before`: their cycles ended long ago."""
        with self._writing() as writing:
            writing.run("DELETE FROM receipts WHERE at < ?", before)
