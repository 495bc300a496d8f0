"""A small runner of GitHub Actions: it carries out workflow and action from their own files."""
