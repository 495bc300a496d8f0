"""The cycle: discover, resolve, plan, prove, publish, report."""
